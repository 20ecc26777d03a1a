"""The file that `sekisho record` writes: what was recorded is there, whatever happens to whoever records.

Until the end it lies beside FILE under a name of its own, `FILE.<8 hex digits>.part`, held by a lock: a part that
nobody holds was left by a recorder that was killed.
"""

import fcntl
import glob
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST
from pathlib import Path
from typing import IO, Protocol

from gateway.model.errors import Refusal
from gateway.statedir import sync_directory

_AT_MOST = 1 << 20
"""Bytes of packed lines that wait for `keep`."""

_GZIP = 31
"""What zlib calls a gzip file with the largest window."""


class Out(Protocol):
    """Takes a cassette's lines, whole ones only."""

    def write(self, lines: bytes) -> None: ...

    def keep(self) -> None:
        """See to it that all so far outlives a kill."""

    def end(self) -> None:
        """Nothing follows."""

    def cut_off(self) -> None:
        """Leave whole lines alone of what is there, after whatever went wrong."""


@contextmanager
def new(file: Path, head: bytes, *, force: bool) -> Iterator[Out]:
    """A cassette with its first line, at its place when the block is left, however that happens.

    Args:
        file: packed where the name ends in .gz.
        force: whether it may replace one that is there at the end.

    Raises:
        Refusal: it cannot be written, or not to its end; or another one has come there meanwhile.
    """
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        plain = part.open("xb", buffering=0)
    except OSError as error:
        raise Refusal(
            f"{file} cannot be written ({error.strerror}). Name another FILE.", exit_code=2
        ) from None
    with plain:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(plain, fcntl.LOCK_EX)
        out: Out = _Packed(plain) if file.suffix == ".gz" else _Plain(plain)
        try:
            out.write(head)
            out.keep()
        except _Unwritten as error:
            part.unlink()
            raise Refusal(f"{file} cannot be written ({error}): make room there, or name another FILE.") from None  # fmt: skip
        try:
            yield out
            out.end()
        except _Unwritten as error:
            out.cut_off()
            _put(part, file, force=force)
            raise Refusal(
                f"{file} could not be written to its end ({error}). What came before stands there, and can be "
                "replayed. Make room and record again; --kind and --device make it smaller."
            ) from None
        except BaseException:
            out.cut_off()
            _put(part, file, force=force)
            raise
        _put(part, file, force=force)


def left_behind(file: Path) -> list[Path]:
    """Parts of this cassette whose recorders were killed."""
    found = []
    for part in sorted(file.parent.glob(f"{glob.escape(file.name)}.????????.part")):
        with suppress(OSError):  # another user's, or a recorder holds it
            if part.is_file():
                with part.open("rb") as opened:
                    fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
                found.append(part)
    return found


def _put(part: Path, file: Path, *, force: bool) -> None:
    """Give a cassette its name; raises `Refusal` where another file has it."""
    try:
        if force:
            part.replace(file)
        else:
            _rename(part, file)
        sync_directory(file.parent)
    except OSError as error:
        raise Refusal(
            f"The recording could not be put at {file} ({error.strerror}). It is at {part}, and can be replayed."
        ) from None


def _rename(part: Path, file: Path) -> None:
    """Raises `FileExistsError` where a file has come there meanwhile."""
    try:
        os.link(part, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if file.exists():
            raise FileExistsError(EEXIST, os.strerror(EEXIST)) from None
        part.rename(file)
    else:
        part.unlink()


class _Unwritten(Exception):
    """The disk takes no more; says why."""


def _write(file: IO[bytes], data: bytes) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise _Unwritten(error.strerror) from None


def _sync(file: IO[bytes]) -> None:
    try:
        os.fsync(file.fileno())
    except OSError as error:
        raise _Unwritten(error.strerror) from None


class _Plain:
    """Lines as they are: each is there as soon as it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._last = (0, b"")

    def write(self, lines: bytes) -> None:
        self._last = (self._file.tell(), lines)
        _write(self._file, lines)

    def keep(self) -> None:
        """Nothing waits."""

    def end(self) -> None:
        _sync(self._file)

    def cut_off(self) -> None:
        begun, lines = self._last
        there = os.fstat(self._file.fileno()).st_size - begun
        self._file.truncate(begun + lines.rfind(b"\n", 0, there) + 1)


class _Packed:
    """Written from border to border of lines, at each of which the gzip file can end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._packer = zlib.compressobj(wbits=_GZIP)
        self._waiting = bytearray()
        self._border = (0, self._packer.copy())

    def write(self, lines: bytes) -> None:
        self._waiting += self._packer.compress(lines)
        if len(self._waiting) > _AT_MOST:
            self.keep()

    def keep(self) -> None:
        self._put(self._packer.flush(zlib.Z_SYNC_FLUSH))
        self._border = (self._file.tell(), self._packer.copy())

    def end(self) -> None:
        self._put(self._packer.flush())
        _sync(self._file)

    def cut_off(self) -> None:
        size, packer = self._border
        self._file.truncate(size)
        self._file.seek(size)
        with suppress(_Unwritten):  # no room for an end: it is like one whose recorder was killed
            _write(self._file, packer.flush())

    def _put(self, packed: bytes) -> None:
        waiting, self._waiting = self._waiting, bytearray()
        _write(self._file, bytes(waiting) + packed)
