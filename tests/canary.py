"""Searches a directory for what must not be there: positions and tags, in every coat they may wear.

A text number counts alone from seven decimals on; shorter ones, and every short binary form, count
where latitude and longitude stand within 32 bytes of each other. Looked through: file contents and
names, gzip, zip and zstd wherever they begin, base64 (all phases, both alphabets), hex, percent
escapes and UTF-16. A layer that cannot be opened is a hit itself: nobody knows what is in it.

About 1 s for 4 MiB. `tests/unit/test_canary.py` proves each form to be found.
"""

import base64
import re
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from io import BytesIO
from itertools import pairwise
from math import trunc
from pathlib import Path
from shutil import which
from struct import pack
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

NEAR = 32
"""Bytes between the two halves of a pair, at most."""

_DEPTH = 3  # a gzip in base64 in a zip
_LONGEST_LAYER = 1 << 28
_APART = b"\xff" * (NEAR + 8)  # joins decoded runs without making pairs of neighbours
_DOT = re.compile(rb"(?<![0-9.])[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?")
_COMMA = re.compile(rb"(?<![0-9,])[0-9]{1,5},[0-9]{3,18}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(rb"[0-9A-Fa-f]{8,}")
_UTF_16 = (re.compile(rb"(?:[ -~]\x00){6,}"), re.compile(rb"(?:\x00[ -~]){6,}"))
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Canaries:
    """What must not be found.

    Attributes:
        positions: (latitude, longitude) in degrees, best with long random tails.
        tags: tag ids in hex.
        words: names, as they are.
    """

    positions: tuple[tuple[float, float], ...] = ()
    tags: tuple[str, ...] = ()
    words: tuple[str, ...] = field(default=())


class Hit(NamedTuple):
    """One find.

    Attributes:
        where: the file below the root, and the layers opened on the way.
        coat: the form it was found in.
        canary: "position 3", "tag 0", "word 1": its number in `Canaries`.
        offset: where in that layer.
    """

    where: str
    coat: str
    canary: str
    offset: int


def scan(root: Path, secrets: Canaries) -> list[Hit]:
    """Everything found below `root`, in names and contents."""
    search = _Search(secrets)
    hits: list[Hit] = []
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        hits += search.through(f"name of {name}", name.encode("utf-8", "surrogateescape"))
        if path.is_file() and not path.is_symlink():
            hits += search.through(name, path.read_bytes())
    return hits


def scan_bytes(data: bytes, secrets: Canaries) -> list[Hit]:
    """Everything found in one piece: what a process printed, what a page said."""
    return _Search(secrets).through("bytes", data)


class _Search:
    """Needles made once, for many files."""

    def __init__(self, secrets: Canaries) -> None:
        self._plain: list[tuple[str, str, bytes]] = []
        for number, tag in enumerate(secrets.tags):
            raw = bytes.fromhex(tag)
            self._plain += [
                (f"tag {number}", "bytes", raw),
                (f"tag {number}", "bytes reversed", raw[::-1]),
                (f"tag {number}", "text", tag.upper().encode()),
                (f"tag {number}", "text", tag.lower().encode()),
            ]
        for number, word in enumerate(secrets.words):
            self._plain.append((f"word {number}", "text", word.encode()))
        self._pairs = [
            (f"position {number}", coat, norths, _binary(lon)[coat])
            for number, (lat, lon) in enumerate(secrets.positions)
            for coat, norths in _binary(lat).items()
        ]
        self._alone = [
            (f"position {number}", coat, needle)
            for number, position in enumerate(secrets.positions)
            for degrees in position
            if degrees != round(degrees, 6)
            for coat, needle in (
                ("float64 BE", pack(">d", degrees)),
                ("float64 LE", pack("<d", degrees)),
            )
        ]
        self._texts: dict[Decimal, set[tuple[str, int]]] = {}
        for number, position in enumerate(secrets.positions):
            for axis, degrees in enumerate(position):
                for value in _texts(degrees):
                    self._texts.setdefault(value, set()).add((f"position {number}", axis))

    def through(self, where: str, data: bytes, depth: int = _DEPTH) -> list[Hit]:
        """Hits in `data` and in every layer that can be opened inside it."""
        hits = [Hit(where, *found) for found in self._look(data)]
        if depth:
            for coat, layer in _layers(data):
                if layer is None:
                    hits.append(Hit(f"{where} > {coat}", "cannot be opened", "unknown", 0))
                else:
                    hits += self.through(f"{where} > {coat}", layer, depth - 1)
        return hits

    def _look(self, data: bytes) -> Iterator[tuple[str, str, int]]:
        for canary, coat, needle in (*self._plain, *self._alone):
            at = data.find(needle)
            if at >= 0:
                yield coat, canary, at
        for canary, coat, norths, easts in self._pairs:
            at = _pair(data, norths, easts)
            if at >= 0:
                yield coat, canary, at
        yield from self._numbers(data)

    def _numbers(self, data: bytes) -> Iterator[tuple[str, str, int]]:
        """Decimal numbers in text, with points and with commas."""
        for coat, pattern in (("decimal point", _DOT), ("decimal comma", _COMMA)):
            seen: dict[str, list[tuple[int, int, int]]] = {}
            for match in pattern.finditer(data) if self._texts else ():
                value = _decimal(match.group())
                for canary, axis in self._texts.get(value, ()) if value is not None else ():
                    seen.setdefault(canary, []).append((match.start(), match.end(), axis))
                    if value is not None and _decimals(value) >= 7:
                        yield coat, canary, match.start()
            for canary, places in seen.items():
                for (start, end, axis), (next_start, _, next_axis) in pairwise(places):
                    if axis != next_axis and next_start - end <= NEAR:
                        yield coat, canary, start


def _pair(data: bytes, norths: set[bytes], easts: set[bytes]) -> int:
    """Where a needle of the one and of the other set stand close together; -1 if nowhere."""
    for north in norths:
        at = data.find(north)
        while at >= 0:
            around = data[max(0, at - NEAR - 8) : at + len(north) + NEAR + 8]
            if any(east in around for east in easts):
                return at
            at = data.find(north, at + 1)
    return -1


def _binary(degrees: float) -> dict[str, set[bytes]]:
    """Binary forms that count in pairs. Wider integers end or begin with the narrow ones."""
    rounded = {degrees, *(round(degrees, n) for n in (5, 6, 7))}
    forms = {
        "float64 BE": {pack(">d", value) for value in rounded},
        "float64 LE": {pack("<d", value) for value in rounded},
        "float32 BE": {pack(">f", value) for value in rounded},
        "float32 LE": {pack("<f", value) for value in rounded},
    }
    for power in (4, 5, 6, 7):
        scaled = degrees * 10**power
        for order in ("big", "little"):
            forms[f"integer 1e{power} {order}"] = {
                number.to_bytes(_size(number), order, signed=True)
                for number in (round(scaled), trunc(scaled))
            }
    # digits with more digits before or behind them, as SQLite lays texts side by side
    forms["digits"] = {
        str(Decimal(abs(degrees)).quantize(Decimal("1e-5"), how)).encode()
        for how in ("ROUND_HALF_EVEN", "ROUND_DOWN")
    }
    return forms


def _size(number: int) -> int:
    """Bytes of a signed integer as SQLite and Cayenne write it: 3 or 4."""
    return 3 if -(1 << 23) <= number < 1 << 23 else 4


def _texts(degrees: float) -> set[Decimal]:
    """The numbers a text may show: 3 to 15 decimals, rounded or cut, and NMEA's ddmm.mmmm.

    Without sign: a hemisphere may be told by a letter.
    """
    found = set()
    degrees = abs(degrees)
    exact = Decimal(degrees)
    whole = trunc(degrees)
    nmea = whole * 100 + (exact - whole) * 60
    for decimals in range(3, 16):
        step = Decimal(1).scaleb(-decimals)
        for value in (exact, nmea):
            found |= {value.quantize(step), value.quantize(step, "ROUND_DOWN")}
        found.add(Decimal(f"{degrees:.{decimals + 2}g}"))
    found.add(Decimal(repr(degrees)))
    return {value for value in found if _decimals(value) >= 2}


def _decimal(text: bytes) -> Decimal | None:
    try:
        return Decimal(text.decode().replace(",", "."))
    except InvalidOperation:
        return None


def _decimals(value: Decimal) -> int:
    """Decimals that are not trailing zeros."""
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _layers(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    """What is packed or encoded in `data`; None for a layer that cannot be opened."""
    yield from _compressed(data)
    text = list(_BASE64.finditer(data))
    for phase in range(4) if text else ():
        runs = (_unbase64(match.group()[phase:]) for match in text)
        yield f"base64 phase {phase}", _APART.join(runs)
    digits = list(_HEX.finditer(data))
    for phase in range(2) if digits else ():
        runs = (_unhex(match.group()[phase:]) for match in digits)
        yield f"hex phase {phase}", _APART.join(runs)
    if _PERCENT.search(data):
        yield "percent", unquote_to_bytes(data)
    for pattern in _UTF_16:
        wide = pattern.findall(data)
        if wide:
            yield "UTF-16", _APART.join(run.replace(b"\x00", b"") for run in wide)


def _compressed(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    for match in re.finditer(rb"\x1f\x8b\x08", data):
        try:
            yield "gzip", zlib.decompressobj(31).decompress(data[match.start() :], _LONGEST_LAYER)
        except zlib.error:
            if match.start() == 0:
                yield "gzip", None
    if data.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield "zip name", name.encode()
                    yield f"zip {name}", archive.read(name)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
            yield "zip", None
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        yield "zstd", _unzstd(data)


def _unzstd(data: bytes) -> bytes | None:
    """By the command `zstd`: Python 3.11 cannot. None where it is missing, or refuses."""
    tool = which("zstd")
    if tool is None:
        return None
    done = subprocess.run([tool, "-dcq"], input=data, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _unbase64(run: bytes) -> bytes:
    run = run.translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(run[: len(run) // 4 * 4] + _tail(run))


def _tail(run: bytes) -> bytes:
    """The last, short group of a run, padded; one odd character says nothing."""
    rest = run[len(run) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _unhex(run: bytes) -> bytes:
    return bytes.fromhex(run[: len(run) // 2 * 2].decode())
