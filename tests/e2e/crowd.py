"""Many devices at once: children who walk in and out of their homes, gauges, a few tag readers.

Every uplink has its own time and counter, and every stored row tells which uplink it came from.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from gateway.model.instant import SECOND, Instant, to_datetime
from tests.e2e.town import Member, child, gauge, reader

LAT_M = 1 / 110_950
"""Degrees of latitude in a metre, about."""

_WALK = 60
"""Seconds from home, out to 600 m, and back: a second a fix, 20 m apart."""


class Uplink(NamedTuple):
    """What a device hands over."""

    device: str
    kind: str
    topic: bytes
    payload: bytes


def crowd(children: int, gauges: int, readers: int, prefix: str = "") -> list[Member]:
    """A roster; each child lives on a meridian of its own."""
    return [
        *(child(f"{prefix}child-{n}", (36.7, 137.0 + n * 0.004)) for n in range(children)),
        *(gauge(f"{prefix}river-{n}") for n in range(gauges)),
        *(reader(f"{prefix}reader-{n}") for n in range(readers)),
    ]


def uplinks(members: Sequence[Member], start: Instant) -> Iterator[Uplink]:
    """Without end: every device in turn, a second apart per round, from `start` on."""
    for round_ in count():
        t = to_datetime(start + round_ * SECOND).isoformat()
        for member in members:
            device = member["roster"]
            yield Uplink(
                device,
                member["kind"],
                b"sekisho/v1/%b/up" % device.encode(),
                _document(member, int(device.rsplit("-", 1)[1]), round_, t).encode(),
            )


def _document(member: Member, number: int, round_: int, t: str) -> str:
    head = f'{{"t":"{t}","seq":{round_},'
    match member["kind"]:
        case "child_tracker":
            step = (round_ + 7 * number) % _WALK
            metres = 20 * step if step < _WALK // 2 else 20 * (_WALK - step) + 7
            lat, lon = member["home"][0] + metres * LAT_M, member["home"][1]
            accuracy = 80 if round_ % 97 == 0 else 5
            return f'{head}"lat":{lat:.7f},"lon":{lon:.7f},"accuracy_m":{accuracy},"battery_pct":{round_ % 100}}}'
        case "river_gauge":
            return f'{head}"distance_m":{2 + round_ % 1000 / 1000:.3f},"battery_v":3.61}}'
        case _:
            reads = ",".join(
                f'{{"epc":"{(number << 64) + (round_ << 8) + n:024X}","antenna":{n + 1},"rssi_dbm":-60}}'
                for n in range(round_ % 3)
            )
            return f'{head}"reads":[{reads}]}}'
