"""The shape of a region's channel plan; the plans themselves stand in `gateway/lorawan/regions/`, a file each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.lorawan.rules import SubBand

_FREQ_STEP_HZ = 100
_CF_LIST_CHANNELS, _CF_LIST_MASKS = 5, 5
_NARROW_BLOCKS, _ALL_DEFINED = 4, 6


class DataRate(NamedTuple):
    """How LoRa modulates: spreading factor 5 to 12, bandwidth in Hz."""

    sf: int
    bw_hz: int

    def __str__(self) -> str:
        return f"SF{self.sf}BW{self.bw_hz // 1000}"


class Channel(NamedTuple):
    """One uplink channel.

    Attributes:
        low, high: data rates that may be used there, by number.
    """

    freq_hz: int
    low: int
    high: int


class Window(NamedTuple):
    """Where and how a device listens after an uplink.

    Attributes:
        freq_hz: where.
        dr: number of the data rate.
        delay_s: after the end of the uplink.
    """

    freq_hz: int
    dr: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One region.

    Attributes:
        name: as Basics Station calls it, "AS923-1".
        data_rates: number → data rate; numbers of other modulations are left out.
        down_only: numbers of those that only downlinks use.
        channels: the default (join) channels.
        cf_list: frequencies in Hz that a join-accept adds (CFList type 0), five at most; () for none.
        masks: of a region with fixed channels, those that a join-accept leaves switched on (CFList type 1),
            sixteen a mask; () for none.
        numbers: frequency → number of a channel, of a region with fixed channels; else they count from 0.
        rx1: (frequency of the uplink, its data rate, RX1DROffset) → RX1's frequency and data rate.
        rx2: frequency and data rate of RX2, with its delay for data; joins add `join_delay_s`.
        rx1_delay_s: after the end of a data uplink; RX2 opens a second later.
        join_delay_s: after the end of a join-request.
        max_eirp_dbm: for downlinks, too.
        max_payload: number of the data rate → bytes of MACPayload less FHDR and port (N of RP002).
        dwell_s: longest single transmission; None where nothing limits it.
        rules: what the law says, by stretches of the band; where none holds, nothing may be sent.
        weakest: the last step of power that devices have, 2 dB each (TXPower).
    """

    name: str
    data_rates: Mapping[int, DataRate]
    channels: tuple[Channel, ...]
    cf_list: tuple[int, ...]
    rx1: Callable[[int, int, int], tuple[int, int]]
    rx2: Window
    rx1_delay_s: float
    join_delay_s: float
    max_eirp_dbm: float
    max_payload: Mapping[int, int]
    dwell_s: float | None = None
    down_only: frozenset[int] = frozenset()
    masks: tuple[int, ...] = ()
    numbers: Mapping[int, int] = field(default_factory=dict)
    rules: tuple[SubBand, ...] = ()
    weakest: int = 7
    _numbers: Mapping[DataRate, int] = field(init=False, repr=False, compare=False)
    _channels: Mapping[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What is looked up for every frame, turned round once; of two equal data rates the first number counts."""
        rates = {rate: number for number, rate in reversed(list(self.data_rates.items()))}
        freqs = (*(channel.freq_hz for channel in self.channels), *self.cf_list)
        channels = self.numbers or {freq: number for number, freq in enumerate(freqs)}
        object.__setattr__(self, "_numbers", rates)
        object.__setattr__(self, "_channels", channels)

    @property
    def channel_mask(self) -> tuple[int, int]:
        """ChMaskCntl and ChMask that leave a device the channels which it has: all that are defined (6), or those of the masks."""
        for block, mask in enumerate(self.masks[:_NARROW_BLOCKS]):
            if mask:
                return block, mask
        return _ALL_DEFINED, 0

    def number(self, rate: DataRate) -> int | None:
        """The number of a data rate; None where the region has none such."""
        return self._numbers.get(rate)

    def has(self, freq_hz: int, rate: DataRate) -> bool:
        """Whether devices of the region send there, and so."""
        return freq_hz in self._channels and rate in self._numbers

    def rule(self, freq_hz: int, rate: DataRate) -> SubBand | None:
        """What the law says there; None where nothing may be sent."""
        return next((rule for rule in self.rules if rule.holds(freq_hz, rate.bw_hz)), None)

    def channel(self, freq_hz: int) -> int | None:
        """The number of an uplink channel as devices count them; None where there is none such."""
        return self._channels.get(freq_hz)

    def cf_list_wire(self) -> bytes:
        """The CFList of a join-accept, 16 bytes; b"" for none.

        Type 0 is five frequencies in steps of 100 Hz, type 1 masks of channels (RP002-1.0.4 §2: CFList of each region).
        """
        if self.masks:
            masks = (*self.masks, *(0,) * _CF_LIST_MASKS)[:_CF_LIST_MASKS]
            return b"".join(mask.to_bytes(2, "little") for mask in masks) + bytes(5) + b"\x01"
        if self.cf_list:
            freqs = (*self.cf_list, *(0,) * _CF_LIST_CHANNELS)[:_CF_LIST_CHANNELS]
            return b"".join((hz // _FREQ_STEP_HZ).to_bytes(3, "little") for hz in freqs) + b"\x00"
        return b""
