"""What SQLite will silently leave out of a write-ahead log when it opens a file (sqlite.org/walformat.html).

A log ends for SQLite at the first frame whose checksum does not hold. After a power failure that is where
the last commit was cut off, and nobody was told that it is on disk; on a disk that loses or changes bytes,
acknowledged rows lie behind. The two look the same from inside, so a person is told.
"""

import struct
from pathlib import Path

_HEADER, _FRAME = 32, 24
_MAGIC = 0x377F0682
_FIELDS = struct.Struct(">IIIIIIII")
_OVER = 0xFFFF_FFFF


def frames_left_out(log: Path) -> int:
    """Frames of this log's own round that lie at or behind the first one that does not hold.

    0 for a log that is not there, empty, or whole. Frames of earlier rounds carry other salts: every log
    that was used twice ends in some of them.
    """
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return 0
    if len(data) <= _HEADER:
        return 0
    magic, _version, page, _round, salt1, salt2, sum1, sum2 = _FIELDS.unpack_from(data)
    if magic & ~1 != _MAGIC or not 512 <= page <= 65_536:
        return 0
    words = "<" if magic & 1 == 0 else ">"
    salts = struct.pack(">II", salt1, salt2)
    if _sums(words, data[:24], 0, 0) != (sum1, sum2):
        return 0  # SQLite takes nothing of it: a header that was being written
    sums = (sum1, sum2)
    whole, left_out = True, 0
    for at in range(_HEADER, len(data) - _FRAME - page + 1, _FRAME + page):
        ours = data[at + 8 : at + 16] == salts
        if whole:
            sums = _sums(words, data[at : at + 8], *sums)
            sums = _sums(words, data[at + _FRAME : at + _FRAME + page], *sums)
            whole = ours and sums == struct.unpack_from(">II", data, at + 16)
        if not whole and ours:
            left_out += 1
    return left_out


def _sums(words: str, data: bytes, s0: int, s1: int) -> tuple[int, int]:
    """The running checksum over pairs of 32-bit words."""
    for x0, x1 in struct.iter_unpack(f"{words}II", data):
        s0 = (s0 + x0 + s1) & _OVER
        s1 = (s1 + x1 + s0) & _OVER
    return s0, s1
