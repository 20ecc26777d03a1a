"""A canary in every form that is looked for, written by struct, msgspec and plain formatting: controls."""

import base64
import json
import struct
from collections.abc import Iterator
from math import inf, nextafter, radians
from typing import NamedTuple

import msgspec

from gateway.canary import grids, projections
from gateway.canary.canaries import Canaries

_ORDERS = (("BE", ">", "big"), ("LE", "<", "little"))
POWERS = (4, 5, 6, 7, 8, 9)
"""Of ten that degrees are multiplied by."""

Place = tuple[float, float]


class Control(NamedTuple):
    """A form by its name, the bytes that hold it, and how the coat begins that must find it."""

    name: str
    data: bytes
    coat: str


def forms(canaries: Canaries) -> Iterator[tuple[str, list[Control]]]:
    """Each canary by its name, with its controls."""
    for name, place in canaries.places:
        controls = [*_texts(place), *_floats(place), *_integers(place), *_codes(place)]
        controls += [*_elsewhere(place), *_offsets(place, canaries.homes)]
        yield name, controls
    for name, data in canaries.texts:
        yield name, [*_words(data)]


def _texts(place: Place) -> Iterator[Control]:
    lat, lon = place
    for n in range(3, 16):
        text = f"{lat:.{n}f} {lon:.{n}f}"
        yield Control(f"decimal text, {n} decimals", text.encode(), "decimal text")
    comma = f"{lat:.6f};{lon:.6f}".replace(".", ",")
    yield Control("decimal comma", comma.encode(), "decimal text, comma")
    yield Control("exponent", f"{lat:.9e} {lon:.9E}".encode(), "decimal text, exponent")
    yield Control("WKT", f"POINT({lon!r} {lat!r})".encode(), "decimal text")
    yield Control("GeoJSON", json.dumps({"coordinates": [lon, lat]}).encode(), "decimal text")
    singles = struct.unpack(">ff", struct.pack(">ff", lat, lon))
    text = "{!r} {!r}".format(*singles)
    yield Control("decimal text of a float32", text.encode(), "decimal text")
    nmea = ",N,".join(_nmea(value) for value in place)
    yield Control("NMEA", nmea.encode(), "NMEA")
    seconds = " ".join(_seconds(value) for value in place)
    yield Control("degrees, minutes, seconds", seconds.encode(), "degrees")
    text = "{:.8f} {:.8f}".format(*map(radians, place))
    yield Control("radians, text", text.encode(), "radians, text")
    for power in POWERS:
        numbers = scaled(place, power)
        if numbers:
            text = " ".join(str(abs(number)) for number in numbers)
            yield Control(f"integer text 1e{power}", text.encode(), f"integer text 1e{power}")


def scaled(place: Place, power: int) -> list[int]:
    """Degrees as integers; none where one of them has two bytes or fewer, which nothing can be told from."""
    numbers = [round(value * 10**power) for value in place]
    return numbers if all(abs(number) >= 1 << 15 for number in numbers) else []


def _nmea(value: float) -> str:
    whole, part = divmod(abs(value), 1)
    return f"{whole * 100 + part * 60:010.4f}"


def _seconds(value: float) -> str:
    tenths = int(abs(value) * 36000)
    whole, left = divmod(tenths, 36000)
    minutes, left = divmod(left, 600)
    return f"{whole}°{minutes:02d}'{left / 10:04.1f}\""


def _floats(place: Place) -> Iterator[Control]:
    lat, lon = place
    for order, sign, _ in _ORDERS:
        coat = f"float64 {order}"
        yield Control(coat, struct.pack(f"{sign}dd", lat, lon), coat)
        rounded = struct.pack(f"{sign}dd", round(lat, 5), round(lon, 5))
        yield Control(f"{coat}, rounded", rounded, coat)
        beside = struct.pack(f"{sign}dd", nextafter(lat, inf), nextafter(lon, -inf))
        yield Control(f"{coat}, one ulp off", beside, coat)
        yield Control(f"float32 {order}", struct.pack(f"{sign}ff", lat, lon), f"float32 {order}")
    turned = struct.pack("<dd", *map(radians, place))
    yield Control("radians, float64", turned, "radians, float64 LE")
    turned = struct.pack(">ff", *map(radians, place))
    yield Control("radians, float32", turned, "radians, float32 BE")
    yield Control("WKB", struct.pack("<BIdd", 1, 1, lon, lat), "float64 LE")
    yield Control("EWKB", struct.pack(">BIIdd", 0, 0x20000001, 4326, lon, lat), "float64 BE")
    yield Control("MessagePack", msgspec.msgpack.encode({"lat": lat, "lon": lon}), "float64 BE")
    cbor = b"\x82\xfb%b\xfb%b" % (struct.pack(">d", lat), struct.pack(">d", lon))
    yield Control("CBOR float64", cbor, "float64 BE")
    cbor = b"\x82\xfa%b\xfa%b" % (struct.pack(">f", lat), struct.pack(">f", lon))
    yield Control("CBOR float32", cbor, "float32 BE")
    fixed = b"\x09%b\x11%b" % (struct.pack("<d", lat), struct.pack("<d", lon))
    yield Control("protobuf fixed64", fixed, "float64 LE")


def _integers(place: Place) -> Iterator[Control]:
    for power in POWERS:
        numbers = scaled(place, power)
        if not numbers:
            continue
        for order, _, how in _ORDERS:
            coat = f"integer 1e{power} {order}"
            for size in (4, 8):
                if size == 4 and max(map(abs, numbers)) >= 1 << 31:
                    continue
                data = b"".join(_int(number, size, how) for number in numbers)
                yield Control(f"int{size * 8} {order} 1e{power}", data, coat)
        zigzag = b"\x18".join(_varint(2 * n if n >= 0 else -2 * n - 1) for n in numbers)
        yield Control(f"zig-zag varint 1e{power}", zigzag, f"zig-zag varint 1e{power}")
    for order, _, how in _ORDERS:
        data = b"".join(_int(round(value / 180 * 2**31), 4, how) for value in place)
        yield Control(f"semicircles {order}", data, f"integer semicircles {order}")
    if scaled(place, 4):
        lpp = b"\x01\x88" + b"".join(_int(int(value * 1e4), 3, "big") for value in place)
        yield Control("Cayenne LPP", lpp, "integer 1e4 BE")


def _int(number: int, size: int, how: str) -> bytes:
    return number.to_bytes(size, how, signed=True)  # type: ignore[arg-type]


def _varint(number: int) -> bytes:
    groups = [number >> shift & 0x7F for shift in range(0, max(1, number.bit_length()), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def _codes(place: Place) -> Iterator[Control]:
    plus = grids.plus_code(*place)
    yield Control("geohash", b"u=" + grids.geohash(*place, 9).encode(), "geohash")
    yield Control("Plus Code", f"{plus[:8]}+{plus[8:]}".encode(), "Plus Code")
    if projections.in_japan(*place):
        mesh = grids.mesh(*place)
        yield Control("mesh code", f'"{mesh}"'.encode(), "mesh code")
        yield Control("mesh code, int64", int(mesh).to_bytes(8, "big"), "mesh code, integer BE")
    for power in (5, 6):
        line = grids.polyline(*(round(value * 10**power) for value in place))
        coat = f"encoded polyline 1e{power}"
        yield Control(coat, line.encode(), coat)
    library = grids.h3_library()
    if library is not None:
        yield Control("H3", library.latlng_to_cell(*place, 11).encode(), "H3")


def _elsewhere(place: Place) -> Iterator[Control]:
    for name, moved in projections.in_tokyo(*place).items():
        text = "{:.5f},{:.5f}".format(*moved)
        yield Control(f"Tokyo datum, {name}, text", text.encode(), "Tokyo datum, decimal")
        data = struct.pack(">dd", *moved)
        yield Control(f"Tokyo datum, {name}, float64", data, "Tokyo datum, float64")
        data = struct.pack("<ff", *moved)
        yield Control(f"Tokyo datum, {name}, float32", data, "Tokyo datum, float32")
    for plane, metres in projections.in_metres(*place).items():
        text = "{:.6f} {:.6f}".format(*metres)
        yield Control(f"{plane}, text", text.encode(), plane)
        yield Control(f"{plane}, float64", struct.pack("<dd", *metres), f"{plane}, float64 LE")
        data = b"".join(_int(round(value * 100), 8, "big") for value in metres)
        yield Control(f"{plane}, cm", data, f"{plane}, integer cm")


def _offsets(place: Place, homes: tuple[Place, ...]) -> Iterator[Control]:
    for number, home in enumerate(homes):
        apart = place[0] - home[0], place[1] - home[1]
        if all(1e-4 <= abs(part) < 0.01 for part in apart):
            name = f"offset from home {number}"
            text = "{:.9f} {:.9f}".format(*apart)
            yield Control(f"{name}, text", text.encode(), "offset from home, text")
            text = "{:.6e} {:.6e}".format(*apart)
            yield Control(f"{name}, exponent", text.encode(), "offset from home, text, exponent")
            yield Control(
                f"{name}, float64", struct.pack("<dd", *apart), "offset from home, float64"
            )
            data = b"".join(_int(round(part * 1e7), 4, "little") for part in apart)
            yield Control(f"{name}, integer", data, "offset from home, integer")


def _words(data: bytes) -> Iterator[Control]:
    yield Control("bytes", data, "bytes")
    yield Control("bytes reversed", data[::-1], "bytes")
    yield Control("hex, lower", data.hex().encode(), "hex")
    yield Control("hex, upper", data.hex().upper().encode(), "hex")
    for phase in range(3):
        coded = base64.b64encode(b"\0" * phase + data + b"\0\0")
        yield Control(f"base64 phase {phase}", coded, f"base64 phase {phase}")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    for order, encoding in (("LE", "utf-16-le"), ("BE", "utf-16-be")):
        yield Control(f"UTF-16 {order}", text.encode(encoding), f"UTF-16 {order}")
