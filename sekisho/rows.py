"""Reads stored rows, read-only: the city's file, or the personal files one after another."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from gateway.devices.kind import DeviceKind
from gateway.devices.tables import SEALED_ROW, table_columns, table_key
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.statedir import StateDir
from gateway.stores.sqlite_file import SEALED
from sekisho.sealed_rows import SealedRows

_PAGE = 5000
"""Rows read at a time."""

Row = tuple[Any, ...]


class Wanted(NamedTuple):
    """Which rows: [since, until), of one device or all, the newest `limit` of them (None: all)."""

    kind: DeviceKind
    since: Instant | None = None
    until: Instant | None = None
    device: str | None = None
    limit: int | None = None


def rows(state: StateDir, wanted: Wanted, sealed: SealedRows | None = None) -> Iterator[Row]:
    """Rows in order of time, with the columns of `table_columns(kind)`.

    Args:
        sealed: opens rows about people, where they are sealed.

    Raises:
        Refusal: a file cannot be read.
    """
    files = _files(state, wanted.kind)
    if wanted.limit is None:
        for file in files:
            yield from of_file(file, wanted, sealed)
        return
    newest: list[Row] = []
    for file in reversed(files):
        newest += islice(of_file(file, wanted, sealed, newest=True), wanted.limit)
    newest.sort(key=lambda row: row[0])
    yield from newest[-wanted.limit :] if wanted.limit else []


def _files(state: StateDir, kind: DeviceKind) -> list[Path]:
    if not kind.personal:
        return [state.city_db] if state.city_db.exists() else []
    return sorted(state.personal_dir.glob("*.db"))


def of_file(
    file: Path, wanted: Wanted, sealed: SealedRows | None, *, newest: bool = False
) -> Iterator[Row]:
    """The rows of one file, oldest or newest first, some thousand at a time: whoever reads slowly holds no
    file open, so the gateway's journal never waits for a reader.
    """
    kind = wanted.kind
    every = SEALED_ROW if sealed and kind.personal else table_columns(kind)
    columns, key = [column.name for column in every], table_key(kind)
    places = [columns.index(name) for name in key]
    width = len(table_columns(kind))
    after: Row | None = None
    while True:
        query, values = _asked(wanted, columns, after, sealed=every is SEALED_ROW, newest=newest)
        try:
            with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as db:
                if not _has_table(db, SEALED if every is SEALED_ROW else kind.name):
                    return
                page = db.execute(query, values).fetchall()
                seal = sealed.seal(file, db) if sealed and every is SEALED_ROW and page else None
        except sqlite3.Error as error:
            raise Refusal(
                f"{file} cannot be read ({error}). It must be readable by this user, and a row file of "
                "this version of Sekisho."
            ) from error
        if sealed is None or seal is None:
            yield from page
        else:
            for name, row in sealed.opened(file, seal, page):
                if name == kind.name:
                    yield (*row, *(None,) * (width - len(row)))
        if len(page) < _PAGE:
            return
        after = tuple(page[-1][place] for place in places)


def _asked(
    wanted: Wanted, columns: list[str], after: Row | None, *, sealed: bool, newest: bool
) -> tuple[str, list[Any]]:
    """The query of a page and its values; `after`: only rows whose key comes later (newest first: earlier)."""
    key = table_key(wanted.kind)
    asked: list[tuple[str, Any]] = [
        (f"{key[0]} >= ?", wanted.since),
        (f"{key[0]} < ?", wanted.until),
        ("device = ?", wanted.device),
    ]
    conditions = [condition for condition, value in asked if value is not None]
    values = [value for _, value in asked if value is not None]
    if after is not None:
        sign = "<" if newest else ">"
        conditions.append(f"({', '.join(key)}) {sign} ({', '.join('?' * len(key))})")
        values += after
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    order = ", ".join(f"{name} DESC" if newest else name for name in key)
    table = SEALED if sealed else wanted.kind.name
    return (
        f"SELECT {', '.join(columns)} FROM {table} {where} ORDER BY {order} LIMIT {_PAGE}",  # noqa: S608
        values,
    )


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None
