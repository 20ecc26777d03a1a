"""Controls that can fail: whatever part of the search is taken out, they name the forms that it had found."""

from typing import Any

import pytest

from gateway.canary import binary, grids, layers, numerals, packed, search, sexagesimal, texts
from gateway.canary import stream as streams
from gateway.canary.canaries import Canaries
from gateway.canary.search import Search
from gateway.canary.window import Circle, Window
from sekisho.canary_controls import check
from sekisho.canary_tree import unzstd

HOME = 36.695304170318846, 137.21130482957152
CANARIES = Canaries(
    ((HOME[0] + 0.000412345678, HOME[1] - 0.000523456789),),
    ("30751FEB705C5904E3D50D70",),
    ("qzkxw-0042",),
    (HOME,),
)
CIRCLES = (Circle("home 0", *HOME, 50),)


def blind() -> set[str]:
    """The forms that no hit tells of."""
    return {one.form for one in check(CANARIES, Search(CANARIES, CIRCLES, unzstd), CIRCLES).blind}


def nothing(*_args: Any, **_more: Any) -> tuple[()]:
    return ()


def test_a_whole_search_is_blind_to_nothing() -> None:
    assert blind() == set()


def test_a_half_that_floats_round_up_is_found_too() -> None:
    """137.2246735 × 10⁶ is a half as floats multiply and less than one as it is: both whole numbers are looked for."""
    canaries = Canaries(((36.7382426, 137.2246735),))

    assert check(canaries, Search(canaries, unzstd=unzstd)).blind == []


@pytest.mark.parametrize(
    ("room", "part", "forms"),
    [
        (grids, "of_place", {"geohash", "Plus Code", "mesh code", "encoded polyline 1e5"}),
        (binary, "of_degrees", {"float64 BE", "float32 LE", "WKB", "CBOR float32", "Cayenne LPP"}),
        (binary, "of_derived", {"UTM 53N, float64", "Tokyo datum, linear, float32"}),
        (
            binary,
            "scaled",
            {"int64 LE 1e7", "zig-zag varint 1e5", "web map, cm", "semicircles BE", "int64 BE 1e9"},
        ),
        (binary, "of_offset", {"offset from home 0, float64", "offset from home 0, integer"}),
        (
            numerals,
            "of_degrees",
            {"decimal text, 3 decimals", "radians, text", "NMEA", "exponent", "GeoJSON"},
        ),
        (numerals, "of_metres", {"plane zone VII, text"}),
        (numerals, "of_offset", {"offset from home 0, exponent"}),
        (texts, "of_text", {"bytes", "hex, upper", "base64 phase 2", "UTF-16 BE"}),
        (sexagesimal.Sexagesimal, "find", {"degrees, minutes, seconds"}),
        (Window, "find", {"float64 BE, in the circle", "integer 1e7 LE, in the circle"}),
        (layers.Runs, "feed", {"base64, wrapped", "hex, one digit late", "base32"}),
        (layers.Escapes, "feed", {"percent", "escapes", "hex dump", "fullwidth digits"}),
        (layers.Escapes, "feed", {"quoted-printable", "quoted-printable, wrapped", "entities"}),
        (packed.Zlib, "feed", {"zlib", "zlib in other data"}),
        (packed.Packed, "feed", {"gzip", "zlib", "zip", "bzip2", "xz", "tar, gzip"}),
        (search, "pairs", {"float32 BE", "decimal text, 6 decimals", "geohash", "bytes"}),
        (streams.Stream, "_open", {"gzip in other data", "gzip in base64 in zip"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_part_that_is_missing_is_named(
    room: Any, part: str, forms: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the controls are not all found, and those that are its own are among them."""
    monkeypatch.setattr(room, part, nothing)
    assert forms <= blind()
