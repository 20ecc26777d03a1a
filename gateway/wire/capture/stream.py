"""One direction of a TCP connection: bytes in order, each once, whatever order they were captured in."""

from collections.abc import Iterator

_HELD = 1 << 20
"""Bytes that wait for what comes before them; with more of them that is not coming any more."""

_RING = 1 << 32


class Stream:
    """Begins where it is first heard of."""

    __slots__ = ("_begun", "_early", "_held", "_next")

    def __init__(self) -> None:
        self._begun: int | None = None
        self._next: int | None = None
        self._early: dict[int, bytes] = {}
        self._held = 0

    def begin(self, sequence: int) -> None:
        """A connection is made; its first byte follows this number. Said again, it changes nothing."""
        if sequence == self._begun:
            return
        self._begun = sequence
        self._next = (sequence + 1) % _RING
        self._early, self._held = {}, 0

    def take(self, sequence: int, data: bytes) -> Iterator[bytes | None]:
        """What a segment makes whole; None where bytes are missing for good. Of what comes twice the first counts."""
        if self._next is None:
            self._next = sequence
        if _ahead(sequence, self._next) > 0:
            if len(data) > len(self._early.get(sequence, b"")):
                self._held += len(data) - len(self._early.get(sequence, b""))
                self._early[sequence] = data
            if self._held > _HELD:
                yield from self._give_up()
            return
        yield from self._whole(sequence, data)
        yield from self._waiting()

    def acknowledged(self, number: int) -> Iterator[bytes | None]:
        """The other end has everything before this number; what is missing of it was not captured."""
        if self._early and self._next is not None and _ahead(number, self._next) > 0:
            yield from self._give_up()

    def end(self) -> Iterator[bytes | None]:
        """Nothing more was captured."""
        while self._early:
            yield from self._give_up()

    def _whole(self, sequence: int, data: bytes) -> Iterator[bytes]:
        assert self._next is not None
        fresh = data[-_ahead(sequence, self._next) :] if sequence != self._next else data
        if fresh and -_ahead(sequence, self._next) < len(data):
            self._next = (self._next + len(fresh)) % _RING
            yield fresh

    def _waiting(self) -> Iterator[bytes]:
        """What waited for nothing else, in order."""
        assert self._next is not None
        while self._early:
            first = min(self._early, key=self._distance)
            if self._distance(first) > 0:
                return
            data = self._early.pop(first)
            self._held -= len(data)
            yield from self._whole(first, data)

    def _give_up(self) -> Iterator[bytes | None]:
        """Go on behind a gap."""
        self._next = min(self._early, key=self._distance)
        yield None
        yield from self._waiting()

    def _distance(self, sequence: int) -> int:
        assert self._next is not None
        return _ahead(sequence, self._next)


def _ahead(sequence: int, base: int) -> int:
    """By how much a number lies behind another one in the stream; negative before it (RFC 9293 §3.4)."""
    return (sequence - base + _RING // 2) % _RING - _RING // 2
