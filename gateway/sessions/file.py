"""`sessions.db`: opened owner-only, durable and forgetful; read once, then only written.

It is no part of a backup, and the only file that may change for an uplink of which nothing is kept.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from gateway.model.errors import Refusal

FORM = 1
_TABLES = """
CREATE TABLE sessions (session BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE subscriptions (
  session BLOB NOT NULL, subscription BLOB PRIMARY KEY, qos INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX subscriptions_of ON subscriptions (session);
CREATE TABLE commands (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
"""

_RADIO = "CREATE TABLE IF NOT EXISTS radio (session BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID"
"""In files of before LoRaWAN, too."""

_AIR = "CREATE TABLE IF NOT EXISTS air (transmitter BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID"

_IDENTITY = "CREATE TABLE IF NOT EXISTS identity (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), id BLOB)"
_ID = 16

PUT_SESSION = "INSERT OR REPLACE INTO sessions VALUES (?,?)"
DROP_SESSION = "DELETE FROM sessions WHERE session = ?"
PUT_SUBSCRIPTION = "INSERT OR REPLACE INTO subscriptions VALUES (?,?,?)"
DROP_SUBSCRIPTION = "DELETE FROM subscriptions WHERE subscription = ?"
DROP_SUBSCRIPTIONS = "DELETE FROM subscriptions WHERE session = ?"
PUT_COMMAND = "INSERT OR REPLACE INTO commands VALUES (?,?)"
PUT_AIR = "INSERT OR REPLACE INTO air VALUES (?,?)"
PUT_RADIO = "INSERT OR REPLACE INTO radio VALUES (?,?)"
DROP_RADIO = "DELETE FROM radio WHERE session = ?"
DROP_ALL_RADIO = "DELETE FROM radio"
DROP_COMMAND = "DELETE FROM commands WHERE number = ?"

Change: TypeAlias = tuple[str, tuple[Any, ...]]
"""One of the statements above, with its values."""

FAULTS = (OSError, sqlite3.Error)
"""What a disk or a mount that refuses comes to."""


class SessionFile:
    """The file, with one writer: this one.

    Attributes:
        id: drawn when the file was made; no copy of a directory without it has the same one.

    Raises:
        Refusal: it cannot be opened, is damaged, or was made by a newer Sekisho.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            (form,) = self._db.execute("PRAGMA user_version").fetchone()
            if not form:
                self._db.executescript(f"BEGIN;{_TABLES}PRAGMA user_version={FORM};COMMIT;")
            if form <= FORM:
                self._db.execute(_RADIO)
                self._db.execute(_AIR)
                self._db.execute(_IDENTITY)
                self.id = self._identity()
        except FAULTS as error:
            raise Refusal(
                f"{path} cannot be used ({error}). It holds what clients are remembered by and the "
                "commands that wait. Mend the disk or the file's owner; if the file is damaged, move it "
                "away: clients then begin anew, and commands that waited must be given again."
            ) from error
        if form > FORM:
            raise Refusal(
                f"{path} was written by a newer Sekisho (form {form}; this one knows {FORM}). "
                "Install that version, or use another --state."
            )

    def _identity(self) -> bytes:
        drawn = secrets.token_bytes(_ID)
        self._db.execute("INSERT OR IGNORE INTO identity VALUES (1, ?)", (drawn,))
        return bytes(self._db.execute("SELECT id FROM identity").fetchone()[0])

    def sessions(self) -> list[tuple[bytes, bytes]]:
        """(session, sealed) of every session."""
        return self._db.execute("SELECT session, sealed FROM sessions").fetchall()

    def subscriptions(self) -> list[tuple[bytes, bytes, int]]:
        """(session, subscription, QoS) of every subscription."""
        return self._db.execute("SELECT session, subscription, qos FROM subscriptions").fetchall()

    def commands(self) -> list[tuple[int, bytes]]:
        """(number, sealed) of every command, oldest first."""
        return self._db.execute("SELECT number, sealed FROM commands ORDER BY number").fetchall()

    def radio(self) -> list[tuple[bytes, bytes]]:
        """(session, sealed) of every LoRaWAN session."""
        return self._db.execute("SELECT session, sealed FROM radio").fetchall()

    def air(self) -> list[tuple[bytes, bytes]]:
        """(transmitter, sealed) of every forwarder's airtime."""
        return self._db.execute("SELECT transmitter, sealed FROM air").fetchall()

    def forget_radio(self) -> None:
        """Drop every LoRaWAN session.

        Raises:
            Refusal: the disk does not take it.
        """
        try:
            self.apply([(DROP_ALL_RADIO, ())])
        except FAULTS as error:
            raise Refusal(
                f"{self.path} cannot be written ({error}). Mend the disk, and start again."
            ) from error

    def apply(self, changes: Iterable[Change]) -> None:
        """Make all changes, durable when this returns; or raise one of `FAULTS` and make none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for statement, values in changes:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")
        except FAULTS:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._db.close()
