"""What every store promises: durable, idempotent, and one bad row never costs a good one.

A second store joins by one more entry in `SHELVES`.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from gateway.interfaces import Committed, Outcome, Store, Table
from gateway.model.observation import Observation, Rejection
from gateway.stores.sqlite import SqliteStore
from gateway.telemetry import Facts
from tests.fakes.readings import NOON
from tests.fakes.store import WEEK_20, Disk, MemoryStore, child_row, gauge_row, outcome_of

CHILD: Table = (WEEK_20, "child_tracker")
GAUGE: Table = (None, "river_gauge")


class Shelf(Protocol):
    """A place where stores of one sort put things, and a way to look that is not the store's own."""

    def store(self) -> Store:
        """Open a store on this place, anew each time."""
        ...

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        """What lies there, by key."""
        ...

    def rejections(self) -> dict[tuple[str, str, str, bytes], int]:
        """How many by day, device, reason and digest."""
        ...

    def refusals(self) -> dict[tuple[str, str], int]:
        """How many by day and reason."""
        ...


class SqliteShelf:
    def __init__(self, path: Path) -> None:
        self._path = path
        (path / "personal").mkdir()

    def store(self) -> Store:
        return SqliteStore(self._path / "city.db", self._path / "personal", Facts())

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        period, kind = table
        name = "city.db" if period is None else f"personal/{period}.db"
        return self._select(name, f"SELECT * FROM {kind}")  # noqa: S608

    def rejections(self) -> dict[tuple[str, str, str, bytes], int]:
        rows = self._select("city.db", "SELECT day, device, reason, digest, count FROM rejection")
        return {(day, device, reason, digest): n for day, device, reason, digest, n in rows}

    def refusals(self) -> dict[tuple[str, str], int]:
        rows = self._select("city.db", "SELECT * FROM refusals_per_day")
        return {(day, reason): n for day, reason, n in rows}

    def _select(self, name: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self._path / name}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()


class MemoryShelf:
    def __init__(self, _path: Path) -> None:
        self._disk = Disk()

    def store(self) -> Store:
        return MemoryStore(self._disk)

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        return [row for _key, row in sorted(self._disk.rows.get(table, {}).items())]

    def rejections(self) -> dict[tuple[str, str, str, bytes], int]:
        return dict(self._disk.rejections)

    def refusals(self) -> dict[tuple[str, str], int]:
        return dict(self._disk.refusals)


SHELVES: dict[str, Callable[[Path], Shelf]] = {"sqlite": SqliteShelf, "memory": MemoryShelf}


@pytest.fixture(params=SHELVES)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return SHELVES[request.param](tmp_path)


@pytest.fixture
async def store(shelf: Shelf) -> AsyncIterator[Store]:
    opened = shelf.store()
    yield opened
    await opened.close()


def rows_of(*observations: Observation) -> list[tuple[Any, ...]]:
    return [observation.row for observation in observations]


async def test_a_commit_is_there_for_whoever_looks_next(shelf: Shelf, store: Store) -> None:
    """What is committed can be read before the store is closed, and after."""
    made = [child_row(1), child_row(2)]
    committed = await store.commit(outcome_of(*made, gauge_row(1)))

    assert committed == Committed()
    assert shelf.rows(CHILD) == rows_of(*made)
    assert shelf.rows(GAUGE) == rows_of(gauge_row(1))


async def test_a_store_opened_again_knows_what_was_committed(shelf: Shelf, store: Store) -> None:
    """Durable: a store of the next process meets the rows as duplicates."""
    outcome = outcome_of(child_row(1), gauge_row(1))
    await store.commit(outcome)

    second = shelf.store()
    committed = await second.commit(outcome)
    await second.close()

    assert committed.duplicates == {CHILD: {0}, GAUGE: {0}}


async def test_the_same_outcome_twice_changes_no_row(shelf: Shelf, store: Store) -> None:
    """Idempotent: the second time everything is a duplicate."""
    outcome = outcome_of(*(child_row(n) for n in range(100)), *(gauge_row(n) for n in range(100)))
    await store.commit(outcome)
    before = shelf.rows(CHILD), shelf.rows(GAUGE)

    committed = await store.commit(outcome)

    assert committed == Committed({CHILD: set(range(100)), GAUGE: set(range(100))}, {})
    assert (shelf.rows(CHILD), shelf.rows(GAUGE)) == before


async def test_a_row_known_by_its_key_is_never_written_over(shelf: Shelf, store: Store) -> None:
    """The first one stays, whatever the second one says."""
    await store.commit(outcome_of(gauge_row(1)))

    committed = await store.commit(outcome_of(gauge_row(1, stage_m=9.9)))

    assert committed.duplicates == {GAUGE: {0}}
    assert shelf.rows(GAUGE) == rows_of(gauge_row(1))


async def test_a_row_twice_in_one_batch_is_stored_once(shelf: Shelf, store: Store) -> None:
    committed = await store.commit(outcome_of(child_row(1), child_row(2), child_row(1)))

    assert committed.duplicates == {CHILD: {2}}
    assert shelf.rows(CHILD) == rows_of(child_row(1), child_row(2))


@pytest.mark.parametrize("size", [2, 47, 48, 49, 96, 200])
async def test_known_rows_are_told_from_new_ones(shelf: Shelf, store: Store, size: int) -> None:
    """Every third row lies there already; the others are new, whatever the length of the batch."""
    known = set(range(0, size, 3))
    await store.commit(outcome_of(*(gauge_row(n) for n in known)))

    committed = await store.commit(outcome_of(*(gauge_row(n) for n in range(size))))

    assert committed == Committed({GAUGE: known}, {})
    assert shelf.rows(GAUGE) == rows_of(*(gauge_row(n) for n in range(size)))


@pytest.mark.parametrize(
    "poison",
    [
        gauge_row(60, counter=2**63),
        gauge_row(60, stage_m=None),
        gauge_row(60, stage_m=float("nan")),
        gauge_row(60, device=None),
    ],
    ids=["beyond 64 bits", "nothing in a NOT NULL column", "not a number", "no device"],
)
async def test_a_poisoned_row_is_refused_alone(
    shelf: Shelf, store: Store, poison: Observation
) -> None:
    """One row that the table does not take; the hundred around it are on disk."""
    good = [gauge_row(n) for n in range(100) if n != 60]

    committed = await store.commit(outcome_of(*good[:60], poison, *good[60:], child_row(1)))

    assert committed == Committed({}, {GAUGE: {60}})
    assert shelf.rows(GAUGE) == rows_of(*good)
    assert shelf.rows(CHILD) == rows_of(child_row(1))


async def test_poison_and_duplicates_in_one_batch_are_told_apart(
    shelf: Shelf, store: Store
) -> None:
    await store.commit(outcome_of(child_row(1)))

    poison = child_row(2, identity=None)
    committed = await store.commit(outcome_of(child_row(1), poison, child_row(3)))

    assert committed == Committed({CHILD: {0}}, {CHILD: {1}})
    assert shelf.rows(CHILD) == rows_of(child_row(1), child_row(3))


def rejected(n: int, device: str = "river-1", reason: str = "undecodable") -> Rejection:
    """The `n`-th payload that nobody understands."""
    return Rejection("2026-05-12", NOON, "decode", reason, device, 7, n.to_bytes(8, "big"))


async def test_refusals_are_counted_by_day(store: Store, shelf: Shelf) -> None:
    day = ("2026-05-12", "undecodable")
    await store.commit(Outcome({}, [], {day: 2}))
    await store.commit(Outcome({}, [], {day: 3, ("2026-05-13", "undecodable"): 1}))

    assert shelf.refusals() == {day: 5, ("2026-05-13", "undecodable"): 1}


async def test_a_rejection_that_comes_again_is_one_row(store: Store, shelf: Shelf) -> None:
    """Decisions 7: in one batch or the next, of the same day, device, reason and payload; only its count
    grows. Another device, reason or day is another row."""
    await store.commit(Outcome({}, [rejected(1), rejected(1)]))
    tomorrow = rejected(1)._replace(day="2026-05-13")
    others = [rejected(1, "river-2"), rejected(1, reason="out of range"), tomorrow]
    await store.commit(Outcome({}, [rejected(1), rejected(2), *others]))

    assert sorted(shelf.rejections().values()) == [1, 1, 1, 1, 3]


async def test_endless_nonsense_of_one_device_fills_no_disk(store: Store, shelf: Shelf) -> None:
    """A hundred payloads of a device, day and reason leave a row each; what goes beyond is counted in one
    row, known payloads still in their own; a neighbour is not touched by it."""
    for start in range(0, 700, 70):
        await store.commit(Outcome({}, [rejected(n) for n in range(start, start + 70)]))
    await store.commit(Outcome({}, [rejected(5), rejected(650), rejected(1, "river-2")]))

    kept = shelf.rejections()
    assert len(kept) == 102
    assert kept["2026-05-12", "river-1", "undecodable", b""] == 601
    assert kept["2026-05-12", "river-1", "undecodable", rejected(5).digest] == 2
    assert kept["2026-05-12", "river-2", "undecodable", rejected(1).digest] == 1


async def test_files_of_many_weeks_in_one_batch_all_hold_their_rows(
    shelf: Shelf, store: Store
) -> None:
    """More periods than files are kept open: none of them loses a row, nor does a second round."""
    periods = [f"store-2026-W{week}" for week in range(10, 19)]
    for round_ in (1, 2):
        await store.commit(outcome_of(*(child_row(round_, period) for period in periods)))

    kept = {period: len(shelf.rows((period, "child_tracker"))) for period in periods}
    assert kept == dict.fromkeys(periods, 2)
