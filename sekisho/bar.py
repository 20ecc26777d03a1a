"""A line that moves while something takes long: on a terminal only, nothing elsewhere."""

from types import TracebackType
from typing import Any, Self, TextIO


class Bar:
    """Words, a bar, words; gone at the end."""

    def __init__(self, screen: TextIO, *, quiet: bool) -> None:
        self._bar: Any = None
        self._task: Any = None
        if screen.isatty() and not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.fields[before]}"),
                BarColumn(),
                TextColumn("{task.fields[behind]}"),
                console=Console(file=screen),
                transient=True,
            )
            self._task = self._bar.add_task("", total=None, before="", behind="")

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

    def move(self, done: float, total: float | None, before: str, behind: str) -> None:
        """Show that so much is done of `total`; None where the end is not known."""
        if self._bar is not None:
            self._bar.update(self._task, total=total, completed=done, before=before, behind=behind)
