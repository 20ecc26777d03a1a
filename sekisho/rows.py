"""Reads stored rows, read-only: the city's file, or the personal files one after another."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns, table_key
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.statedir import StateDir

_PAGE = 5000
"""Rows read at a time."""


class Wanted(NamedTuple):
    """Which rows: [since, until), of one device or all, the newest `limit` of them (None: all)."""

    kind: DeviceKind
    since: Instant | None
    until: Instant | None
    device: str | None
    limit: int | None


def rows(state: StateDir, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    """Rows in order of time, with the columns of `table_columns(kind)`.

    Raises:
        Refusal: a file cannot be read.
    """
    files = _files(state, wanted.kind)
    if wanted.limit is None:
        for file in files:
            yield from _pages(file, wanted)
        return
    time = table_key(wanted.kind)[0]
    newest: list[tuple[Any, ...]] = []
    for file in reversed(files):
        newest += _select(file, wanted, f"ORDER BY {time} DESC LIMIT {wanted.limit:d}")
    newest.sort(key=lambda row: row[0])
    yield from newest[-wanted.limit :] if wanted.limit else []


def _files(state: StateDir, kind: DeviceKind) -> list[Path]:
    if not kind.personal:
        return [state.city_db] if state.city_db.exists() else []
    return sorted(state.personal_dir.glob("*.db"))


def _pages(file: Path, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    """All rows of a file, some thousand at a time: whoever reads slowly holds no file open, so the
    gateway's journal never waits for a reader.
    """
    columns = [column.name for column in table_columns(wanted.kind)]
    key = table_key(wanted.kind)
    places = [columns.index(name) for name in key]
    after: tuple[Any, ...] | None = None
    while True:
        page = _select(file, wanted, f"ORDER BY {', '.join(key)} LIMIT {_PAGE}", after)
        yield from page
        if len(page) < _PAGE:
            return
        after = tuple(page[-1][place] for place in places)


def _select(
    file: Path, wanted: Wanted, order: str, after: tuple[Any, ...] | None = None
) -> list[tuple[Any, ...]]:
    """Rows of one file; `after`: only those whose key comes later than this one."""
    columns = [column.name for column in table_columns(wanted.kind)]
    key = table_key(wanted.kind)
    asked: list[tuple[str, Any]] = [
        (f"{key[0]} >= ?", wanted.since),
        (f"{key[0]} < ?", wanted.until),
        ("device = ?", wanted.device),
    ]
    conditions = [condition for condition, value in asked if value is not None]
    values = [value for _, value in asked if value is not None]
    if after is not None:
        conditions.append(f"({', '.join(key)}) > ({', '.join('?' * len(key))})")
        values += after
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT {', '.join(columns)} FROM {wanted.kind.name} {where} {order}"  # noqa: S608
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            if not _has_table(connection, wanted.kind.name):
                return []
            return connection.execute(query, values).fetchall()
    except sqlite3.Error as error:
        raise Refusal(
            f"{file} cannot be read ({error}). It must be readable by this user, and a row file of "
            "this version of Sekisho."
        ) from error


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None
