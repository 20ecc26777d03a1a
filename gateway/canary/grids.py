"""Places as codes: geohash, Plus Code, JIS mesh, H3 where its library is there, encoded polylines."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from math import floor
from typing import Any, Literal

from gateway.canary.needles import Fixed, Found
from gateway.canary.projections import in_japan

_GEOHASH = "0123456789bcdefghjkmnpqrstuvwxyz"
_ORDERS: tuple[Literal["big", "little"], ...] = ("big", "little")
_PLUS = "23456789CFGHJMPQRVWX"


def of_place(lat: float, lon: float, canary: str) -> Iterator["Fixed | Code"]:
    """Every code of a place, each of which counts alone."""
    hashed = geohash(lat, lon, 7)
    for text in (hashed, hashed.upper()):
        yield Code(text.encode(), b"", "geohash", canary)
    plus = plus_code(lat, lon)
    for text in (plus, plus.lower()):
        yield Code(text[:8].encode(), b"+", "Plus Code", canary)
        yield Code(text.encode(), b"", "Plus Code", canary)
    if in_japan(lat, lon):
        code = mesh(lat, lon)
        yield Code(code.encode(), b"", "mesh code", canary)
        for number in (code, *(f"{code}{part}" for part in "1234")):  # of 125 m, too
            big, little = (int(number).to_bytes(6, how) for how in _ORDERS)
            yield Fixed(big, 2, "mesh code, integer BE", canary)
            yield Fixed(little, 0, "mesh code, integer LE", canary)
    for power in (5, 6):
        for north in _both(lat, power):
            for east in _both(lon, power):
                text = polyline(north, east)
                yield Fixed(text.encode(), len(text) - 4, f"encoded polyline 1e{power}", canary)
    for cell in _h3(lat, lon):
        yield Code(cell.encode(), b"", "H3", canary)
        yield Code(cell.upper().encode(), b"", "H3", canary)
        yield Fixed(int(cell, 16).to_bytes(8, "big"), 2, "H3, integer BE", canary)
        yield Fixed(int(cell, 16).to_bytes(8, "little"), 2, "H3, integer LE", canary)


@dataclass(frozen=True, slots=True)
class Code:
    """Letters of a code, with nothing of the kind before them.

    Attributes:
        text: the code, or the part of it that names a cell small enough.
        behind: what follows at once.
    """

    text: bytes
    behind: bytes
    coat: str
    canary: str

    @property
    def stem(self) -> bytes:
        """See `Needle`."""
        return self.text + self.behind

    @property
    def key(self) -> int:
        """The last four letters: the first ones are the town's."""
        return len(self.text) - 4

    def at(self, data: bytes, start: int) -> Found | None:
        """See `Needle`."""
        if not data.startswith(self.stem, start) or data[start - 1 : start].isalnum():
            return None
        return Found(start, start + len(self.stem), self.coat, self.canary)


def geohash(lat: float, lon: float, length: int) -> str:
    """Base-32 letters, five bits each, longitude first."""
    bits = (length * 5 + 1) // 2
    east = _cell(lon + 180, 360, bits)
    north = _cell(lat + 90, 180, length * 5 // 2)
    letters = []
    for n in range(length):
        value = 0
        for bit in range(5 * n, 5 * n + 5):
            of, size = (north, length * 5 // 2) if bit % 2 else (east, bits)
            value = value << 1 | of >> (size - 1 - bit // 2) & 1
        letters.append(_GEOHASH[value])
    return "".join(letters)


def _cell(part: float, whole: float, bits: int) -> int:
    return min(floor(part / whole * (1 << bits)), (1 << bits) - 1)


def plus_code(lat: float, lon: float) -> str:
    """Ten digits of an Open Location Code, without the plus: 14 m."""
    north = floor(Decimal(lat + 90) * 8000)
    east = floor(Decimal(lon + 180) * 8000)
    digits = []
    for _ in range(5):
        digits += [_PLUS[east % 20], _PLUS[north % 20]]
        north, east = north // 20, east // 20
    return "".join(reversed(digits))


def mesh(lat: float, lon: float) -> str:
    """Ten digits of JIS X 0410: a quarter of a standard mesh, 250 m."""
    north, east = Decimal(lat) * 120, (Decimal(lon) - 100) * 80
    row, column = floor(north), floor(east)
    first = f"{row // 80:02d}{column // 80:02d}"
    second = f"{row % 80 // 10}{column % 80 // 10}"
    code = f"{first}{second}{row % 10}{column % 10}"
    north, east = north - row, east - column
    for _ in range(2):
        north, east = north * 2, east * 2
        code += str(1 + floor(east) + 2 * floor(north))
        north, east = north % 1, east % 1
    return code


def _both(degrees: float, power: int) -> tuple[int, int]:
    below = floor(degrees * 10**power)
    return below, below + 1


def polyline(*numbers: int) -> str:
    """Scaled degrees of a first point in the algorithm of Google Maps: zig-zag, five bits a letter."""
    letters = ""
    for number in numbers:
        left = number << 1 ^ number >> 63
        while left >= 0x20:
            letters += chr((left & 0x1F | 0x20) + 63)
            left >>= 5
        letters += chr(left + 63)
    return letters


def h3_library() -> Any:
    """The module `h3`, version 4, or None where it is not installed."""
    try:
        return import_module("h3")
    except ImportError:
        return None


def _h3(lat: float, lon: float) -> Iterator[str]:
    library = h3_library()
    if library is not None:
        for resolution in range(9, 16):
            yield str(library.latlng_to_cell(lat, lon, resolution))
