"""Window mode: any pair of degrees inside a protected circle, whoever was there."""

import re
from collections.abc import Iterator
from math import cos, floor, radians
from struct import calcsize, unpack_from
from typing import NamedTuple

import numpy as np

from gateway.canary.needles import NEAR, NEXT, Found
from gateway.privacy.distance import Plane

_DEGREE_M = 110_000.0  # below any degree of latitude there is
_NUMBER = rb"(?<![0-9.])(?:%b)[.,][0-9]{3,18}(?![0-9])"


class Circle(NamedTuple):
    """What is protected: degrees and metres, and its name in a report."""

    canary: str
    lat: float
    lon: float
    radius_m: float


class _Form(NamedTuple):
    """How a number lies in bytes."""

    coat: str
    letter: str
    scale: float
    near: int


_FORMS = (
    *(_Form(f"float64 {o}", f"{e}f8", 1, NEAR) for o, e in (("BE", ">"), ("LE", "<"))),
    *(_Form(f"float32 {o}", f"{e}f4", 1, NEAR) for o, e in (("BE", ">"), ("LE", "<"))),
    *(
        _Form(f"integer 1e{power} {o}", f"{e}i4", 10.0**power, NEXT)
        for power in (4, 5, 6, 7)
        for o, e in (("BE", ">"), ("LE", "<"))
    ),
)
_LETTERS = {"f8": "d", "f4": "f", "i4": "i"}


class Window:
    """All circles of a search."""

    def __init__(self, circles: tuple[Circle, ...]) -> None:
        self._circles = [_Protected(circle) for circle in circles]
        wholes = {whole for one in self._circles for whole in one.norths | one.easts}
        known = b"|".join(b"%d" % whole for whole in sorted(wholes, reverse=True))
        self._number = re.compile(_NUMBER % known) if circles else None
        norths = [one.box[0] for one in self._circles]
        self._low = min((low for low, _ in norths), default=0.0) - 1e-9
        self._high = max((high for _, high in norths), default=0.0) + 1e-9

    def find(self, data: bytes) -> Iterator[Found]:
        """A hit for every pair inside, from the first to the end of the second number."""
        for form in _FORMS if self._circles else ():
            yield from self._binary(data, form)
        yield from self._texts(data)

    def _texts(self, data: bytes) -> Iterator[Found]:
        """Numbers one after the other; one that has a partner in its own line has none in the next."""
        start, end, last, taken = 0, -NEAR - 1, 0.0, False
        for match in self._number.finditer(data) if self._number else ():
            value = float(match.group().replace(b",", b"."))
            if match.start() - end > NEAR or (taken and b"\n" in data[end : match.start()]):
                taken = False
            else:
                taken = self._halves(last, value) or self._halves(value, last)
                for circle in self._circles:
                    if circle.holds(last, value) or circle.holds(value, last):
                        yield _found(start, match.end(), "decimal text", circle.name)
            start, end, last = match.start(), match.end(), value

    def _halves(self, north: float, east: float) -> bool:
        """Whether two numbers have the whole degrees of a latitude and a longitude here."""
        return any(floor(north) in one.norths and floor(east) in one.easts for one in self._circles)

    def _binary(self, data: bytes, form: _Form) -> Iterator[Found]:
        """Numbers that are a latitude of any circle, and what stands beside each."""
        code = form.letter[0] + _LETTERS[form.letter[1:]]
        size = calcsize(code)
        low, high = self._low * form.scale, self._high * form.scale
        for phase in range(min(size, max(0, len(data) - size + 1))):
            values = np.frombuffer(data, form.letter, (len(data) - phase) // size, phase)
            with np.errstate(invalid="ignore"):
                near = np.flatnonzero((values >= low) & (values <= high))
            for n in near.tolist():
                yield from self._beside(data, form, code, n * size + phase)

    def _beside(self, data: bytes, form: _Form, code: str, at: int) -> Iterator[Found]:
        """Pairs of the latitude at `at` and a longitude near it, before or behind."""
        size = calcsize(code)
        lat = unpack_from(code, data, at)[0] / form.scale
        first, last = max(0, at - form.near - size), min(len(data) - size, at + form.near + size)
        for start in (*range(first, at - size + 1), *range(at + size, last + 1)):
            lon = unpack_from(code, data, start)[0] / form.scale
            for circle in self._circles:
                if abs(lon) <= 180 and circle.inside(lat, lon):
                    yield _found(min(at, start), max(at, start) + size, form.coat, circle.name)


class _Protected:
    """A circle and the box around it."""

    def __init__(self, circle: Circle) -> None:
        self.name = circle.canary
        self._plane = Plane(circle.lat, circle.lon)
        self._squared = circle.radius_m**2
        high = circle.radius_m / _DEGREE_M
        wide = high / cos(radians(circle.lat))
        self.box = (
            (circle.lat - high, circle.lat + high),
            (circle.lon - wide, circle.lon + wide),
        )
        self._signs = (circle.lat < 0, circle.lon < 0)
        self.norths, self.easts = ({floor(abs(edge)) for edge in side} for side in self.box)

    def inside(self, lat: float, lon: float) -> bool:
        """Whether a place lies in the circle; False for NaN."""
        return self._plane.squared(lat, lon) <= self._squared

    def holds(self, lat: float, lon: float) -> bool:
        """The same for numbers whose hemispheres may be told by letters."""
        south, west = self._signs
        lat, lon = (-lat if south else lat), (-lon if west else lon)
        return abs(lat) < 85 and abs(lon) <= 180 and self.inside(lat, lon)


def _found(start: int, end: int, coat: str, canary: str) -> Found:
    return Found(start, end, f"{coat}, in the circle", canary)
