"""Plain rows about people where rows are to be sealed: those of a gateway that could not seal yet."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns, table_key
from gateway.privacy.sealing import Sealed
from gateway.stores.sqlite_file import SEALED, SqliteFile, sound

_PAGE = 5000

Sealing = Callable[[str, tuple[Any, ...]], Sealed | None]
"""Kind and row → the row as it is sealed; None where nobody can tell whose it is, and it is not to stay."""


def are_there(path: Path) -> bool:
    """Whether a file of rows about people holds any in plain.

    Raises:
        Refusal: it is damaged, or none of ours.
    """
    with sound(path), closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        known = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        return any(
            db.execute(f"SELECT 1 FROM {kind.name} LIMIT 1").fetchone()  # noqa: S608
            for kind in _people()
            if kind.name in known
        )


def seal(path: Path, sealing: Sealing, generation: int, ruleset: str) -> tuple[int, int]:
    """Put sealed rows in the place of all plain ones, in one transaction; overwritten, and gone from the journal
    when this returns. How many were sealed, and how many were dropped.

    Args:
        generation, ruleset: the rules that they were masked by.

    Raises:
        Refusal: the file is damaged, or none of ours.
    """
    sealed, dropped = 0, 0
    file = SqliteFile(path, "personal")
    try:
        with sound(path):
            file.db.execute("BEGIN IMMEDIATE")
            file.name_rules(generation, ruleset)
            for kind in _people():
                for page in _pages(file, kind):
                    made = [said for row in page if (said := sealing(kind.name, row)) is not None]
                    file.insert(SEALED, made)
                    sealed += len(made)
                    dropped += len(page) - len(made)
                file.db.execute(f"DELETE FROM {kind.name}")  # noqa: S608
            file.db.execute("COMMIT")
    finally:
        file.close()
    return sealed, dropped


def _people() -> Iterator[DeviceKind]:
    return (kind for kind in catalog().values() if kind.personal)


def _pages(file: SqliteFile, kind: DeviceKind) -> Iterator[list[tuple[Any, ...]]]:
    columns = ", ".join(column.name for column in table_columns(kind))
    key = ", ".join(table_key(kind))
    query = f"SELECT {columns} FROM {kind.name} WHERE ({key}) > (?,?) ORDER BY {key} LIMIT {_PAGE}"  # noqa: S608
    after: tuple[Any, ...] = (-(1 << 63), b"")
    while page := file.select(query, after):
        yield page
        after = page[-1][:2]
