"""Every needle of a set of canaries, made once, for any number of files."""

from collections.abc import Iterator
from math import cos, hypot, radians

from gateway.canary import binary, grids, numerals, projections, texts
from gateway.canary.canaries import Canaries
from gateway.canary.needles import NEAR, Found, Needle, Pile, pairs
from gateway.canary.packed import Unzstd
from gateway.canary.sexagesimal import Sexagesimal
from gateway.canary.window import Circle, Window

_OFFSET_M = 2000.0  # so far from a home an offset from it is looked for
_DEGREE_M = 111_000.0
_LEAST_OFFSET = 2e-5
"""Degrees: shorter offsets are too few digits to tell them from anything."""


class Search:
    """What is looked for in every piece of every layer.

    Attributes:
        kept: bytes at the end of a piece that must be looked at again with the next one.
        unzstd: opens a zstd layer; without one, none is opened.
    """

    def __init__(
        self,
        canaries: Canaries,
        circles: tuple[Circle, ...] = (),
        unzstd: Unzstd = lambda _: (b"", False),
    ) -> None:
        self.unzstd = unzstd
        self._seconds = Sexagesimal()
        for name, place in canaries.places:
            for axis, degrees in enumerate(place):
                self._seconds.add(degrees, name, axis)
        self._pile = Pile(_needles(canaries))
        self._window = Window(circles)
        longest = max((len(stem) for stem in self.stems()), default=0)
        self.kept = max(256, longest + 2 * NEAR)

    def stems(self) -> list[bytes]:
        """The bytes of every needle."""
        return self._pile.stems

    def look(self, data: bytes) -> Iterator[Found]:
        """What counts in one piece, with its place from start to end."""
        halves = [*self._pile.find(data), *self._seconds.find(data)]
        yield from pairs(halves)
        yield from self._window.find(data)


def _needles(canaries: Canaries) -> Iterator[Needle]:
    for name, data in canaries.texts:
        yield from texts.of_text(data, name)
    for name, place in canaries.places:
        yield from grids.of_place(*place, name)
        yield from _of_degrees(place, name)
        for plane, metres in projections.in_metres(*place).items():
            for axis, part in enumerate(metres):
                yield from _of_metres(part, plane, name, axis)
        for home in canaries.homes:
            if _apart_m(home, place) < _OFFSET_M:
                for axis in (0, 1):
                    yield from _of_offset(place[axis] - home[axis], name, axis)


def _of_degrees(place: tuple[float, float], name: str) -> Iterator[Needle]:
    for axis, degrees in enumerate(place):
        yield from binary.of_degrees(degrees, name, axis)
        yield from numerals.of_degrees(degrees, name, axis)
    for moved in projections.in_tokyo(*place).values():
        for axis, degrees in enumerate(moved):
            yield from binary.of_derived(degrees, "Tokyo datum, ", name, axis)
            yield from numerals.of_degrees(degrees, name, axis, "Tokyo datum, ")


def _of_metres(metres: float, plane: str, name: str, axis: int) -> Iterator[Needle]:
    yield from binary.of_derived(metres, f"{plane}, ", name, axis)
    yield from numerals.of_metres(metres, plane, name, axis)
    for power, unit in ((2, "cm"), (3, "mm")):
        yield from binary.scaled(metres * 10**power, f"{plane}, ", unit, name, axis)


def _of_offset(degrees: float, name: str, axis: int) -> Iterator[Needle]:
    if abs(degrees) >= _LEAST_OFFSET:
        yield from binary.of_offset(degrees, name, axis)
        yield from numerals.of_offset(degrees, name, axis)


def _apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    north, east = one[0] - other[0], one[1] - other[1]
    return hypot(north, east * cos(radians(one[0]))) * _DEGREE_M
