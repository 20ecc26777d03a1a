"""One SQLite file: opened durable and forgetful, migrated, and written in multi-row statements."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

from gateway.devices.catalog import catalog, declared
from gateway.devices.tables import SEALED_ROW, table_columns
from gateway.model.errors import Refusal
from gateway.stores.declared import fit

SEALED = "sealed"
"""The table of a personal file that holds the sealed rows of every kind."""

PATIENCE_S = 5.0
"""How long to wait for whoever else has the file open, and try again meanwhile."""

_ROWS = 48
"""Rows in one INSERT: between 32 and 64 the cost per row is lowest."""

_FEW = 2
"""Rows that go in one by one: a savepoint round them would cost more than it saves."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # durable before the acknowledgement; nearly free in batches
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten
    "PRAGMA temp_store=MEMORY",  # no temporary file outside the state directory
    "PRAGMA cache_size=-16384",  # 16 MiB: the leaves of one minute of a large city
    "PRAGMA wal_autocheckpoint=4000",
)


_POISON = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    ValueError,
)
"""What a single row that no table takes comes to; anything else is no fault of a row."""


_MENDABLE = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip
"""Operational errors that come from outside and may go again; any other is the same at every try."""


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Tell a file that no waiting mends from a disk that refuses for a while.

    Raises:
        Refusal: SQLite finds the file damaged, or none of its own, or it has not our tables.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code & 0xFF in _MENDABLE:
            raise
        raise Refusal(
            f"{path} is not the database that this Sekisho made ({error}), so nothing can be stored in "
            "it. What was not acknowledged comes again. Bring the file back from a backup, or move it "
            f"away with what lies beside it as {path.name}-wal and {path.name}-shm: a new one is made."
        ) from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise Refusal(
            f"{path} is damaged ({error.sqlite_errorname}), so nothing can be stored in it. What was "
            "not acknowledged comes again. Bring the file back from a backup, or move it away with "
            f"what lies beside it as {path.name}-wal and {path.name}-shm: a new one is made."
        ) from error


class SqliteFile:
    """A database file with one writer, this one.

    Args:
        path: where it lies; made with mode 0600 if it does not exist.
        room: which migrations it follows, "city" or "personal".
    """

    def __init__(self, path: Path, room: str) -> None:
        self.path = path
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self.db = sqlite3.connect(
            path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        self._inserts: dict[tuple[str, int, int], str] = {}
        with sound(path):
            for pragma in _PRAGMAS:
                self.db.execute(pragma)
            self._migrate(room)
            if room == "city":
                fit(self.db, path, declared().values())

    def _migrate(self, room: str) -> None:
        """Bring the file to the newest schema; each migration is one transaction."""
        (done,) = self.db.execute("PRAGMA user_version").fetchone()
        scripts = sorted(
            (item for item in files("gateway.stores").joinpath("migrations", room).iterdir()),
            key=lambda item: item.name,
        )
        if done > len(scripts):
            raise Refusal(
                f"{self.path} was written by a newer Sekisho (schema {done}, this one knows "
                f"{len(scripts)}). Use that version, or another --state."
            )
        for number, script in enumerate(scripts[done:], start=done + 1):
            self.db.executescript(
                f"BEGIN IMMEDIATE;\n{script.read_text('utf-8')}\n"
                f"PRAGMA user_version={number};\nCOMMIT;"
            )

    def name_rules(self, generation: int, ruleset: str) -> None:
        """Say inside the open transaction by which rules the rows of a personal file were masked."""
        values = (generation, ruleset)
        self.db.execute("INSERT INTO rules VALUES (1,?,?) ON CONFLICT DO NOTHING", values)

    def insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> tuple[list[int], list[int]]:
        """Insert rows inside the open transaction; what is there already stays.

        Returns:
            positions of rows that were there already, and of rows that the table would not take.
        """
        duplicates: list[int] = []
        refused: list[int] = []
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            if len(some) > _FEW and self._insert_together(table, some):
                continue
            for position, row in enumerate(some, start=start):
                try:
                    if not self.db.execute(self._sql(table, len(row), 1), row).rowcount:
                        duplicates.append(position)
                except _POISON:
                    refused.append(position)
        return duplicates, refused

    def _insert_together(self, table: str, rows: Sequence[tuple[Any, ...]]) -> bool:
        """One statement for all rows; False (and nothing inserted) unless every row was new."""
        self.db.execute("SAVEPOINT together")
        try:
            sql = self._sql(table, len(rows[0]), len(rows))
            cursor = self.db.execute(sql, list(chain.from_iterable(rows)))
            whole = cursor.rowcount == len(rows)
        except _POISON:
            whole = False
        if not whole:
            self.db.execute("ROLLBACK TO together")
        self.db.execute("RELEASE together")
        return whole

    def _sql(self, table: str, width: int, n: int) -> str:
        sql = self._inserts.get((table, width, n))
        if sql is None:
            values = ",".join(["(" + ",".join("?" * width) + ")"] * n)
            # OR IGNORE would swallow a NOT NULL violation too: an acknowledged loss
            columns = SEALED_ROW if table == SEALED else table_columns(catalog()[table])
            names = ",".join(column.name for column in columns)
            sql = f"INSERT INTO {table} ({names}) VALUES {values} ON CONFLICT DO NOTHING"  # noqa: S608
            self._inserts[table, width, n] = sql
        return sql

    def select(self, sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of one query."""
        with sound(self.path):
            return self.db.execute(sql, tuple(values)).fetchall()

    def close(self) -> bool:
        """Checkpoint, so that one file holds everything, and close.

        Returns:
            whether it does: somebody who reads longer than `PATIENCE_S` keeps it in two, file and journal.
        """
        with sound(self.path):
            busy, _, _ = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self.db.close()
        return not busy

    def abandon(self) -> None:
        """Close a file that is about to be removed: a disk that takes nothing cannot keep it."""
        self.db.close()
