"""One household's rows in a file of rows about people: how many there are, and how they are taken away."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from gateway.model.errors import Refusal
from gateway.privacy.sealing import Damaged, FileSeal, RowKey
from gateway.stores.sqlite_file import SEALED

PLAIN = "child_tracker"
"""The kind, and the table, of plain rows that are a household's: they bear a pseudonym."""
_AT_ONCE = 500
PATIENCE_S = 5.0
"""How long the deletion of plain rows waits for others."""


class Rows(NamedTuple):
    """Rows in one file.

    Attributes:
        all: of everybody, plain and sealed.
        theirs: of the household; None where nobody can tell, because the file's key is gone.
        readable: of theirs, those that somebody with today's keys can read.
        nobodys: plain rows that bear nobody's pseudonym: anybody's, and nobody can tell whose.
    """

    all: int
    theirs: int | None
    readable: int
    nobodys: int


def minutes(path: Path) -> tuple[int, int] | None:
    """The first and the last minute of plain rows; None where there is none."""
    with _reading(path) as db:
        first, last = db.execute(f"SELECT min(minute), max(minute) FROM {PLAIN}").fetchone()  # noqa: S608
    return None if first is None else (first, last)


def of_household(
    path: Path,
    key: bytes | None,
    name: bytes | None,
    keys: Mapping[bytes, RowKey],
    pseudonyms: Iterable[bytes],
) -> Rows:
    """Count a household's rows in a file, which is only read.

    Args:
        key: the file's, None where it is destroyed.
        name: id of the household's key; None where it never had one.
        keys: every household's key that there still is, by id.
        pseudonyms: under which it has plain rows, if it has any.

    Raises:
        Refusal: this is no file of rows about people, or it cannot be read.
    """
    with _reading(path) as db:
        (sealed,) = db.execute(f"SELECT count(*) FROM {SEALED}").fetchone()  # noqa: S608
        (plain,) = db.execute(f"SELECT count(*) FROM {PLAIN}").fetchone()  # noqa: S608
        without = _without_pseudonym(db)
        theirs = _plain_rows(db, pseudonyms)
        if key is None:
            return Rows(sealed + plain, None if sealed else theirs, theirs, without)
        said = db.execute("SELECT ruleset FROM rules").fetchone()
        seal = FileSeal(path.stem, said[0] if said else "", key)
        readable = theirs
        for row in db.execute(f"SELECT minute, identity, body FROM {SEALED}"):  # noqa: S608
            if name is not None and _named(seal, row) == name:
                theirs += 1
                readable += seal.open(row, keys) is not None
    return Rows(sealed + plain, theirs, readable, without)


def nobodys(path: Path) -> int:
    """Plain rows in a file that bear nobody's pseudonym.

    Raises:
        Refusal: it cannot be read.
    """
    with _reading(path) as db:
        return _without_pseudonym(db)


def take_away(path: Path, pseudonyms: Iterable[bytes]) -> int:
    """Delete a household's plain rows, overwritten, and empty the journal of them; how many there were.

    Raises:
        sqlite3.Error: the disk does not take it, or somebody else is writing for longer than `PATIENCE_S`.
        Refusal: the rows are gone, but somebody reads the file, and its journal still holds them.
    """
    gone = 0
    with closing(sqlite3.connect(path, isolation_level=None, timeout=PATIENCE_S)) as db:
        db.execute("PRAGMA secure_delete=ON")
        db.execute("BEGIN IMMEDIATE")
        for some in _portions(pseudonyms):
            marks = ",".join("?" * len(some))
            sql = f"DELETE FROM {PLAIN} WHERE pseudonym IN ({marks})"  # noqa: S608
            gone += db.execute(sql, some).rowcount
        db.execute("COMMIT")
        busy, _frames, _done = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise Refusal(
            f"The journal of {path.name} still holds rows of the household: another program has been reading that "
            "file. End it, and erase the household again, or start the gateway: either finishes this erasure."
        )
    return gone


def _without_pseudonym(db: sqlite3.Connection) -> int:
    query = f"SELECT count(*) FROM {PLAIN} WHERE pseudonym IS NULL"  # noqa: S608
    return int(db.execute(query).fetchone()[0])


def _plain_rows(db: sqlite3.Connection, pseudonyms: Iterable[bytes]) -> int:
    found = 0
    for some in _portions(pseudonyms):
        marks = ",".join("?" * len(some))
        sql = f"SELECT count(*) FROM {PLAIN} WHERE pseudonym IN ({marks})"  # noqa: S608
        found += db.execute(sql, some).fetchone()[0]
    return found


def _portions(pseudonyms: Iterable[bytes]) -> Iterator[list[bytes]]:
    every = list(pseudonyms)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]


def _named(seal: FileSeal, row: tuple[int, bytes, bytes]) -> bytes | None:
    """Whose key a row is sealed under; None for one that is damaged."""
    try:
        return seal.name(row)
    except Damaged:
        return None


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            yield db
    except sqlite3.Error as error:
        raise Refusal(
            f"{path} cannot be read as rows about people ({error}). It must be readable by this user, and "
            "a file of this version of Sekisho: a gateway that starts on a directory brings its files up to date."
        ) from error
