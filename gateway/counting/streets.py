"""Pieces of street: lines cut where others meet them, and the nearest piece of a place.

A piece runs from one place where lines meet, or end, to the next. Its name is its line's with the number of the piece
in it: `way-17.2`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from math import floor
from typing import Any, NamedTuple, TypeAlias

from gateway.model.reading import Reading
from gateway.privacy.partition import scales

Place: TypeAlias = tuple[float, float]
"""Latitude and longitude in degrees."""
_DECIMALS = 7  # about a centimetre: ends that meet are one end
NEAR_M = 25.0
"""Whoever is farther from every street than this is on none."""
_GRID_DEG = 0.001


class Piece(NamedTuple):
    """One piece of street: its name, its places, and whether nothing goes on at one of its ends."""

    name: str
    places: tuple[Place, ...]
    dead_end: bool


class _Stretch(NamedTuple):
    """One straight stretch as a square of the grid sees it: metres from its corner, way, 1 / its length squared."""

    unit: int
    lat: float
    lon: float
    up: float
    along: float
    inverse: float


class _Square(NamedTuple):
    """The stretches in or near a square of the grid, its corner in degrees, metres of a degree there."""

    corner: Place
    scale: Place
    stretches: list[_Stretch]


class Streets:
    """Pieces of street as units; satisfies `gateway.counting.units.Units`."""

    def __init__(self, lines: Iterable[tuple[str, Sequence[Place]]]) -> None:
        """Cut `lines`: each a name and a chain of places in degrees; they meet where they share a place."""
        self.pieces = tuple(_cut(list(lines)))
        self.pin = f"streets {_digest(self.pieces)}"
        self.dead_ends = frozenset(n for n, piece in enumerate(self.pieces, 1) if piece.dead_end)
        self.hidden = frozenset[int]()
        self._grid: dict[tuple[int, int], _Square] = {}
        for unit, piece in enumerate(self.pieces, 1):
            for a, b in pairwise(piece.places):
                for row, column in _squares(a, b):
                    square = self._grid.get((row, column))
                    if square is None:
                        corner = row * _GRID_DEG, column * _GRID_DEG
                        square = self._grid[row, column] = _Square(corner, scales(corner[0]), [])
                    square.stretches.append(_stretch(unit, a, b, square))

    def __repr__(self) -> str:
        return f"<streets: {len(self.pieces)} pieces>"

    def of(self, reading: Reading) -> int | None:
        """The piece nearest to a fix; None where none is near."""
        return self.nearest(reading.values.lat, reading.values.lon)

    def nearest(self, lat: float, lon: float) -> int | None:
        """The piece nearest to a place in degrees, the first of several; None where none is near."""
        square = self._grid.get((floor(lat / _GRID_DEG), floor(lon / _GRID_DEG)))
        if square is None:
            return None
        (corner_lat, corner_lon), (per_lat, per_lon), stretches = square
        north, east = (lat - corner_lat) * per_lat, (lon - corner_lon) * per_lon
        nearest, found = NEAR_M * NEAR_M, None
        for unit, from_lat, from_lon, up, along, inverse in stretches:
            y, x = north - from_lat, east - from_lon
            at = (y * up + x * along) * inverse
            if at > 0.0:
                at = min(at, 1.0)
                y -= at * up
                x -= at * along
            squared = y * y + x * x
            if squared < nearest:
                nearest, found = squared, unit
        return found

    def name(self, unit: int) -> str:
        """The name of a piece."""
        return self.pieces[unit - 1].name

    def shape(self, unit: int) -> Mapping[str, Any]:
        """A piece as a line."""
        places = self.pieces[unit - 1].places
        return {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in places]}


def _cut(lines: list[tuple[str, Sequence[Place]]]) -> Iterator[Piece]:
    """Every line as pieces between places where it meets another, or itself."""
    chains = [(name, _clean(line)) for name, line in lines]
    ways: Counter[Place] = Counter()  # how many ways lead off from a place
    for _, chain in chains:
        for a, b in pairwise(chain):
            ways[a] += 1
            ways[b] += 1
    for name, chain in chains:
        ends = [
            at for at, place in enumerate(chain) if at in (0, len(chain) - 1) or ways[place] > 2
        ]
        for number, (begin, end) in enumerate(pairwise(ends), 1):
            places = tuple(chain[begin : end + 1])
            yield Piece(f"{name}.{number}", places, 1 in (ways[places[0]], ways[places[-1]]))


def _clean(line: Sequence[Place]) -> list[Place]:
    rounded = [(round(lat, _DECIMALS), round(lon, _DECIMALS)) for lat, lon in line]
    return [place for at, place in enumerate(rounded) if not at or place != rounded[at - 1]]


def _digest(pieces: Iterable[Piece]) -> str:
    return sha256(repr([(piece.name, piece.places) for piece in pieces]).encode()).hexdigest()


def _squares(a: Place, b: Place) -> Iterator[tuple[int, int]]:
    """The squares of the grid that a stretch passes, or passes near."""
    per_lat, per_lon = scales(a[0])
    reach = NEAR_M * 1.02 / per_lat, NEAR_M * 1.02 / per_lon
    rows, columns = (
        range(
            floor((min(a[axis], b[axis]) - reach[axis]) / _GRID_DEG),
            floor((max(a[axis], b[axis]) + reach[axis]) / _GRID_DEG) + 1,
        )
        for axis in (0, 1)
    )
    for row in rows:
        for column in columns:
            yield row, column


def _stretch(unit: int, a: Place, b: Place, square: _Square) -> _Stretch:
    (corner_lat, corner_lon), (per_lat, per_lon), _ = square
    up, along = (b[0] - a[0]) * per_lat, (b[1] - a[1]) * per_lon
    return _Stretch(
        *(unit, (a[0] - corner_lat) * per_lat, (a[1] - corner_lon) * per_lon, up, along),
        1.0 / (up * up + along * along),
    )
