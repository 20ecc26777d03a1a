"""What a station is told to be: data rates, channels, and how its board's two radios cover them (`router_config`).

Sources: LNS protocol of Basics Station; `src/s2e.c`, `src/sx130xconf.c` and `src/ral.c` of 2.0.6, where the limits
of a radio stand too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

DataRate: TypeAlias = tuple[int, int]
"""Spreading factor and bandwidth in Hz."""

Channel: TypeAlias = tuple[int, int, int]
"""Frequency in Hz; lowest and highest data rate, by number."""

_DRS = 16
_UNUSED = (-1, 0, 0)
_HIGHEST_UP = 7
"""Stations refuse a configuration with a channel of a higher data rate."""

_RADIOS = 2
_MULTI_SF = 8
_NARROW_HZ = 125_000
_REACH_HZ = {125_000: 400_000, 250_000: 375_000, 500_000: 300_000}
"""Bandwidth → how far from its radio's frequency a channel may lie."""

_SPOKEN_AS = {"AS923-2": "AS923-1", "AS923-3": "AS923-1", "AS923-4": "AS923-1"}
"""Stations up to 2.0.6 know no other group of AS923, and a region that they do not know costs all downlinks. As
AS923-1 they listen before they send, at 13 dBm at most, on whatever frequencies they are given."""


class RegionError(ValueError):
    """A region that this board cannot be set up for; says why."""


@dataclass(frozen=True, slots=True)
class Region:
    """What is to be heard and sent.

    Attributes:
        name: as stations call it, "AS923-1".
        rates: number → LoRa data rate; 16 numbers at most.
        down_only: numbers of those that no uplink has.
        channels: for uplinks.
        downlinks_hz: lowest and highest frequency of downlinks.
        max_eirp_dbm: of downlinks; stations only ever lower what they allow themselves.
    """

    name: str
    rates: Mapping[int, DataRate]
    down_only: frozenset[int]
    channels: Sequence[Channel]
    downlinks_hz: tuple[int, int]
    max_eirp_dbm: float


def router_config(region: Region, utc_s: float) -> str:
    """The answer to `version`.

    Networks and join EUIs are not filtered, so that a stranger's frame can be told from none. What switches off
    listen-before-talk, duty cycle or dwell time is never among it.

    Raises:
        RegionError: more channels than a board hears, or too far apart.
    """
    channels = [
        (freq, low, min(high, _HIGHEST_UP))
        for freq, low, high in region.channels
        if low <= _HIGHEST_UP
    ]
    freqs = [*(freq for freq, _, _ in channels), *region.downlinks_hz]
    return msgspec.json.encode(
        {
            "msgtype": "router_config",
            "NetID": None,
            "JoinEui": None,
            "region": _SPOKEN_AS.get(region.name, region.name),
            "hwspec": "sx1301/1",
            "freq_range": [min(freqs), max(freqs)],
            "DRs": _rates(region),
            "sx1301_conf": [_board(region.rates, channels)],
            "upchannels": channels,
            "bcning": None,
            "max_eirp": region.max_eirp_dbm,
            "MuxTime": utc_s,
        }
    ).decode()


def _rates(region: Region) -> list[tuple[int, int, int]]:
    """Sixteen of spreading factor, kHz, and whether it is for downlinks alone."""
    return [
        _UNUSED
        if (rate := region.rates.get(dr)) is None
        else (rate[0], rate[1] // 1000, int(dr in region.down_only))
        for dr in range(_DRS)
    ]


def _board(rates: Mapping[int, DataRate], channels: Sequence[Channel]) -> dict[str, Any]:
    """Radios and channels of one SX1301 or SX1302: eight of 125 kHz, one that is wider."""
    narrow: set[int] = set()
    wide: set[tuple[int, DataRate]] = set()
    for freq, low, high in channels:
        for rate in (rates[dr] for dr in range(low, high + 1) if dr in rates):
            if rate[1] == _NARROW_HZ:
                narrow.add(freq)
            else:
                wide.add((freq, rate))
    if len(narrow) > _MULTI_SF or len(wide) > 1:
        raise RegionError(
            f"{len(narrow)} channels of 125 kHz and {len(wide)} wider ones: a board hears "
            f"{_MULTI_SF} and 1"
        )
    radios = _radios(sorted(narrow))
    board: dict[str, Any] = {
        f"radio_{n}": {"enable": n < len(radios), "freq": radios[n] if n < len(radios) else 0}
        for n in range(_RADIOS)
    }
    for n, freq in enumerate(sorted(narrow)):
        board[f"chan_multiSF_{n}"] = _placed(radios, freq, _NARROW_HZ)
    for n in range(len(narrow), _MULTI_SF):
        board[f"chan_multiSF_{n}"] = {"enable": False}
    board["chan_Lora_std"] = {"enable": False}
    for freq, (sf, bw_hz) in wide:
        board["chan_Lora_std"] = {
            **_placed(radios, freq, bw_hz),
            "bandwidth": bw_hz,
            "spread_factor": sf,
        }
    board["chan_FSK"] = {"enable": False}
    return board


def _radios(freqs: Sequence[int]) -> list[int]:
    """Where the radios listen: each in the middle of the channels that it takes, from the lowest on."""
    spans: list[tuple[int, int]] = []
    for freq in freqs:
        if spans and freq - spans[-1][0] <= 2 * _REACH_HZ[_NARROW_HZ]:
            spans[-1] = spans[-1][0], freq
        else:
            spans.append((freq, freq))
    if len(spans) > _RADIOS:
        raise RegionError("channels too far apart: two radios cover 0.8 MHz each")
    return [(low + high) // 2 for low, high in spans]


def _placed(radios: Sequence[int], freq: int, bw_hz: int) -> dict[str, Any]:
    """A channel at the nearest radio."""
    if not radios:
        raise RegionError("no channel of 125 kHz")
    nearest = min(range(len(radios)), key=lambda n: abs(freq - radios[n]))
    offset = freq - radios[nearest]
    if abs(offset) > _REACH_HZ[bw_hz]:
        raise RegionError(f"a channel of {bw_hz // 1000} kHz out of reach of both radios")
    return {"enable": True, "radio": nearest, "if": offset}
