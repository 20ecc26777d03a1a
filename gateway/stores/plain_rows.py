"""Plain rows about people where rows are to be sealed: those of a gateway that could not seal yet."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns, table_key
from gateway.privacy.sealing import Sealed
from gateway.statedir import sync_directory, write_durably
from gateway.stores.sqlite_file import SEALED, SqliteFile, sound

NOTE = ".sealing"
"""The ending of the note that plain rows of a file are being sealed."""

_PAGE = 5000

Sealing = Callable[[str, tuple[Any, ...]], Sealed | None]
"""Kind and row → the row as it is sealed; None where nobody can tell whose it is, and it is not to stay."""


class Replaced(NamedTuple):
    """What became of the plain rows of a file.

    Attributes:
        sealed, dropped: how many were sealed, and how many deleted.
        gone: whether no byte of them is left; else somebody has been reading the file for longer than `PATIENCE_S`.
    """

    sealed: int
    dropped: int
    gone: bool


def waits(path: Path) -> bool:
    """Whether plain rows of a file are to be sealed, or those sealed are not out of it to the last byte.

    Raises:
        Refusal: it is damaged, or none of ours.
    """
    return _note(path).exists() or are_there(path)


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


def seal(path: Path, sealing: Sealing, generation: int, ruleset: str) -> Replaced:
    """Put sealed rows in the place of all plain ones, in one transaction, and overwrite those.

    Until their bytes are out of file and journal a note lies beside it, `<name>.sealing`, so that neither a kill nor a
    reader in between lets them be forgotten.

    Args:
        generation, ruleset: the rules that they were masked by.

    Raises:
        Refusal: the file is damaged, or none of ours.
    """
    sealed, dropped = 0, 0
    remember(path)
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
        gone = file.close()
    if gone:
        _note(path).unlink()
        sync_directory(path.parent)
    return Replaced(sealed, dropped, gone)


def remember(path: Path) -> None:
    """Note that plain bytes may lie in a file or its journal, until `seal` has seen them gone."""
    write_durably(_note(path), b"", 0o600)


def _note(path: Path) -> Path:
    return path.with_suffix(NOTE)


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
