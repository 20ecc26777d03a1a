"""Many needles at once: a table of four-byte keys over all offsets, then each candidate in full."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

NEAR = 32
"""Bytes between the two halves of a pair, at most."""
NEXT = 8
"""The same where a half has three bytes or fewer than 20 bits: its partner stands beside it."""

_REMEMBERED = 4  # halves of a kind: one number may be half of both, where the degrees are alike
_KEY = 4
_BITS = 24
_MIX = np.uint32(0x9E3779B1)  # Fibonacci hashing; 2**32 divided by the golden ratio, odd


class Found(NamedTuple):
    """A needle, or half a pair, at its place.

    Attributes:
        start, end: offsets in the searched block.
        coat, canary: as in `Hit`.
        axis: 0 latitude, 1 longitude.
        alone: whether it counts without its partner.
        near: how far the partner may be, bytes.
    """

    start: int
    end: int
    coat: str
    canary: str
    axis: int = 0
    alone: bool = True
    near: int = NEAR


class Needle(Protocol):
    """One form of one canary.

    Attributes:
        stem: bytes that always stand there, three at least.
        key: where in `stem` its rarest four bytes (or three) begin.
    """

    @property
    def stem(self) -> bytes: ...
    @property
    def key(self) -> int: ...
    def at(self, data: bytes, start: int) -> Found | None:
        """What it is, if the needle stands at `start`."""


class Fixed(NamedTuple):
    """Bytes that either stand there or do not."""

    stem: bytes
    key: int
    coat: str
    canary: str
    axis: int = 0
    alone: bool = True
    near: int = NEAR

    def at(self, data: bytes, start: int) -> Found | None:
        """See `Needle`."""
        if not data.startswith(self.stem, start):
            return None
        end = start + len(self.stem)
        return Found(start, end, self.coat, self.canary, self.axis, self.alone, self.near)


class Pile:
    """All needles of a search, and where they are in a block of bytes."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._four: dict[bytes, list[tuple[int, Needle]]] = {}
        self._three: dict[bytes, list[tuple[int, Needle]]] = {}
        self.stems: list[bytes] = []
        for needle in needles:
            at = _rarest(needle)
            key = needle.stem[at : at + _KEY]
            shelf = self._four if len(key) == _KEY else self._three
            shelf.setdefault(key, []).append((at, needle))
            self.stems.append(needle.stem)
        self._table = np.zeros(1 << _BITS, dtype=np.bool_)
        keys = [int.from_bytes(key, "little") for key in self._four]
        keys += [
            int.from_bytes(key, "little") | last << 24 for key in self._three for last in range(256)
        ]
        self._table[_slots(np.array(keys, dtype=np.uint32))] = True

    def find(self, data: bytes) -> Iterator[Found]:
        """Every needle in `data`, in no particular order."""
        padded = data + bytes(2 * _KEY)
        for phase in range(_KEY):
            words = np.frombuffer(padded, "<u4", (len(data) - phase) // _KEY + 1, phase)
            for word in np.flatnonzero(self._table.take(_slots(words))).tolist():
                yield from self._at(data, word * _KEY + phase)

    def _at(self, data: bytes, at: int) -> Iterator[Found]:
        for needles in (
            self._four.get(data[at : at + _KEY], ()),
            self._three.get(data[at : at + _KEY - 1], ()),
        ):
            for key, needle in needles:
                start = at - key
                found = needle.at(data, start) if start >= 0 else None
                if found is not None:
                    yield found


def _rarest(needle: Needle) -> int:
    """Where the key lies: as the needle says, unless bytes that stand everywhere are fewer elsewhere."""

    def common(at: int) -> tuple[int, bool]:
        key = needle.stem[at : at + _KEY]
        return key.count(b"\0") + key.count(b"\xff"), at != needle.key

    return min(range(max(1, len(needle.stem) - _KEY + 1)), key=common)


def _slots(words: NDArray[np.uint32]) -> NDArray[np.intp]:
    return ((words * _MIX) >> np.uint32(32 - _BITS)).astype(np.intp)


def pairs(found: Iterable[Found]) -> Iterator[Found]:
    """What counts: needles that count alone, and halves whose partner is near, from the first to the end of the second."""
    last: defaultdict[tuple[str, str, int, int], deque[Found]] = defaultdict(
        lambda: deque(maxlen=_REMEMBERED)
    )
    for one in sorted(found):
        if one.alone:
            yield one
        last[one.canary, one.coat, one.axis, one.near].append(one)
        for near in (NEAR, NEXT):
            for other in last[one.canary, one.coat, 1 - one.axis, near]:
                if 0 <= one.start - other.end <= min(one.near, near):
                    yield one._replace(start=other.start)
