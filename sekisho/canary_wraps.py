"""One canary in every packing and alphabet that is opened: controls for layers."""

import base64
import bz2
import gzip
import lzma
import sqlite3
import tarfile
import zipfile
import zlib
from contextlib import closing
from io import BytesIO
from shutil import which
from subprocess import run

from gateway.canary.canaries import Canaries
from sekisho.canary_forms import POWERS, Control, scaled

_AMONG = b" %b " % " ".join(map(str, range(900))).encode()
"""Enough of something to pack: a packer leaves what is short as it is, where anybody would find it."""


def wraps(canaries: Canaries) -> list[Control]:
    """The first place, or else the first tag or word, in each layer."""
    if canaries.places:
        text = "{:.7f} {:.7f}".format(*canaries.places[0][1])
        inner, numbers = text.encode(), canaries.places[0][1]
    else:
        inner, numbers = canaries.texts[0][1], None
    long = _AMONG + inner + _AMONG
    layers = {
        "gzip": gzip.compress(long, mtime=0),
        "gzip in other data": b"head " + gzip.compress(long, mtime=0) + b" tail",
        "zlib": zlib.compress(long),
        "zlib in other data": b"head " + zlib.compress(long, 1) + b" tail",
        "bzip2": bz2.compress(long),
        "xz": lzma.compress(long),
        "zip": _zip(long, zipfile.ZIP_DEFLATED),
        "zip, stored": _zip(inner, zipfile.ZIP_STORED),
        "tar": _tar(inner, "w"),
        "tar, gzip": _tar(long, "w:gz"),
        **{f"base64 phase {n}": base64.b64encode(b"x" * n + inner + b"y" * 6) for n in range(3)},
        "base64, URL": base64.urlsafe_b64encode(b"\xff\xfe\xfd" + inner + b"\xff\xff\xff"),
        "base64, wrapped": base64.encodebytes(b"-" * 50 + inner + b"-" * 50),
        "gzip in base64 in zip": _zip(
            base64.b64encode(gzip.compress(inner, mtime=0)), zipfile.ZIP_DEFLATED
        ),
        "hex": inner.hex().encode(),
        "hex, one digit late": b"a" + inner.hex().upper().encode(),
        "hex dump": inner.hex(" ").encode(),
        "base32": base64.b32encode(inner),
        "quoted-printable": "".join(f"={letter:02X}" for letter in inner).encode(),
        "quoted-printable, wrapped": b"=\r\n".join(
            inner[n : n + 5] for n in range(0, len(inner), 5)
        ),
        "entities": "".join(f"&#{letter};" for letter in inner).encode(),
        "entities, hex": "".join(f"&#x{letter:02x};" for letter in inner).encode(),
        "percent": "".join(f"%{letter:02X}" for letter in inner).encode(),
        "escapes": "".join(f"\\x{letter:02x}" for letter in inner).encode(),
    }
    if numbers is not None:
        layers |= _of_places(inner.decode(), numbers)
    zstd = which("zstd")
    if zstd is not None:
        layers["zstd"] = run([zstd, "-qc"], input=long, capture_output=True, check=True).stdout
    return [Control(name, data, "") for name, data in layers.items()]


def _of_places(text: str, numbers: tuple[float, float]) -> dict[str, bytes]:
    """Alphabets of text, and SQLite's own forms."""
    wide = text.translate({**{48 + n: 0xFF10 + n for n in range(10)}, ord("."): 0xFF0E})
    return {
        "UTF-16 LE": text.encode("utf-16-le"),
        "UTF-16 BE": text.encode("utf-16-be"),
        "fullwidth digits": wide.encode(),
        "SQLite REAL": _database("REAL", *numbers),
        **{
            f"SQLite INTEGER 1e{power}": _database("INTEGER", *scaled(numbers, power))
            for power in POWERS
            if scaled(numbers, power)
        },
    }


def _zip(inner: bytes, how: int) -> bytes:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", how) as archive:
        archive.writestr("inner", inner)
    return whole.getvalue()


def _tar(inner: bytes, mode: str) -> bytes:
    whole = BytesIO()
    with tarfile.open(fileobj=whole, mode=mode) as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo("inner")
        member.size = len(inner)
        archive.addfile(member, BytesIO(inner))
    return whole.getvalue()


def _database(kind: str, *row: float) -> bytes:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f"CREATE TABLE t (a {kind}, b {kind})")
        db.execute("INSERT INTO t VALUES (?, ?)", row)
        db.commit()
        return db.serialize()
