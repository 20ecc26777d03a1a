"""What is packed: gzip, zlib, zip, bzip2 and xz wherever they begin, zstd at the start of a layer; piece by piece."""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

MAGIC = re.compile(
    rb"\x1f\x8b\x08|x[\x01\x5e\x9c\xda]|PK\x03\x04|BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd",
    re.DOTALL,
)
TRIED = 512
"""Bytes behind a magic by which it is told whether two bytes of chance begin like zlib."""
LONGEST = 1 << 30
"""Bytes that one packed layer may unfold to."""

_PIECE = 1 << 20
_NEWEST = 63  # version needed to extract, times ten (APPNOTE 4.4.3)
_HEADER = 30  # a zip entry's local header (APPNOTE 4.3.7), before its name


Unzstd = Callable[[bytes], tuple[bytes, bool]]
"""Zstd data → what it unfolds to as far as it can be opened, and whether that was all of it."""


class Closed(Exception):
    """This layer cannot be opened: nobody knows what is in it.

    Attributes:
        certain: it is one, and no chance that other data begin like it.
    """

    def __init__(self, *, certain: bool = False) -> None:
        super().__init__("cannot be opened")
        self.certain = certain


class _Engine(Protocol):
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Packed:
    """One packed layer, fed from its magic on."""

    def __init__(self, name: str, engine: _Engine) -> None:
        self.name = name
        self._engine = engine
        self._made = 0

    @property
    def done(self) -> bool:
        """Whether it ended; what follows is another layer's."""
        return self._engine.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the next piece unfolds to.

        Raises:
            Closed: damaged, or larger than `LONGEST`.
        """
        try:
            while not self._engine.eof:
                out = self._engine.decompress(data, _PIECE)
                data = self._left()
                if not out and not data:
                    return
                self._made += len(out)
                if self._made > LONGEST:
                    raise Closed
                yield out
        except (zlib.error, OSError, lzma.LZMAError, EOFError):
            raise Closed from None

    def _left(self) -> bytes:
        """What of a piece is still to be decompressed: zlib hands it back, the others keep it."""
        left = getattr(self._engine, "unconsumed_tail", b"")
        assert isinstance(left, bytes)
        return left

    def end(self) -> Iterator[bytes]:
        """What is left at the end of the layer around it: nothing."""
        return iter(())


class Zlib(Packed):
    """A zlib stream (RFC 1950). Two bytes are no magic that could be trusted: what breaks off was perhaps none, and is
    no hit.
    """

    def __init__(self) -> None:
        super().__init__("zlib", zlib.decompressobj())
        self._broken = False

    @property
    def done(self) -> bool:
        """See `Packed`."""
        return self._broken or super().done

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Packed`."""
        try:
            yield from super().feed(data)
        except Closed:
            self._broken = True


class ZipEntry(Packed):
    """One entry of a zip file, from its local header on; stored ones are read where they lie."""

    def __init__(self) -> None:
        super().__init__("zip", zlib.decompressobj(-15))
        self._head: bytes | None = b""
        self._stored = False

    @property
    def done(self) -> bool:
        """See `Packed`."""
        return self._stored or super().done

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Packed`."""
        if self._head is not None:
            self._head += data
            if len(self._head) < _HEADER:
                return
            start = _HEADER + sum(int.from_bytes(self._head[n : n + 2], "little") for n in (26, 28))
            locked = self._head[6] & 1
            method = int.from_bytes(self._head[8:10], "little")
            if locked or method not in {0, 8}:
                version = int.from_bytes(self._head[4:6], "little")
                raise Closed(certain=version <= _NEWEST)
            self._stored = method == 0
            if self._stored or len(self._head) < start:
                return
            data, self._head = self._head[start:], None
        yield from super().feed(data)


class Zstandard:
    """A zstd layer, which Python cannot open before 3.14: gathered whole, then handed to `unpack`."""

    name = "zstd"
    done = False

    def __init__(self, unpack: Unzstd) -> None:
        self._unpack = unpack
        self._whole = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Packed`."""
        self._whole += data
        if len(self._whole) > LONGEST >> 2:
            raise Closed
        return iter(())

    def end(self) -> Iterator[bytes]:
        """All of it at once.

        Raises:
            Closed: damaged, or nothing here can open it.
        """
        out, whole = self._unpack(bytes(self._whole))
        yield out
        if not whole:
            raise Closed


def opened(magic: bytes, behind: bytes, unzstd: Unzstd) -> Packed | Zstandard | None:
    """What opens a layer that begins so; None where it is none.

    Args:
        behind: the magic and what follows it, `TRIED` bytes where there are as many.
    """
    if magic[:1] == b"x":
        return Zlib() if _unfolds(behind) else None
    if magic[:2] == b"\x1f\x8b":
        return Packed("gzip", zlib.decompressobj(31))
    if magic[:2] == b"PK":
        return ZipEntry()
    if magic[:2] == b"BZ":
        return Packed("bzip2", bz2.BZ2Decompressor())
    if magic[:2] == b"\xfd7":
        return Packed("xz", lzma.LZMADecompressor())
    return Zstandard(unzstd)


def _unfolds(data: bytes) -> bool:
    try:
        zlib.decompressobj().decompress(data)
    except zlib.error:
        return False
    return True
