"""Uplinks as JSON lines: what would have been published, when, byte for byte."""

import sys
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from gateway.model.errors import Refusal
from simulators.uplink import SimUplink


def log_line(uplink: SimUplink) -> dict[str, Any]:
    """`at` in µs of town time, `topic`, and the payload as `text` (UTF-8 JSON) or `hex`."""
    line: dict[str, Any] = {"at": uplink.sent, "topic": uplink.topic}
    if uplink.form == "json":
        line["text"] = uplink.payload.decode("utf-8")
    else:
        line["hex"] = uplink.payload.hex()
    return line


class FileOutlet:
    """Writes an uplink log. The path `-` is standard output."""

    def __init__(self, path: str) -> None:
        self._file: BinaryIO = sys.stdout.buffer if path == "-" else _create(path)
        self._encode = msgspec.json.Encoder().encode
        self.sent = 0
        self.acked = 0

    async def send(self, uplink: SimUplink) -> None:
        """Write one line."""
        self._file.write(self._encode(log_line(uplink)) + b"\n")
        self.sent += 1
        self.acked += 1

    async def drain(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    async def close(self) -> None:
        """Close the file; standard output stays open."""
        self._file.flush()
        if self._file is not sys.stdout.buffer:
            self._file.close()


def _create(path: str) -> BinaryIO:
    """An empty file; one that was there is replaced."""
    try:
        return Path(path).open("wb")
    except OSError as error:
        raise Refusal(
            f"{path} cannot be written ({error.strerror}). Name another file in --to."
        ) from error
