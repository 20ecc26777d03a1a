"""Opens `registry.db`: owner-only, durable, with deleted bytes overwritten, at the newest form."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

from gateway.model.errors import Refusal


class Uncertain(Refusal):
    """The disk failed while a change was made durable: it may be there when the registry is opened next."""


PATIENCE_S = 5.0
"""How long a change, or an emptying of the journal, waits for others."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to the migrated database; made (0600) where there is none.

    Raises:
        Refusal: not readable by this user, not a database, or made by a newer Sekisho.
    """
    try:
        _make(path)
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=PATIENCE_S, check_same_thread=False
        )
    except (OSError, sqlite3.OperationalError) as error:
        raise Refusal(
            f"The registry {path} cannot be opened ({error}). It must belong to the user who runs "
            "this command."
        ) from error
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise Refusal(
            f"{path} is not a usable registry ({error}). Bring it back from a backup; "
            "rows that are stored already are not touched."
        ) from error
    except Refusal:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """An empty file where there is none; one that is there is not touched.

    To open and close it would drop the locks of whoever in this process has it open (POSIX), and then another process that
    closes it would take the log away under them: what they write from then on is lost.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction, durable when the block ends; nothing of it where the block raises.

    Raises:
        Refusal: another process changes the registry for longer than five seconds, or the disk
            does not take the change.
        Uncertain: the disk failed at its very end.
    """
    ends = False
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            ends = True
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.OperationalError as error:
        if ends and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR:
            raise Uncertain(
                f"The disk of the registry failed ({error}) while a change was made durable: it may be there when the registry is "
                "opened next, and whatever it takes back is taken back then in any case. Mend the disk, look what stands "
                "there, and repeat what does not."
            ) from error
        raise Refusal(
            f"The registry could not be changed ({error}), and nothing of the change was kept. "
            "Another command may be at work on it, or the disk is full: try again."
        ) from error


def settle(connection: sqlite3.Connection, wait_s: float | None = None) -> bool:
    """Empty the journal, so that nothing deleted stays in it; False where somebody is reading for longer than
    `wait_s` seconds (left out: as long as a change would wait).
    """
    if wait_s is not None:
        _wait(connection, wait_s)
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        _wait(connection, PATIENCE_S)
    return not busy


def _wait(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Run every numbered migration that is newer than the file, each in one transaction."""
    steps = _steps()
    if _version(connection) > len(steps):
        raise Refusal(
            f"{path} was made by a newer Sekisho (form {_version(connection)}; this one knows "
            f"{len(steps)}). Nothing was touched. Install the newer version."
        )
    for number, script in enumerate(steps, start=1):
        if _version(connection) >= number:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) < number:
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _steps() -> list[str]:
    folder = files("gateway.registry") / "migrations"
    scripts = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [script.read_text("utf-8") for script in scripts]


def _statements(script: str) -> list[str]:
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return found
