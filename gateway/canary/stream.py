"""One layer of bytes under search, fed piece by piece, and the layers that are opened inside it."""

from collections.abc import Callable, Iterator
from typing import Protocol

from gateway.canary.canaries import Hit
from gateway.canary.layers import Escapes, base32_runs, base64_runs, hex_runs
from gateway.canary.packed import MAGIC, TRIED, Closed, Packed, Zstandard, opened
from gateway.canary.search import Search

DEPTH = 3
"""Layers in layers: a gzip in base64 in a zip."""
PIECE = 1 << 18
"""Bytes that are looked at together."""

_LONGEST_MAGIC = 10

Report = Callable[[Hit], None]


class _Layer(Protocol):
    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]: ...
    def end(self) -> Iterator[tuple[str, bytes]]: ...


class Stream:
    """Bytes of one layer, in order; hits are reported as they are found, some of them twice."""

    def __init__(self, search: Search, report: Report, where: str, depth: int = DEPTH) -> None:
        self._search, self._report, self._where, self._depth = search, report, where, depth
        self._at = 0
        self._kept = b""
        self._alphabets: list[_Layer] = (
            [base64_runs(), hex_runs(), base32_runs(), Escapes()] if depth else []
        )
        self._written: dict[str, Stream] = {}
        self._packed: list[tuple[Packed | Zstandard, int, Stream]] = []

    def feed(self, data: bytes) -> None:
        """Look through the next bytes."""
        for start in range(0, len(data), PIECE):
            self._feed(data[start : start + PIECE])

    def hole(self, size: int) -> None:
        """Go on behind so many zeros, of which nothing needs to be read."""
        self._at += size
        self._kept = b""

    def end(self) -> None:
        """There is no more: layers that waited for their rest are looked through."""
        for alphabet in self._alphabets:
            self._write(alphabet.end())
        for stream in self._written.values():
            stream.end()
        for packed, at, stream in self._packed:
            self._unpack(packed, at, stream, packed.end())
            stream.end()

    def _feed(self, piece: bytes) -> None:
        block = self._kept + piece
        before = len(self._kept)
        base = self._at - before
        for found in self._search.look(block):
            if found.end > before:
                hit = Hit(self._where, found.coat, found.canary, base + found.start)
                self._report(hit)
        for alphabet in self._alphabets:
            self._write(alphabet.feed(piece))
        if self._depth:
            self._open(block, before, piece)
        self._at += len(piece)
        self._kept = block[-self._search.kept :]

    def _write(self, layers: Iterator[tuple[str, bytes]]) -> None:
        for name, data in layers:
            if name not in self._written:
                self._written[name] = self._inside(name)
            self._written[name].feed(data)

    def _open(self, block: bytes, before: int, piece: bytes) -> None:
        """Feed the layers that are open, and open those that begin here."""
        going, self._packed = self._packed, []
        for packed, at, stream in going:
            self._go_on(packed, at, stream, piece)
        for match in MAGIC.finditer(block, max(0, before - _LONGEST_MAGIC)):
            if match.end() > before:
                start = match.start()
                begins = opened(match.group(), block[start : start + TRIED], self._search.unzstd)
                if begins is not None:
                    at = self._at - before + start
                    self._go_on(begins, at, self._inside(begins.name), block[start:])

    def _go_on(self, packed: Packed | Zstandard, at: int, stream: "Stream", data: bytes) -> None:
        if self._unpack(packed, at, stream, packed.feed(data)):
            if packed.done:
                stream.end()
            else:
                self._packed.append((packed, at, stream))

    def _unpack(
        self, packed: Packed | Zstandard, at: int, stream: "Stream", parts: Iterator[bytes]
    ) -> bool:
        """Look through what a layer unfolds to; whether it could be opened.

        Magic bytes stand in other data, too: what begins with them and cannot be opened is a hit, because
        nobody knows what is in it.
        """
        try:
            for part in parts:
                stream.feed(part)
        except Closed as closed:
            stream.end()
            if at == 0 or closed.certain:
                self._report(
                    Hit(f"{self._where} > {packed.name}", "cannot be opened", "unknown", at)
                )
            return False
        return True

    def _inside(self, name: str) -> "Stream":
        return Stream(self._search, self._report, f"{self._where} > {name}", self._depth - 1)


def scan_bytes(data: bytes, search: Search, where: str = "bytes") -> list[Hit]:
    """What is in one piece: what a process printed, what a page said. Each form once, where it stands first."""
    hits = Hits()
    stream = Stream(search, hits.add, where)
    stream.feed(data)
    stream.end()
    return hits.sorted()


class Hits:
    """Hits as they come in: the first of each form of each canary in each layer, or every one."""

    def __init__(self, *, every: bool = False) -> None:
        self._every = every
        self._found: dict[tuple[str, str, str, int], Hit] = {}

    def add(self, hit: Hit) -> None:
        """Keep it, if it is the first."""
        key = (*hit[:3], hit.offset if self._every else 0)
        first = self._found.get(key)
        if first is None or hit.offset < first.offset:
            self._found[key] = hit

    def sorted(self) -> list[Hit]:
        """By place, form and canary."""
        return sorted(self._found.values())
