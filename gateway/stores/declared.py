"""Tables of declared kinds in `city.db`: made when the kind is new, widened when it has a new field."""

import re
import sqlite3
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns, table_key
from gateway.model.errors import Refusal


@cache
def taken() -> frozenset[str]:
    """Names in `city.db` that no declared kind may have: the tables and views of the migrations."""
    scripts = files("gateway.stores").joinpath("migrations", "city").iterdir()
    text = "\n".join(script.read_text("utf-8") for script in scripts)
    return frozenset(re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", text, re.MULTILINE))


def fit(db: sqlite3.Connection, file: Path, kinds: Iterable[DeviceKind]) -> None:
    """Give every declared kind its table; what is stored already is never changed.

    Raises:
        Refusal: a declaration lost a column that has rows, or changed its type.
    """
    for kind in kinds:
        there = {name: sql for _, name, sql, *_ in db.execute(f"PRAGMA table_info({kind.name})")}
        if not there:
            columns = [f"{column.name} {column.sql}" for column in table_columns(kind)]
            key = f"PRIMARY KEY ({', '.join(table_key(kind))})"
            db.execute(f"CREATE TABLE {kind.name} ({', '.join([*columns, key])}) WITHOUT ROWID")
            continue
        _refuse_changes(kind, there, file)
        for column in table_columns(kind):
            if column.name not in there:
                db.execute(f"ALTER TABLE {kind.name} ADD COLUMN {column.name} {column.sql}")


def _refuse_changes(kind: DeviceKind, there: dict[str, str], file: Path) -> None:
    wanted = {column.name: column.sql.split()[0] for column in table_columns(kind)}
    lost = sorted(there.keys() - wanted.keys())
    changed = sorted(name for name in there.keys() & wanted if there[name] != wanted[name])
    if not lost and not changed:
        return
    what = f"no longer keeps {lost[0]}" if lost else f"keeps {changed[0]} as another sort of number"
    raise Refusal(
        f"The kind {kind.name} {what}, and {file} has a table of that name with such a column. Nothing "
        "was changed. Put the field back (public, and required: false if no device sends it any more), "
        "or declare the new form under a new name."
    )
