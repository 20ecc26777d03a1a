"""What outlives connections, without a disk or with one, written at once."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from random import Random

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


class LatePen:
    """Satisfies `gateway.sessions.scribe.Pen`: forgets what it writes; late, and refusing one in twenty, where it is told so."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: Random, *, late: bool) -> None:
        self._loop = loop
        self._dice = dice
        self._late = late
        self._due_s = 0.0

    def write(self, _changes: Sequence[Change], done: Done) -> None:
        """In the order of asking."""
        if not self._late:
            done(True)
            return
        sort = self._dice.random()
        due_s = self._loop.time() + (3.0 if sort < 0.01 else 0.5 if sort < 0.05 else 0.01)
        self._due_s = max(self._due_s + 1e-6, due_s)
        self._loop.call_at(self._due_s, done, self._dice.random() >= 0.05)


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
