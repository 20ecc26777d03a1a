"""Numbers in binary: floats, integers of three to eight bytes, varints; each with its neighbours."""

from collections.abc import Iterator
from math import floor, inf, nextafter, radians
from struct import error, pack, unpack

from gateway.canary.needles import NEAR, NEXT, Fixed

_ORDERS = ((">", "BE", "big"), ("<", "LE", "little"))
_POWERS = (4, 5, 6, 7, 8, 9)
_SEMICIRCLES = (1 << 31) / 180
_TAIL = 6
"""Decimals behind which a float64 has a tail of its own; one that ends there is a neighbour's too."""


def of_degrees(degrees: float, canary: str, axis: int) -> Iterator[Fixed]:
    """Every binary form of one half of a position."""
    for value in (degrees, nextafter(degrees, inf), nextafter(degrees, -inf)):
        yield from _float64(value, canary, axis, alone=degrees != round(degrees, _TAIL))
    single = unpack(">f", pack(">f", degrees))[0]
    for value in {single, *(round(degrees, n) for n in range(3, 9))} - {degrees}:
        yield from _float64(value, canary, axis, alone=False)
    yield from _float32(degrees, "", canary, axis)
    for power in _POWERS:
        yield from scaled(degrees * 10**power, "", f"1e{power}", canary, axis)
    yield from scaled(degrees * _SEMICIRCLES, "", "semicircles", canary, axis)
    yield from of_derived(radians(degrees), "radians, ", canary, axis)


def of_derived(value: float, coat: str, canary: str, axis: int) -> Iterator[Fixed]:
    """What a formula made of a position: formulas differ in the last bits, so float64 is held to 28 bits of fraction."""
    for _, order, how in _ORDERS:
        top = unpack(">Q", pack(">d", value))[0] >> 24
        for near in (top - 1, top, top + 1):
            data = near.to_bytes(5, how)
            key = 1 if order == "BE" else 0
            yield Fixed(data, key, f"{coat}float64 {order}", canary, axis, alone=False)
    yield from _float32(value, coat, canary, axis)


def of_offset(degrees: float, canary: str, axis: int) -> Iterator[Fixed]:
    """A difference of degrees: floats, and 1e-7 in four bytes, all beside the partner."""
    coat = "offset from home, "
    for value in (degrees, nextafter(degrees, inf), nextafter(degrees, -inf)):
        for letter, order, _ in _ORDERS:
            data, key = pack(f"{letter}d", value), 4 if order == "BE" else 0
            yield Fixed(data, key, f"{coat}float64 {order}", canary, axis, alone=False)
    yield from _float32(degrees, coat, canary, axis)
    for number in {floor(degrees * 1e7), round(degrees * 1e7)}:
        for _, order, how in _ORDERS:
            yield _integer(number, 4, how, f"{coat}integer 1e7 {order}", canary, axis, NEXT)


def _float64(value: float, canary: str, axis: int, *, alone: bool) -> Iterator[Fixed]:
    yield Fixed(pack(">d", value), 4, "float64 BE", canary, axis, alone)
    yield Fixed(pack("<d", value), 0, "float64 LE", canary, axis, alone)


def _float32(value: float, coat: str, canary: str, axis: int) -> Iterator[Fixed]:
    """The nearest float32, the ones beside it, and those of five and six decimals."""
    try:
        at = unpack(">i", pack(">f", value))[0]
        rounded = {unpack(">i", pack(">f", round(value, n)))[0] for n in (5, 6)}
    except error:  # larger than any float32
        return
    for bits in {at - 1, at, at + 1} | rounded:
        for _, order, how in _ORDERS:
            yield _integer(bits, 4, how, f"{coat}float32 {order}", canary, axis, NEAR)


def scaled(value: float, coat: str, scale: str, canary: str, axis: int) -> Iterator[Fixed]:
    """A scaled number, rounded both ways, in the widths it fits.

    An integer of eight bytes begins or ends with these, one of SQLite's is one of these or ends with one.
    """
    for number in {floor(value), floor(value) + 1}:
        for whole in (number,) if number >= 0 else (number, -1 - number):  # CBOR's negatives
            yield from _widths(whole, f"{coat}integer {scale}", canary, axis)
        for name, coded in (("varint", number), ("zig-zag varint", number << 1 ^ number >> 63)):
            if coded >= 0:
                yield _varint(coded, f"{coat}{name} {scale}", canary, axis)


def _widths(number: int, coat: str, canary: str, axis: int) -> Iterator[Fixed]:
    for _, order, how in _ORDERS:
        name = f"{coat} {order}"
        if -(1 << 31) <= number < 1 << 31:
            yield _integer(number, 4, how, name, canary, axis, NEAR)
        elif -(1 << 39) <= number < 1 << 39:
            yield _integer(number, 5, how, name, canary, axis, NEAR)
        if -(1 << 23) <= number < 1 << 23:
            yield _integer(number, 3, how, name, canary, axis, NEXT)


def _integer(
    number: int, size: int, how: str, coat: str, canary: str, axis: int, near: int
) -> Fixed:
    data = number.to_bytes(size, how, signed=True)  # type: ignore[arg-type]
    return Fixed(data, 0, coat, canary, axis, alone=False, near=near)


def _varint(number: int, coat: str, canary: str, axis: int) -> Fixed:
    """Seven bits a byte, the lowest first (Protocol Buffers, LEB128)."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    near = NEAR if len(data) > 3 else NEXT
    return Fixed(bytes(data), 0, coat, canary, axis, alone=False, near=near)
