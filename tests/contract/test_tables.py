"""The tables on disk are those that the code describes, and the views show nothing that recognises a row."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns, table_key
from gateway.stores.declared import fit
from tests.fakes.declared import DECLARED

KINDS = [pytest.param(kind, id=name) for name, kind in {**catalog(), **DECLARED}.items()]
VIEWS = {
    "child_places": "minute_utc child lat lon battery_class cell leg",
    "tag_presences": "minute_utc tag stop vehicle antenna",
    "river_levels": "observed_at_utc device stage_m distance_m temperature_c battery_v clock late",
    "wildlife_sightings": "observed_at_utc device species count confidence "
    "box_x box_y box_w box_h model image clock late",
    "bicycles": "observed_at_utc device direction passer shaded_s in_count out_count interval_s "
    "blocked battery_v clock late",
    "counter_queues": "observed_at_utc device waiting open_desks last_called clock late",
    "people_flows": "observed_at_utc device towards_count away_count interval_s battery_v clock late",
    "weather": "observed_at_utc device temperature_c humidity_pct pressure_hpa wind_m_s gust_m_s "
    "wind_from_deg rain_mm rain_mm_h solar_w_m2 battery_v brightness clock late",
}
"""View → its columns."""


@pytest.fixture
def rooms() -> Iterator[dict[bool, sqlite3.Connection]]:
    """An empty file of each sort, made by the migrations; True is the personal one."""
    made = {True: sqlite3.connect(":memory:"), False: sqlite3.connect(":memory:")}
    for personal, db in made.items():
        if not personal:
            fit(db, Path("city.db"), DECLARED.values())
        room = files("gateway.stores").joinpath("migrations", "personal" if personal else "city")
        for script in sorted(room.iterdir(), key=lambda item: item.name):
            db.executescript(script.read_text("utf-8"))
    yield made
    for db in made.values():
        db.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_has_the_columns_its_kind_describes(
    rooms: dict[bool, sqlite3.Connection], kind: DeviceKind
) -> None:
    """Same names, same order, same types, NOT NULL where it is said, and nowhere else."""
    found = rooms[kind.personal].execute(f"PRAGMA table_info({kind.name})").fetchall()

    declared = [(name, type_ + " NOT NULL" * not_null) for _, name, type_, not_null, _, _ in found]
    assert declared == [(column.name, column.sql) for column in table_columns(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tables_key_is_its_identity_time_first(
    rooms: dict[bool, sqlite3.Connection], kind: DeviceKind
) -> None:
    found = rooms[kind.personal].execute(f"PRAGMA table_info({kind.name})").fetchall()

    key = sorted((place, name) for _, name, _, _, _, place in found if place)
    assert tuple(name for _, name in key) == table_key(kind)
    assert table_columns(kind)[0].name == table_key(kind)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_its_own_index(rooms: dict[bool, sqlite3.Connection], kind: DeviceKind) -> None:
    """WITHOUT ROWID: no hidden number tells in which order rows about people came."""
    with closing(rooms[kind.personal].cursor()) as cursor, pytest.raises(sqlite3.OperationalError):
        cursor.execute(f"SELECT rowid FROM {kind.name}")  # noqa: S608


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_never_lies_in_the_other_room(
    rooms: dict[bool, sqlite3.Connection], kind: DeviceKind
) -> None:
    """Rows about people have no table in `city.db`, the city's none in a personal file."""
    assert rooms[not kind.personal].execute(f"PRAGMA table_info({kind.name})").fetchall() == []


def test_views_show_text_times_and_no_identities(rooms: dict[bool, sqlite3.Connection]) -> None:
    """What people read: no key, no digest, no bookkeeping."""
    found = {}
    for db in rooms.values():
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='view'").fetchall():
            columns = db.execute(f"SELECT * FROM {name}").description  # noqa: S608
            found[name] = " ".join(column[0] for column in columns)

    assert found == VIEWS


def test_a_view_shows_the_minute_and_a_pseudonym_as_text(
    rooms: dict[bool, sqlite3.Connection],
) -> None:
    row = (1_778_555_820_000_000, bytes(16), bytes.fromhex("0a" * 16), 36.7, 137.2, 3)
    rooms[True].execute("INSERT INTO child_tracker VALUES (?,?,?,?,?,?,NULL,NULL)", row)

    (shown,) = rooms[True].execute("SELECT * FROM child_places").fetchall()

    assert shown == ("2026-05-12T03:17Z", "0a" * 16, 36.7, 137.2, 3, None, None)
