"""NMEA 0183 sentences that hold a position: RMC and GGA, of any talker.

Source: NMEA 0183 4.11 as public receiver manuals describe it. `$` talker(2) type(3) `,` fields `*` checksum, which
is the exclusive or of everything between. Latitude is ddmm.mmmm, longitude dddmm.mmmm. A receiver without a
fix leaves fields empty. The year has two digits: 80 to 99 are the last century's.
"""

from datetime import date, time
from functools import reduce
from operator import xor
from typing import NamedTuple

_MEASURED = frozenset("12345")
"""GGA's qualities of a measured position: not 0 (none), 6 (reckoned), 7 (typed in), 8 (simulated)."""


class Fix(NamedTuple):
    """One position.

    Attributes:
        time: of day, UTC.
        day: None where the sentence has none (GGA).
        lat, lon: degrees WGS 84.
    """

    time: time
    day: date | None
    lat: float
    lon: float


def fix(line: bytes) -> Fix | None:
    """The position that a sentence holds; None where it holds none, or is broken on the way."""
    fields = _fields(line)
    if fields is None:
        return None
    try:
        if fields[0][2:] == "RMC" and fields[2] == "A":
            return Fix(_time(fields[1]), _day(fields[9]), *_place(fields[3:7]))
        if fields[0][2:] == "GGA" and fields[6] in _MEASURED:
            return Fix(_time(fields[1]), None, *_place(fields[2:6]))
    except (ValueError, IndexError):
        pass
    return None


def _fields(line: bytes) -> list[str] | None:
    """The fields of a sentence whose checksum is right."""
    body, star, checksum = line.strip().partition(b"*")
    if body[:1] != b"$" or not star or not line.isascii():
        return None
    try:
        right = reduce(xor, body[1:], 0) == int(checksum[:2], 16)
    except ValueError:
        return None
    return body[1:].decode("ascii").split(",") if right else None


def _time(text: str) -> time:
    """Six digits, with any number of decimals."""
    whole, _, part = text.partition(".")
    if len(whole) != 6:
        raise ValueError
    microsecond = int(part[:6].ljust(6, "0")) if part else 0
    return time(int(whole[:2]), int(whole[2:4]), int(whole[4:]), microsecond)


def _day(text: str) -> date:
    """Day, month and year, two digits each."""
    if len(text) != 6:
        raise ValueError
    year = int(text[4:])
    return date(year + (1900 if year >= 80 else 2000), int(text[2:4]), int(text[:2]))


def _place(fields: list[str]) -> tuple[float, float]:
    """Latitude, N or S, longitude, E or W."""
    lat, north, lon, east = fields
    if north not in ("N", "S") or east not in ("E", "W"):
        raise ValueError
    return _degrees(lat, 2, north), _degrees(lon, 3, east)


def _degrees(text: str, digits: int, side: str) -> float:
    minutes = float(text[digits:])
    if not 0.0 <= minutes < 60.0:
        raise ValueError
    degrees = int(text[:digits]) + minutes / 60.0
    return -degrees if side in ("S", "W") else degrees
