"""What outlives connections, without a disk or with one, written at once."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from gateway.clock import Clock
from gateway.sessions.commands import Commands
from gateway.sessions.file import Change, SessionFile
from gateway.sessions.names import Names
from gateway.sessions.scribe import Done
from gateway.sessions.sessions import Sessions

KEY = bytes(range(32))


class PromptPen:
    """Satisfies `gateway.sessions.scribe.Pen`: writes before it returns, unless told otherwise.

    Attributes:
        written: every change that was made.
        broken: whether the disk refuses.
        slow: whether it waits for `catch_up`.
    """

    def __init__(self, file: SessionFile | None = None) -> None:
        self.file = file
        self.written: list[Change] = []
        self.broken = False
        self.slow = False
        self._asked: list[tuple[Sequence[Change], Done]] = []

    def write(self, changes: Sequence[Change], done: Done) -> None:
        self._asked.append((changes, done))
        if not self.slow:
            self.catch_up()

    def catch_up(self) -> None:
        """Write what waits."""
        asked, self._asked = self._asked, []
        for changes, done in asked:
            done(self._apply(changes))

    def _apply(self, changes: Sequence[Change]) -> bool:
        if self.broken:
            return False
        if self.file is not None:
            try:
                self.file.apply(changes)
            except sqlite3.Error:
                return False
        self.written += changes
        return True


class Desk:
    """Sessions and commands of one life of a gateway; the next life reads the same file."""

    def __init__(self, clock: Clock, path: Path | None = None, key: bytes = KEY) -> None:
        self.names = Names(key)
        file = None if path is None else SessionFile(path)
        self.pen = PromptPen(file)
        self.commands = Commands(self.names, self.pen, clock)
        self.sessions = Sessions(self.names, self.pen, clock, self.commands.forget_session)
        self.unreadable = 0
        if file is not None:
            self.unreadable = self.sessions.load(file) + self.commands.load(file)
