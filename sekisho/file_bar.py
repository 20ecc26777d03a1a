"""How far a file is read: a bar on a terminal, nothing elsewhere."""

import sys

from gateway.model.instant import Instant, to_rfc3339
from gateway.transports.replay.capture import Capture
from gateway.transports.replay.file import Lines
from sekisho.bar import Bar


class FileBar(Bar):
    """A line that moves with the bytes read of a file."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        super().__init__(sys.stderr, quiet=quiet)
        self._name = name

    def show(self, lines: Lines | Capture, at: Instant | None) -> None:
        """Move the bar: bytes read of the file, and the recording's time where that is known."""
        share = f"{100 * lines.position // lines.size:>3} %" if lines.size else ""
        said = "" if at is None else to_rfc3339(at)[:16]
        self.move(lines.position, lines.size, self._name, f"{share}  {said}".rstrip())
