"""What is written in another alphabet: base64, hex, base32, escapes, UTF-16, fullwidth digits; piece by piece, as it comes in."""

import base64
import re
from binascii import unhexlify
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

APART = b"\xff\xff\xff"
"""Stands between two decoded runs: no number crosses it, but halves of a pair may stand on both sides."""

_KEPT = 1024  # bytes of the last piece that are looked at again
_HELD = 1 << 16  # a run at the end of a piece waits for its rest up to this length
_NO_LINES = b"\r\n\\"  # wrapped base64, and JSON's way to write a slash


_HEX = b"0123456789ABCDEFabcdef"
_HEX_FOR_SURE = 32  # letters


class _Shape:
    """Runs of a shape: letters become marks of their class, and marks are searched for, which is ten times as fast."""

    def __init__(self, pattern: bytes, **classes: bytes) -> None:
        table = bytearray(b"." * 256)
        for mark, letters in classes.items():
            for letter in letters:
                table[letter] = ord(mark)
        self._table = bytes(table)
        self._pattern = re.compile(pattern)

    def runs(self, data: bytes) -> list[bytes]:
        """All of them, in order."""
        marks = data.translate(self._table)
        return [data[found.start() : found.end()] for found in self._pattern.finditer(marks)]


class _Alphabet(NamedTuple):
    """One whose letters make bytes in groups.

    Attributes:
        group: letters that make whole bytes.
        least: letters of a run.
        alignments: in how many of them a run is decoded, from its beginning on.
        filler: a letter that fills up the last group.
        apart: whole groups that say `APART`.
    """

    name: str
    letters: bytes
    group: int
    least: int
    alignments: int
    filler: bytes
    apart: bytes
    decode: Callable[[bytes], bytes]


class Runs:
    """Runs of an alphabet whose letters make bytes in groups; every alignment of each is decoded."""

    def __init__(self, of: _Alphabet) -> None:
        self._name, self._letters, self._group = of.name, of.letters, of.group
        self._shape = _Shape(b"a" * of.least + b"a*", a=of.letters)
        self._filler, self._apart, self._bytes = of.filler, of.apart, of.decode
        self._open = b""
        self._inside = False
        self._rest = [b""] * of.alignments
        self._skip = list(range(of.alignments))

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """(layer, bytes) of what stands in the next piece."""
        text = self._open + data.translate(None, _NO_LINES)
        tail = len(text) - len(text.rstrip(self._letters))
        text, self._open = text[: len(text) - tail], text[len(text) - tail :]
        yield from self._decoded(self._aligned(text))
        if len(self._open) > _HELD:
            whole = len(self._open) // self._group * self._group
            run, self._open = self._open[:whole], self._open[whole:]
            self._inside = True
            yield from self._decoded(b"" if self._is_hex(run) else run)

    def end(self) -> Iterator[tuple[str, bytes]]:
        """The same for what waited for its rest."""
        runs = self._aligned(self._open + b" ")
        self._open = b""
        if runs or any(self._rest):
            yield from self._decoded(runs + self._filler * self._group)

    def _aligned(self, text: bytes) -> bytes:
        """All runs, each filled up to whole groups, with something between."""
        runs = []
        if self._inside and text:
            first = len(text) - len(text.lstrip(self._letters))
            runs.append(text[:first])
            text, self._inside = text[first:], False
        runs += (run for run in self._shape.runs(text) if not self._is_hex(run))
        return b"".join(
            run + self._filler * (-len(run) % self._group) + self._apart for run in runs
        )

    def _is_hex(self, run: bytes) -> bool:
        """Whether a run of base64 letters is hex and nothing else: of chance, once in 10^14."""
        return self._group == 4 and len(run) >= _HEX_FOR_SURE and not run.translate(None, _HEX)

    def _decoded(self, runs: bytes) -> Iterator[tuple[str, bytes]]:
        if not runs:
            return
        for phase in range(len(self._rest)):
            text = self._rest[phase] + runs[self._skip[phase] :]
            self._skip[phase] = max(0, self._skip[phase] - len(runs))
            whole = len(text) // self._group * self._group
            self._rest[phase] = text[whole:]
            yield f"{self._name} phase {phase}", self._bytes(text[:whole])


def base64_runs() -> Runs:
    """Twelve letters or more of either base64 alphabet (RFC 4648), in every alignment."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
    apart = base64.b64encode(APART)
    return Runs(_Alphabet("base64", letters, 4, 12, 4, b"A", apart, _of_base64))


def hex_runs() -> Runs:
    """Eight hex digits or more, in either alignment."""
    return Runs(_Alphabet("hex", _HEX, 2, 8, 2, b"0", APART.hex().encode(), unhexlify))


def base32_runs() -> Runs:
    """Sixteen letters or more of base32 (RFC 4648), from the beginning of a run on."""
    return Runs(_Alphabet("base32", _BASE32, 8, 16, 1, b"7", b"7" * 8, _of_base32))


_BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DIGITS_32 = bytes.maketrans(_BASE32, b"0123456789abcdefghijklmnopqrstuv")
_LETTERS_AT_ONCE = 4096


def _of_base64(text: bytes) -> bytes:
    return base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")))


def _of_base32(text: bytes) -> bytes:
    """As one number, which is a hundred times as fast as letter by letter."""
    digits = text.translate(_DIGITS_32)
    parts = (digits[n : n + _LETTERS_AT_ONCE] for n in range(0, len(digits), _LETTERS_AT_ONCE))
    return b"".join(int(part, 32).to_bytes(len(part) * 5 // 8, "big") for part in parts)


_PRINTABLE = bytes(range(0x20, 0x7F))
_AROUND = 64  # bytes before and behind an escape that are read with it
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(rb"\\(?:x|u00)([0-9A-Fa-f]{2})")
_QUOTED = re.compile(
    rb"=(?:[0-9A-Fa-f]{2}=[0-9A-Fa-f]{2}|\r?\n)"
)  # begins with one letter: ten times as fast
_QUOTED_SIGN = re.compile(rb"=(?:([0-9A-Fa-f]{2})|\r?\n)")
_ENTITY = re.compile(rb"&#(?:([0-9]{2,3})|[xX]0{0,2}([0-9A-Fa-f]{2}));")
_DUMP = _Shape(b"hhs" * 7 + b"(?:hhs)*hh", h=_HEX, s=b" :-")
_UTF_16 = (
    _Shape(b"pn" * 6 + b"(?:pn)*", p=_PRINTABLE, n=b"\0"),
    _Shape(b"np" * 6 + b"(?:np)*", p=_PRINTABLE, n=b"\0"),
)
_WIDE_DIGITS = re.compile(rb"\xef\xbc[\x90-\x99]\xef\xbc[\x90-\x99]")
_WIDE = {chr(0xFF01 + n).encode(): bytes([0x21 + n]) for n in range(94)}
_WIDE_SIGN = re.compile(rb"\xef(?:\xbc[\x81-\xbf]|\xbd[\x80-\x9e])")


class Escapes:
    """What a regular expression recognises in a piece and the end of the one before."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """See `Runs`."""
        text = self._kept + data
        self._kept = text[-_KEPT:]
        escaped = _around(_PERCENT, text)
        if escaped:
            yield "percent", unquote_to_bytes(escaped)
        escaped = _around(_ESCAPE, text)
        if escaped:
            yield "escapes", _ESCAPE.sub(lambda match: unhexlify(match[1]), escaped)
        escaped = _around(_QUOTED, text)
        if escaped:
            yield "quoted-printable", _QUOTED_SIGN.sub(lambda m: unhexlify(m[1] or b""), escaped)
        escaped = _around(_ENTITY, text)
        if escaped:
            yield "entities", _ENTITY.sub(_letter, escaped)
        dumped = _DUMP.runs(text)
        if dumped:
            runs = (unhexlify(run.translate(None, b" :-")) for run in dumped)
            yield "hex dump", APART.join(runs) + APART
        for shape in _UTF_16:
            wide = shape.runs(text)
            if wide:
                yield "UTF-16", APART.join(run.replace(b"\x00", b"") for run in wide) + APART
        wide_digits = _around(_WIDE_DIGITS, text)
        if wide_digits:
            yield "fullwidth", _WIDE_SIGN.sub(lambda match: _WIDE[match[0]], wide_digits)

    def end(self) -> Iterator[tuple[str, bytes]]:
        """Nothing waits here."""
        return iter(())


def _letter(entity: re.Match[bytes]) -> bytes:
    """What a number of HTML stands for; above Latin 1 it stays as it is."""
    number = int(entity[1]) if entity[1] else int(entity[2], 16)
    return bytes([number]) if number < 256 else entity[0]


def _around(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    """Each place where the pattern is, with what stands around it."""
    pieces: list[bytes] = []
    end = -1
    for match in pattern.finditer(text):
        start = max(end, match.start() - _AROUND, 0)
        if start > end:
            pieces.append(APART)
        end = max(end, match.end() + _AROUND)
        pieces.append(text[start:end])
    return b"".join(pieces) + APART if pieces else b""
