"""How far a file is read: a bar on a terminal, nothing elsewhere."""

import sys
from types import TracebackType
from typing import Any, Self

from gateway.model.instant import Instant, to_rfc3339
from gateway.transports.replay.file import Lines


class FileBar:
    """A line that moves, on a terminal only."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        self._bar: Any = None
        if sys.stderr.isatty() and not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[at]}"),
                console=Console(file=sys.stderr),
                transient=True,
            )
            self._task = self._bar.add_task(name, total=None, at="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, lines: Lines, at: Instant | None) -> None:
        """Move the bar: bytes read of the file, and the recording's time where that is known."""
        if self._bar is not None:
            said = "" if at is None else to_rfc3339(at)[:16]
            self._bar.update(self._task, total=lines.size, completed=lines.position, at=said)
