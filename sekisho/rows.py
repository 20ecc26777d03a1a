"""Reads stored rows, read-only: the city's file, or the personal files one after another."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.statedir import StateDir


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
            yield from _select(file, wanted)
        return
    newest: list[tuple[Any, ...]] = []
    for file in reversed(files):
        newest += _select(file, wanted)
    newest.sort(key=lambda row: row[0])
    yield from newest[-wanted.limit :] if wanted.limit else []


def _files(state: StateDir, kind: DeviceKind) -> list[Path]:
    if not kind.personal:
        return [state.city_db] if state.city_db.exists() else []
    return sorted(state.personal_dir.glob("*.db"))


def _select(file: Path, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    columns = [column.name for column in table_columns(wanted.kind)]
    time = columns[0]
    conditions, values = [], []
    for condition, value in (
        (f"{time} >= ?", wanted.since),
        (f"{time} < ?", wanted.until),
        ("device = ?", wanted.device),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = (
        f" ORDER BY {time}"
        if wanted.limit is None
        else f" ORDER BY {time} DESC LIMIT {wanted.limit:d}"
    )
    query = f"SELECT {', '.join(columns)} FROM {wanted.kind.name}{where}{order}"  # noqa: S608
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            if _has_table(connection, wanted.kind.name):
                yield from connection.execute(query, values)
    except sqlite3.Error as error:
        raise Refusal(
            f"{file} cannot be read ({error}). It must be readable by this user, and a row file of "
            "this version of Sekisho."
        ) from error


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None
