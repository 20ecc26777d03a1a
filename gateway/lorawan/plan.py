"""The shape of a region's channel plan; the plans themselves stand in `gateway/lorawan/regions/`, a file each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


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
        channels: the default (join) channels.
        cf_list: frequencies in Hz that a join-accept adds (CFList type 0), five at most; () for none.
        rx1: (frequency of the uplink, its data rate, RX1DROffset) → RX1's frequency and data rate.
        rx2: frequency and data rate of RX2, with its delay for data; joins add `join_delay_s`.
        rx1_delay_s: after the end of a data uplink; RX2 opens a second later.
        join_delay_s: after the end of a join-request.
        max_eirp_dbm: for downlinks, too.
        max_payload: number of the data rate → bytes of MACPayload less FHDR and port (N of RP002).
        dwell_s: longest single transmission; None where nothing limits it.
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

    def number(self, rate: DataRate) -> int | None:
        """The number of a data rate; None where the region has none such."""
        return next((n for n, one in self.data_rates.items() if one == rate), None)
