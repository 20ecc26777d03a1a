"""The scanner's self-test: each coat is found, noise is not, and what cannot be opened is said."""

import base64
import gzip
import io
import json
import quopri
import sqlite3
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from math import radians
from pathlib import Path
from random import Random
from struct import pack

import pytest

from gateway.canary.canaries import Canaries, Hit
from gateway.canary.search import Search
from gateway.canary.stream import scan_bytes as search_bytes
from sekisho.canary_fixture import look
from sekisho.canary_tree import unzstd

LAT, LON = 36.695304170318846, 137.21130482957152
TAG = "30751FEB705C5904E3D50D70"
SECRETS = Canaries(positions=((LAT, LON),), tags=(TAG,), words=("child-0042",))
SOUTH_WEST = (-33.85683029471163, -70.61530482957152)


def scan_bytes(data: bytes, canaries: Canaries) -> list[Hit]:
    """What is found in a piece, without controls: most canaries here are too odd for them."""
    return search_bytes(data, Search(canaries, unzstd=unzstd))


def nmea(degrees: float, digits: int) -> str:
    whole = int(degrees)
    return f"{whole * 100 + (degrees - whole) * 60:.{digits}f}"


def random_bytes(size: int) -> bytes:
    return Random(7).randbytes(size)


COATS: dict[str, bytes] = {
    **{f"{n} decimals": f"at {LAT:.{n}f} {LON:.{n}f}!".encode() for n in range(3, 16)},
    **{f"{n} decimals cut": f'"{int(LAT * 10**n) / 10**n}","{int(LON * 10**n) / 10**n}"'.encode() for n in range(3, 12)},
    "as Python prints it": f"lat={LAT!r}".encode(),
    "seven decimals of one alone": f"{LON:.7f}".encode(),
    "GeoJSON": json.dumps({"coordinates": [LON, LAT]}).encode(),
    "without a space": f"{LAT:.5f},{LON:.5f}".encode(),
    "a list before it": f"1,{LAT:.5f},{LON:.5f},2".encode(),
    "two text columns side by side": f"{LAT:.5f}{LON:.5f}".encode(),
    "a digit right before it": f"1{LAT:.6f} {LON:.6f}".encode(),
    "decimal commas": f"{LAT:.5f};{LON:.5f}".replace(".", ",").encode(),
    "percent escapes": f"lat%3D{LAT:.6f}%26lon%3D{LON:.6f}".replace(".", "%2E").encode(),
    "exponents": f"{LAT:.8e} {LON:.8E}".encode(),
    "trailing zeros": f"{LAT:.5f}000 {LON:.5f}00".encode(),
    "NMEA": f"$GPGGA,073000,{nmea(LAT, 4)},N,{nmea(LON, 4)},E,1".encode(),
    "NMEA, long": f"{nmea(LAT, 7)},N".encode(),
    "UTF-16": f"{LAT:.6f} {LON:.6f}".encode("utf-16-le"),
    "UTF-16 BE": f"{LAT:.6f} {LON:.6f}".encode("utf-16-be"),
    "float64 alone BE": b"xx" + pack(">d", LAT),
    "float64 alone LE": pack("<d", LON) + b"x",
    "rounded float64": pack(">dd", round(LAT, 5), round(LON, 5)),
    "rounded float64 LE": pack("<dd", round(LON, 6), round(LAT, 6)),
    "float32 BE": pack(">ff", LAT, LON),
    "float32 LE": pack("<f", LAT) + b"\0" * 20 + pack("<f", LON),
    **{
        f"int{bits} {order} 1e{power}": b"\x07".join(
            round(v * 10**power).to_bytes(bits // 8, order, signed=True) for v in (LAT, LON)
        )
        for bits in (32, 64)
        for order in ("big", "little")
        for power in (4, 5, 6, 7)
    },
    **{
        f"int64 {order} 1e{power}": b"".join(
            round(v * 10**power).to_bytes(8, order, signed=True) for v in (LAT, LON)
        )
        for order in ("big", "little")
        for power in (8, 9)
    },
    "digits of 1e9": f"{round(LAT * 1e9)},{round(LON * 1e9)}".encode(),
    "semicircles": pack("<ii", round(LAT / 180 * 2**31), round(LON / 180 * 2**31)),
    "radians": pack(">dd", radians(LAT), radians(LON)),
    "radians, float32": pack("<ff", radians(LAT), radians(LON)),
    "radians, text": f"{radians(LAT):.6f} {radians(LON):.6f}".encode(),
    "base32": base64.b32encode(pack(">ii", int(LAT * 1e7), int(LON * 1e7)) + b"other bytes"),
    "base32, wrapped": b"\n".join(base64.b32encode(f"{LAT:.7f} {LON:.7f}".encode())[n : n + 16] for n in range(0, 48, 16)),
    "quoted-printable": quopri.encodestring(b"at: " * 17 + f"{LAT:.7f} {LON:.7f}".encode()),
    "quoted-printable, every letter": "".join(f"={letter:02X}" for letter in f"{LAT:.7f}".encode()).encode(),
    "entities": "".join(f"&#{ord(letter)};" for letter in f"{LAT:.7f}").encode(),
    "entities in hex": f"{int(LAT)}&#x2E;{f'{LAT:.7f}'[3:]}".encode(),
    "24 bits": b"".join(round(v * 1e4).to_bytes(3, "big", signed=True) for v in (LAT, LON)),
    **{f"base64, phase {n}": base64.b64encode(b"x" * n + pack(">ii", int(LAT * 1e7), int(LON * 1e7)) + b"y" * 9) for n in range(3)},
    "base64 of text behind a word": b"token" + base64.urlsafe_b64encode(f"{LAT:.7f}".encode()),
    "hex": pack(">ii", int(LAT * 1e7), int(LON * 1e7)).hex().encode(),
    "hex of text, one digit late": b"a" + f"{LAT:.7f} {LON:.7f}".encode().hex().upper().encode(),
    "tag text": f"epc={TAG}".encode(),
    "tag text, lower": TAG.lower().encode(),
    "tag bytes": b"\x34\x00" + bytes.fromhex(TAG),
    "tag bytes reversed": bytes.fromhex(TAG)[::-1],
    "tag base64url": base64.urlsafe_b64encode(b"z" + bytes.fromhex(TAG)),
    "word": b"INSERT child-0042;",
}  # fmt: skip


@pytest.mark.parametrize("coat", COATS)
def test_every_coat_is_seen_through(coat: str) -> None:
    noise = random_bytes(300)
    assert scan_bytes(noise + b" " + COATS[coat] + b" " + noise, SECRETS)


def test_the_other_quadrant_is_found_too() -> None:
    secrets = Canaries(positions=(SOUTH_WEST,))
    for text in (
        f"{SOUTH_WEST[0]:.4f} {SOUTH_WEST[1]:.4f}".encode(),
        pack("<ii", *(round(v * 1e7) for v in SOUTH_WEST)),
        pack(">qq", *(round(v * 1e6) for v in SOUTH_WEST)),
        pack(">d", SOUTH_WEST[0]),
    ):
        assert scan_bytes(b"..." + text + b"...", secrets)


def zipped(inner: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", inner)
    return whole.getvalue()


def zstandard(inner: bytes) -> bytes:
    return subprocess.run(["zstd", "-qc"], input=inner, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    "wrap",
    [
        gzip.compress,
        zlib.compress,
        lambda inner: b"x\x9c and more" + zlib.compress(inner, 9) + b" tail",
        lambda inner: zlib.compress(b"", 0) + zlib.compress(bytes(300) + inner, 0),
        lambda inner: base64.b64encode(zlib.compress(inner)),
        lambda inner: b"head " + gzip.compress(inner) + b" tail",
        zipped,
        lambda inner: zipped(gzip.compress(inner)),
        lambda inner: base64.b64encode(gzip.compress(inner)),
        pytest.param(zstandard, marks=pytest.mark.needs("zstd")),
    ],
    ids=[
        "gzip",
        "zlib",
        "zlib within",
        "zlib, stored",
        "zlib in base64",
        "gzip within",
        "zip",
        "gzip in zip",
        "gzip in base64",
        "zstd",
    ],
)
def test_packed_layers_are_opened(wrap: Callable[[bytes], bytes]) -> None:
    assert scan_bytes(wrap(f"{LAT:.7f}".encode()), SECRETS)
    assert not scan_bytes(wrap(b"nothing in here at all"), SECRETS)


@pytest.mark.parametrize("magic", [b"\x1f\x8b\x08", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"])
def test_what_cannot_be_opened_is_a_hit(magic: bytes) -> None:
    hits = scan_bytes(magic + b"broken" * 9, SECRETS)
    assert [hit.coat for hit in hits] == ["cannot be opened"]


@pytest.mark.parametrize("text", [b"x^2 + y^2 = 1", b"x\x9c", zlib.compress(b"nothing" * 99)[:30]])
def test_two_bytes_of_chance_are_no_closed_zlib(text: bytes) -> None:
    """zlib has two bytes of head: a text that begins with x^ is no locked layer, and what is cut off is none for sure."""
    assert scan_bytes(text, SECRETS) == []


def test_what_a_broken_zlib_stream_still_says_is_found() -> None:
    """All that unfolds before the break was looked through."""
    whole = zlib.compress(f"{LAT:.7f} ".encode() + random_bytes(4000))
    assert scan_bytes(whole[:3000], SECRETS)


def test_a_database_is_searched_page_by_page(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "leaky.db") as db:
        db.execute("CREATE TABLE t (a REAL, b REAL)")
        db.execute("INSERT INTO t VALUES (?, ?)", (round(LAT, 5), round(LON, 5)))
        db.execute("CREATE TABLE i (a INTEGER, b INTEGER)")
        db.execute("INSERT INTO i VALUES (?, ?)", (round(LAT * 1e6), round(LON * 1e6)))
    db.close()
    coats = {hit.coat for hit in look(tmp_path, SECRETS)}
    assert {"float64 BE", "integer 1e6 BE"} <= coats


def test_names_are_searched_and_no_value_is_told(tmp_path: Path) -> None:
    """A name that holds a canary is told by its number, in the hit for it and in those inside it."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / f"{TAG}.log").write_bytes(b"child-0042")
    (tmp_path / "deep" / "x").write_bytes(b"0123456789 child-0042")
    hits = look(tmp_path, SECRETS)
    assert Hit("deep/x", "bytes", "word 0", 11) in hits
    assert Hit("name of deep/entry 0", "hex", "tag 0", 0) in hits
    assert Hit("deep/entry 0", "bytes", "word 0", 0) in hits
    assert not any(TAG in str(hit) or "0042" in str(hit) for hit in hits)


def test_noise_is_silent() -> None:
    assert scan_bytes(random_bytes(4 << 20), SECRETS) == []


def test_a_neighbour_is_no_canary() -> None:
    """What may be stored stays unreported: a rounded point some metres on, or half a pair."""
    near = f"{LAT + 0.0006:.5f} {LON + 0.0006:.5f}".encode()
    half = f"{LAT:.5f} 137.00000".encode()
    far_apart = f"{LAT:.5f}{' ' * 80}{LON:.5f}".encode()
    binary = pack(">dd", round(LAT, 5), LON + 0.001)
    for harmless in (near, half, far_apart, binary, b"", b"36.7 137.2"):
        assert scan_bytes(harmless, SECRETS) == [], harmless
