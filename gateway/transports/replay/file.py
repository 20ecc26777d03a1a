"""A recorded file, packed by gzip or not: its lines, and how far one has read."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gateway.model.errors import Refusal

_GZIP = b"\x1f\x8b"
_BUFFER = 1 << 20
_HEAD = 256
_LONGEST = 1 << 20
"""Bytes of one line; no uplink's document comes near."""


class Lines:
    """The lines of a file, as often as they are asked for.

    Attributes:
        size: of the file as it lies there, in bytes.
        position: how many of them were read.
    """

    def __init__(self, path: Path) -> None:
        """Look at a file.

        Raises:
            Refusal: it cannot be read.
        """
        self._path = path
        self._raw: IO[bytes] | None = None
        try:
            with path.open("rb") as file:
                self._packed = file.read(2) == _GZIP
            self.size = path.stat().st_size
        except OSError as error:
            raise Refusal(f"{path} cannot be read: {error.strerror}.", exit_code=2) from None

    @property
    def position(self) -> int:
        if self._raw is None:
            return 0
        return self.size if self._raw.closed else self._raw.tell()

    def head(self) -> bytes:
        """The first bytes, unpacked; fewer where it has no more, none where it cannot be unpacked."""
        with self._path.open("rb") as raw:
            try:
                return (gzip.GzipFile(fileobj=raw) if self._packed else raw).read(_HEAD)
            except (OSError, EOFError, zlib.error):
                return b""

    def __iter__(self) -> Iterator[bytes]:
        """Every line without its end, in order; also empty ones.

        Raises:
            Refusal: it begins like gzip but cannot be unpacked, or is no text in lines.
        """
        with self._path.open("rb", buffering=_BUFFER) as self._raw:
            file: IO[bytes] = gzip.GzipFile(fileobj=self._raw) if self._packed else self._raw  # type: ignore[assignment]
            try:
                while line := file.readline(_LONGEST):
                    if len(line) == _LONGEST:
                        raise Refusal(
                            f"{self._path} has a line of more than a megabyte, so it is no recording "
                            "in lines: one document a line is needed.",
                            exit_code=2,
                        )
                    yield line.rstrip(b"\r\n")
            except (OSError, EOFError, zlib.error):
                raise Refusal(
                    f"{self._path} cannot be unpacked to its end: it is cut off or damaged. What stood "
                    "before that place was read; gzip -t says more."
                ) from None
