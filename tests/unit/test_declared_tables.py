"""Tables of declared kinds grow, and never lose or change what is stored."""

import sqlite3
from pathlib import Path

import pytest

from gateway.devices.catalog import declare
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns
from gateway.model.errors import Refusal
from gateway.stores.declared import fit
from gateway.stores.sqlite_file import SqliteFile
from tests.fakes.declared import EVERY_SORT


def columns(db: sqlite3.Connection) -> list[str]:
    return [row[1] for row in db.execute("PRAGMA table_info(every_sort)")]


def test_a_table_grows_with_its_declaration() -> None:
    """A field that is new becomes a column behind the others; again and again nothing changes."""
    db = sqlite3.connect(":memory:")
    whole = [column.name for column in table_columns(EVERY_SORT)]
    changed = {slot: getattr(EVERY_SORT, slot) for slot in EVERY_SORT.__slots__}
    smaller = DeviceKind(**changed | {"columns": EVERY_SORT.columns[1:]})

    fit(db, Path("city.db"), [smaller])
    assert columns(db) == [name for name in whole if name != "tiny"]
    for _ in range(2):
        fit(db, Path("city.db"), [EVERY_SORT])
        assert columns(db) == [*(name for name in whole if name != "tiny"), "tiny"]
    with pytest.raises(Refusal, match="no longer keeps tiny"):
        fit(db, Path("city.db"), [smaller])
    db.close()


def test_values_find_their_columns_in_a_table_that_grew(tmp_path: Path) -> None:
    """A column that came later lies last in the table, and first in the kind: no value is misplaced."""
    changed = {slot: getattr(EVERY_SORT, slot) for slot in EVERY_SORT.__slots__}
    declare([DeviceKind(**changed | {"columns": EVERY_SORT.columns[1:]})])
    SqliteFile(tmp_path / "city.db", "city").close()
    declare([EVERY_SORT])
    file = SqliteFile(tmp_path / "city.db", "city")
    row = (1, "d-1", 2, b"12345678", 0, 3, "device", 0, -0.5, 12.3, 7, 8, 9.999, 1.5)

    assert file.insert("every_sort", [row]) == ([], [])
    assert file.insert("every_sort", [row]) == ([0], [])

    (found,) = file.select("SELECT tiny, small, medium, large, signed, real FROM every_sort")
    assert found == (-0.5, 12.3, 7, 8, 9.999, 1.5)
    file.close()


def test_a_number_that_changes_its_sort_is_refused() -> None:
    """What is stored as a whole number is never read as another."""
    db = sqlite3.connect(":memory:")
    changed = {slot: getattr(EVERY_SORT, slot) for slot in EVERY_SORT.__slots__}
    column = EVERY_SORT.columns[0]
    other = type(column)(column.name, "INTEGER")
    fit(db, Path("city.db"), [EVERY_SORT])

    with pytest.raises(Refusal, match="keeps tiny as another sort of number"):
        fit(
            db,
            Path("city.db"),
            [DeviceKind(**changed | {"columns": (other, *EVERY_SORT.columns[1:])})],
        )
    db.close()
