"""Writes `sessions.db` beside the event loop: what was asked for meanwhile goes in one commit."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from gateway.sessions.file import FAULTS, Change, SessionFile
from gateway.telemetry import Facts

Done: TypeAlias = Callable[[bool], None]
"""Told whether the changes are on disk, and all that was asked for before them."""


class Pen(Protocol):
    """Who writes for this room."""

    def write(self, changes: Sequence[Change], done: Done) -> None:
        """Make the changes together, in the order of asking; then tell."""
        ...


class Scribe:
    """A pen with a thread: nobody's uplink waits for a session's commit."""

    def __init__(self, file: SessionFile, facts: Facts) -> None:
        self._file = file
        self._facts = facts
        self._asked: list[tuple[Sequence[Change], Done]] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def write(self, changes: Sequence[Change], done: Done) -> None:
        if self._closed:
            done(False)
            return
        self._asked.append((changes, done))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._carry(), name="sessions")

    async def _carry(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                fault = await asyncio.to_thread(self._apply, [c for some, _ in asked for c in some])
                if fault is not None:
                    self._facts.note(
                        "sessions not written",
                        f"A session or a command could not be written ({fault}): whoever needed it "
                        "is told to come again",
                        logging.ERROR,
                    )
                loop = asyncio.get_running_loop()
                for _, done in asked:  # in this order, and one that fails takes no other with it
                    loop.call_soon(self._tell, done, fault is None)
        finally:
            self._task = None

    def _tell(self, done: Done, written: bool) -> None:
        """Whoever fails at it has left somebody without an answer: that is counted."""
        try:
            done(written)
        except Exception as error:  # noqa: BLE001 whatever it is; its text may hold a payload
            self._facts.note(
                "sessions: fault of ours",
                f"What waited for sessions.db met a fault of this program ({type(error).__name__}): "
                "whoever waited for it has no answer",
                logging.ERROR,
            )

    def _apply(self, changes: list[Change]) -> str | None:
        """What the disk says against it; None if it is written."""
        if not changes:
            return None
        try:
            self._file.apply(changes)
        except FAULTS as error:
            name = error.sqlite_errorname if isinstance(error, sqlite3.Error) else None
            return name or type(error).__name__
        return None

    async def finish(self) -> None:
        """Write what was asked for, and close the file; who asks later is told no."""
        while self._task is not None:
            await self._task
        self._closed = True
        self._file.close()
