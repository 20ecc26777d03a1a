"""What only the SQLite store promises: its files, modes, pragmas, migrations, and a disk that refuses."""

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest

from gateway.interfaces import Committed, Table
from gateway.model.errors import Refusal
from gateway.model.instant import HOUR
from gateway.stores.sqlite import SqliteStore
from gateway.stores.sqlite_file import SqliteFile
from gateway.telemetry import Facts
from tests.fakes.readings import NOON
from tests.fakes.store import WEEK_20, child_row, gauge_row, outcome_of, sealed_row

WEEK_21 = "store-2026-W21"


class Place:
    """A state directory's rows: where they lie, and stores on them that are closed in the end."""

    def __init__(self, path: Path) -> None:
        self.city = path / "city.db"
        self.personal = path / "personal"
        self.personal.mkdir(mode=0o700)
        self.facts = Facts()
        self.opened: list[SqliteStore] = []

    def store(self) -> SqliteStore:
        self.opened.append(SqliteStore(self.city, self.personal, self.facts))
        return self.opened[-1]

    def select(self, path: Path, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    for store in made.opened:
        await store.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else run until it is so; the test's timeout is the bound."""
    while not condition():
        await asyncio.sleep(0)


async def test_every_file_is_its_owners_alone(place: Place) -> None:
    """0600, journals too, whatever the umask of the process."""
    await place.store().commit(outcome_of(child_row(1), gauge_row(1)))

    files = [*place.city.parent.glob("city.db*"), *place.personal.iterdir()]
    assert len(files) == 6
    assert {S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert S_IMODE(place.personal.stat().st_mode) == 0o700


async def test_a_clean_stop_leaves_one_file_each(place: Place) -> None:
    """No journal stays behind: a copy of the file is a copy of the rows."""
    await place.store().commit(outcome_of(child_row(1), gauge_row(1)))
    await place.opened.pop().close()

    assert [path.name for path in place.city.parent.glob("city.db*")] == ["city.db"]
    assert [path.name for path in place.personal.iterdir()] == [f"{WEEK_20}.db"]


async def test_sealed_rows_of_every_kind_lie_in_one_table(place: Place) -> None:
    """Nobody can count a kind's rows; what comes again is a duplicate, also after a start, and the file names its rules."""
    store = SqliteStore(place.city, place.personal, place.facts, (3, "ab" * 32), sealed=True)
    place.opened.append(store)
    outcome = outcome_of(sealed_row(1), sealed_row(2))

    assert await store.commit(outcome) == Committed()
    again = await store.commit(outcome_of(sealed_row(2), sealed_row(3)))

    table: Table = (WEEK_20, "child_tracker")
    assert again.duplicates == {table: {0}}
    file = place.personal / f"{WEEK_20}.db"
    assert place.select(file, "SELECT count(*) FROM sealed") == [(3,)]
    assert place.select(file, "SELECT count(*) FROM child_tracker") == [(0,)]
    assert place.select(file, "SELECT generation, ruleset FROM rules") == [(3, "ab" * 32)]
    assert len(store.recent_identities(NOON)) == 3
    assert store.recent_identities(NOON + 1) == []


@pytest.mark.parametrize("room", ["city", "personal"])
def test_the_promised_pragmas_are_in_force(tmp_path: Path, room: str) -> None:
    """WAL, a sync at every commit, what is deleted overwritten, no temporary files."""
    file = SqliteFile(tmp_path / "a.db", room)
    names = ("journal_mode", "synchronous", "secure_delete", "temp_store")
    said = {name: file.select(f"PRAGMA {name}")[0][0] for name in names}
    file.close()

    assert said == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "temp_store": 2}


@pytest.mark.parametrize("room", ["city", "personal"])
def test_a_file_opened_twice_is_migrated_once(tmp_path: Path, room: str) -> None:
    for _ in range(2):
        file = SqliteFile(tmp_path / "a.db", room)
        schema = file.select("SELECT name, sql FROM sqlite_master ORDER BY name")
        version = file.select("PRAGMA user_version")
        file.close()

        assert version[0][0] >= 1
        assert len(schema) > 2


def test_a_file_of_a_newer_version_is_refused_and_left_alone(place: Place) -> None:
    """The sentence says which version and what to do."""
    SqliteFile(place.city, "city").close()
    with closing(sqlite3.connect(place.city)) as db:
        db.execute("PRAGMA user_version=99")
    before = place.city.read_bytes()

    with pytest.raises(Refusal, match=r"newer Sekisho \(schema 99, .* another --state"):
        place.store()

    assert place.city.read_bytes() == before


async def test_personal_files_are_on_disk_before_the_citys(place: Place) -> None:
    """Decisions 7: while the city's file is locked, the personal row can be read already."""
    store = place.store()
    await store.commit(outcome_of(child_row(0)))
    with closing(sqlite3.connect(place.city)) as other:
        other.execute("BEGIN IMMEDIATE")
        commit = asyncio.create_task(store.commit(outcome_of(gauge_row(1), child_row(1))))
        count = "SELECT count(*) FROM child_tracker"
        await until(lambda: place.select(place.personal / f"{WEEK_20}.db", count) == [(2,)])

        assert not commit.done()
        other.rollback()
    assert await commit == Committed()
    assert place.select(place.city, "SELECT counter FROM river_gauge") == [(1,)]


async def test_a_disk_that_refuses_makes_the_commit_wait_until_it_takes(place: Place) -> None:
    """The directory of personal files is gone for a while: said once, tried again, then committed."""
    store = place.store()
    away = place.personal.rename(place.personal.with_name("away"))

    commit = asyncio.create_task(store.commit(outcome_of(child_row(1))))
    await until(lambda: place.facts.counts["store unavailable"] >= 2)
    assert not commit.done()
    away.rename(place.personal)

    assert await commit == Committed()
    rows = place.select(place.personal / f"{WEEK_20}.db", "SELECT count(*) FROM child_tracker")
    assert rows == [(1,)]


@pytest.mark.parametrize("odd", [object(), 2.5j, "\ud800", 2**70], ids=type)
async def test_a_value_that_no_database_knows_costs_its_row_alone(place: Place, odd: Any) -> None:
    """A bug in a kind's row hands over what SQLite cannot take: that row is refused, its neighbours are
    stored, and nothing is tried again for ever."""
    rows = [gauge_row(1), gauge_row(2, device=odd), gauge_row(3)]

    committed = await place.store().commit(outcome_of(*rows))

    assert committed == Committed({}, {(None, "river_gauge"): {1}})
    assert place.facts.counts == {}
    assert place.select(place.city, "SELECT counter FROM river_gauge") == [(1,), (3,)]


async def test_a_damaged_file_is_not_waited_for(place: Place) -> None:
    """It ends the gateway with a sentence that names the file and what to do; waiting mends nothing."""
    store = place.store()
    await store.commit(outcome_of(child_row(1)))
    await place.opened.pop().close()
    damaged = place.personal / f"{WEEK_20}.db"
    damaged.write_bytes(b"no database " * 1000)

    with pytest.raises(Refusal, match=r"W20.db is damaged \(SQLITE_NOTADB\).* from a backup"):
        await place.store().commit(outcome_of(child_row(2)))

    assert place.facts.counts == {}


async def test_tables_that_do_not_fit_are_not_waited_for(place: Place) -> None:
    """Somebody dropped one, and no waiting brings it back: a sentence with the remedy ends the gateway,
    and nothing is tried again for ever."""
    store = place.store()
    await store.commit(outcome_of(gauge_row(1)))
    with closing(sqlite3.connect(place.city)) as other:
        other.execute("DROP TABLE river_gauge")

    with pytest.raises(Refusal, match=r"city\.db is not the database .*river_gauge.* backup"):
        await store.commit(outcome_of(gauge_row(2)))

    assert place.facts.counts == {}


async def test_a_file_that_is_damaged_while_it_is_open_is_not_waited_for(place: Place) -> None:
    store = place.store()
    await store.commit(outcome_of(*(gauge_row(n) for n in range(2000))))
    with closing(sqlite3.connect(place.city)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = place.city.stat().st_size
    with place.city.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    place.opened.clear()

    with pytest.raises(Refusal, match=r"city.db is damaged \(SQLITE_CORRUPT\)"):
        await place.store().commit(outcome_of(gauge_row(5000)))
    place.opened.clear()


async def test_what_a_first_try_wrote_is_no_duplicate_to_the_second(place: Place) -> None:
    """The disk refuses between two files of a batch: its rows are new all the same, and counted so."""
    store = place.store()
    await store.commit(outcome_of(child_row(0)))
    away = place.personal.rename(place.personal.with_name("away"))

    batch = outcome_of(child_row(0), child_row(1), child_row(2, WEEK_21), gauge_row(1))
    commit = asyncio.create_task(store.commit(batch))
    await until(lambda: place.facts.counts["store unavailable"] >= 1)
    away.rename(place.personal)

    assert await commit == Committed({(WEEK_20, "child_tracker"): {0}}, {})


async def test_a_removed_file_leaves_nothing_and_can_begin_anew(place: Place) -> None:
    store = place.store()
    await store.commit(outcome_of(child_row(1), child_row(1, WEEK_21)))

    await store.forget_file(WEEK_20)

    assert {path.name.partition(".")[0] for path in place.personal.iterdir()} == {WEEK_21}
    assert await store.commit(outcome_of(child_row(1))) == Committed()


async def test_a_full_disk_keeps_no_file_that_is_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing asks for no room: nothing is written on the way, no journal is folded in."""
    store = place.store()
    await store.commit(outcome_of(child_row(1)))

    def full(_file: SqliteFile) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteFile, "close", full)
        await store.forget_file(WEEK_20)

    assert list(place.personal.iterdir()) == []


async def test_a_file_that_was_half_removed_is_found_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention looks for `.db`: that goes last, so that no journal is left behind alone."""
    store = place.store()
    await store.commit(outcome_of(child_row(1)))
    unlink = Path.unlink

    def refuse_journals(path: Path, *, missing_ok: bool = False) -> None:
        if path.name.endswith("-wal"):
            raise OSError(errno.EIO, "the disk refuses")
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse_journals)
        with pytest.raises(OSError, match="refuses"):
            await store.forget_file(WEEK_20)
    assert (place.personal / f"{WEEK_20}.db").exists()

    await store.forget_file(WEEK_20)
    assert list(place.personal.iterdir()) == []


async def test_a_file_nobody_opened_can_be_removed(place: Place) -> None:
    """After a start the expired file is not open; one that is not there at all is no fault."""
    await place.store().commit(outcome_of(child_row(1)))
    await place.opened.pop().close()

    second = place.store()
    await second.forget_file(WEEK_20)
    await second.forget_file(WEEK_21)

    assert list(place.personal.iterdir()) == []


async def test_the_identities_of_the_last_hours_are_known_after_a_start(place: Place) -> None:
    """Personal rows by their keyed identity; the city's only where the time was ours."""
    rows = [
        child_row(1, minute=NOON - 3 * HOUR),
        child_row(2, minute=NOON),
        gauge_row(3),
        gauge_row(4, clock="gateway"),
        gauge_row(5, clock="gateway", counter=-1),
        gauge_row(6, clock="gateway", observed_at=NOON - 3 * HOUR),
    ]
    await place.store().commit(outcome_of(*rows))
    await place.opened.pop().close()

    known = place.store().recent_identities(NOON - 2 * HOUR)

    assert dict(known) == {
        NOON: (2).to_bytes(16, "big"),
        NOON + 4_000_000: ("river-1", 4, (4).to_bytes(8, "big"), 0),
        NOON + 5_000_000: ("river-1", None, (5).to_bytes(8, "big"), 0),
    }


async def test_the_newest_files_are_told_by_their_journals_too(place: Place) -> None:
    """A killed gateway leaves its newest rows in the journal: the file itself looks old then."""
    store = place.store()
    for number, period in enumerate(("store-2026-W18", "store-2026-W19", WEEK_20)):
        await store.commit(outcome_of(child_row(number, period)))
    stamps = {"store-2026-W18": 3000, "store-2026-W19": 2000, WEEK_20: 1000}
    for period, seconds in stamps.items():
        touch(place.personal / f"{period}.db", seconds)
    touch(place.personal / "store-2026-W18.db-wal", 3000)
    touch(place.personal / "store-2026-W19.db-wal", 2000)

    known = [identity for _at, identity in place.store().recent_identities(NOON)]

    assert (2).to_bytes(16, "big") in known


def touch(path: Path, seconds: int) -> None:
    """Written to last at this moment."""
    os.utime(path, (seconds, seconds))
