"""The oracle's own mesh and zones: cells of JIS X 0410 by exact fractions, distances by chords through the earth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from math import cos, dist, floor, radians, sin, sqrt
from typing import NamedTuple

_AXIS_M = 6_378_137.0  # WGS 84, semi-major axis
_ECCENTRICITY_2 = 0.006_694_379_990_14  # WGS 84, first eccentricity squared
_PARTS = {
    "1km": (8, 10),
    "500m": (8, 10, 2),
    "250m": (8, 10, 2, 2),
    "125m": (8, 10, 2, 2, 2),
}


class Box(NamedTuple):
    """A cell in degrees."""

    south: float
    west: float
    north: float
    east: float


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two places on the WGS 84 ellipsoid: the chord between their earth-centred points.

    Over a few kilometres the chord is shorter than the way over the ground by micrometres.
    """
    return dist(_earth_centred(lat1, lon1), _earth_centred(lat2, lon2))


def _earth_centred(lat: float, lon: float) -> tuple[float, float, float]:
    phi, lam = radians(lat), radians(lon)
    across = _AXIS_M / sqrt(1 - _ECCENTRICITY_2 * sin(phi) ** 2)
    return (
        across * cos(phi) * cos(lam),
        across * cos(phi) * sin(lam),
        across * (1 - _ECCENTRICITY_2) * sin(phi),
    )


@cache
def _lines(level: str) -> tuple[Fraction, int]:
    """Cells in a degree of latitude, and in one of longitude."""
    per = 1
    for parts in _PARTS[level]:
        per *= parts
    return Fraction(3, 2) * per, per


def code_of(level: str, lat: float, lon: float) -> str:
    """The code of the cell in which a place within the mesh lies."""
    up, along = _lines(level)
    row, column = floor(Fraction(lat) * up), floor((Fraction(lon) - 100) * along)
    tail = ""
    for parts in reversed(_PARTS[level]):
        row, north = divmod(row, parts)
        column, east = divmod(column, parts)
        tail = (str(1 + 2 * north + east) if parts == 2 else f"{north}{east}") + tail
    return f"{row:02}{column:02}{tail}"


@cache
def box_of(level: str, code: str) -> Box:
    """Where the cell of a code lies."""
    row, column = Fraction(int(code[:2])), Fraction(int(code[2:4]))
    digits = iter(code[4:])
    for parts in _PARTS[level]:
        if parts == 2:
            north, east = divmod(int(next(digits)) - 1, 2)
        else:
            north, east = int(next(digits)), int(next(digits))
        row, column = row * parts + north, column * parts + east
    up, along = _lines(level)
    south, west = row / up, 100 + column / along
    return Box(float(south), float(west), float(south + 1 / up), float(west + Fraction(1, along)))


def in_mesh(lat: float, lon: float) -> bool:
    """Whether a place has a code at all."""
    return 0.0 <= lat < 200 / 3 and 100.0 <= lon < 180.0


def apart_m(one: Box, other: Box) -> float:
    """Metres between the nearest points of two boxes; 0 where they meet. A place is a box, too."""
    lat, over_lat = _nearest(one.south, one.north, other.south, other.north)
    lon, over_lon = _nearest(one.west, one.east, other.west, other.east)
    return distance_m(lat, lon, over_lat, over_lon)


def _nearest(low: float, high: float, other_low: float, other_high: float) -> tuple[float, float]:
    if high < other_low:
        return high, other_low
    if other_high < low:
        return low, other_high
    both = max(low, other_low)
    return both, both


@dataclass(frozen=True)
class Zones:
    """A public partition as plain data.

    Attributes:
        level: of its cells: `250m`.
        cells: zone to the codes of its cells.
        dwellings: zone to the least of its class.
    """

    level: str
    cells: Mapping[str, Iterable[str]]
    dwellings: Mapping[str, int]

    def zone_of(self, lat: float, lon: float) -> str | None:
        """The zone in which a place lies."""
        return self._by_cell.get(code_of(self.level, lat, lon)) if in_mesh(lat, lon) else None

    @cached_property
    def _by_cell(self) -> Mapping[str, str]:
        return {code: zone for zone, cells in self.cells.items() for code in cells}

    def gap_m(self, box: Box, zone: str) -> float:
        """Metres between a box and the nearest cell of a zone; 0 outside the mesh: doubt hides."""
        if not in_mesh(box.south, box.west):
            return 0.0
        return min(apart_m(box, box_of(self.level, code)) for code in self.cells[zone])

    def density(self, zone: str) -> float:
        """Dwellings a square kilometre that a zone has at least."""
        area = 0.0
        for code in self.cells[zone]:
            south, west, north, east = box_of(self.level, code)
            area += distance_m(south, west, north, west) * distance_m(south, west, south, east)
        return self.dwellings[zone] / area * 1e6
