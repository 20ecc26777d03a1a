"""The law of conservation: whatever is handed over has one fate, one acknowledgement, and it lasts."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.devices.catalog import catalog
from gateway.interfaces import Committed, Outcome
from gateway.model.instant import HOUR
from gateway.model.reason import Fate, Reason
from gateway.pipeline.flow import Flow
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import Process
from gateway.privacy.mask import Mask
from gateway.stores.sqlite import SqliteStore
from gateway.telemetry import Facts, Tally
from tests.fakes.loop import VirtualLoop
from tests.fakes.readings import NOON, leave_home, mask, policy
from tests.fakes.uplinks import SORTS, Sender, uplink

Uplink = tuple[str, int]
Chunk = tuple[int, str, list[Uplink]]
"""Whose turn it is, its origin, what it hands over."""

uplinks = st.tuples(st.sampled_from(sorted(SORTS)), st.integers(0, 12))
chunks: st.SearchStrategy[list[Chunk]] = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["own", "simulated"]), st.lists(uplinks, min_size=1)
    ),
    min_size=1,
    max_size=12,
)


class Watched(SqliteStore):
    """The real store; what it does is written down beside the acknowledgements."""

    def __init__(self, path: Path, events: list[str]) -> None:
        personal = path / "personal"
        personal.mkdir(exist_ok=True)
        super().__init__(path / "city.db", personal, Facts())
        self._events = events

    async def commit(self, outcome: Outcome) -> Committed:
        self._events.append("begun")
        committed = await super().commit(outcome)
        self._events.append("done")
        return committed


class Gateway:
    """One life of a gateway on a directory: it carries what is handed over, and stops."""

    def __init__(self, path: Path, by: Mask | None = None, batch: int = 8) -> None:
        self.events: list[str] = []
        self.tally = Tally()
        self.senders = [Sender(lambda: self.events.append("settled")) for _ in range(3)]
        self.mask = by
        self._path = path
        self._batch = batch

    def carry(self, handed: list[Chunk]) -> None:
        VirtualLoop().run(self._carry(handed))

    async def _carry(self, handed: list[Chunk]) -> None:
        store = Watched(self._path, self.events)
        if self.mask is None:
            self.mask = mask()
            self.mask.recall(store.recent_identities(NOON - 2 * HOUR))
            leave_home(self.mask)
        clock = asyncio.get_running_loop()
        assert isinstance(clock, VirtualLoop)
        intake = Intake()
        process = Process(self.mask, policy().zone)
        flow = Flow(intake, process, store, self.tally, [], clock, 0.004, self._batch)
        for who, origin, its in handed:
            self.senders[who].hand(intake, [uplink(*one) for one in its], origin)
        intake.close()
        await flow.carry()
        await store.close()

    def rows(self) -> dict[str, list[Any]]:
        """Everything that is on disk about uplinks that were kept, by kind and key."""
        found: dict[str, list[Any]] = {}
        for kind in catalog().values():
            paths = [self._path / "city.db"]
            if kind.personal:
                paths = sorted((self._path / "personal").glob("*.db"))
            found[kind.name] = [row for path in paths for row in select(path, kind.name)]
        return found

    def fates(self) -> Counter[Fate]:
        counted: Counter[Fate] = Counter()
        for (_origin, _kind, fate, _reason), count in self.tally.terms.items():
            counted[fate] += count
        return counted


def select(path: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


@settings(max_examples=60)
@given(handed=chunks, batch=st.integers(1, 30))
def test_what_is_handed_over_is_accounted_for(handed: list[Chunk], batch: int) -> None:
    """handed over = stored + duplicate + suppressed + counted + rejected, per origin; the rows show it."""
    with TemporaryDirectory() as place:
        gateway = Gateway(Path(place), batch=batch)
        gateway.carry(handed)

        given_: Counter[str] = Counter()
        settled: Counter[str] = Counter()
        for _who, origin, its in handed:
            given_[origin] += len(its)
        for (origin, _kind, _fate, _reason), count in gateway.tally.terms.items():
            settled[origin] += count
        assert gateway.tally.handed_over == settled == given_
        assert gateway.tally.in_flight() == 0
        assert sum(map(len, gateway.rows().values())) == gateway.fates()[Fate.STORED]


@settings(max_examples=60)
@given(handed=chunks, batch=st.integers(1, 30))
def test_every_uplink_is_acknowledged_once_in_order_and_after_its_commit(
    handed: list[Chunk], batch: int
) -> None:
    with TemporaryDirectory() as place:
        gateway = Gateway(Path(place), batch=batch)
        gateway.carry(handed)

        for sender in gateway.senders:
            assert [number for number, _ in sender.settled] == list(range(sender.handed))
        commits = Counter(gateway.events)
        assert commits["begun"] == commits["done"]
        assert commits["settled"] == len(handed)
        for before, after in zip(gateway.events, gateway.events[1:], strict=False):
            assert (before, after) != ("begun", "settled"), "nothing leaves while a commit runs"


@settings(max_examples=60)
@given(handed=chunks)
def test_only_what_is_the_inputs_fault_is_refused(handed: list[Chunk]) -> None:
    """Stored, suppressed, duplicate or counted: a sender is told the same."""
    with TemporaryDirectory() as place:
        gateway = Gateway(Path(place))
        gateway.carry(handed)

        expected: list[list[dict[int, Reason]]] = [[], [], []]
        for who, _origin, its in handed:
            reasons = enumerate(SORTS[sort][1] for sort, _ in its)
            expected[who].append({at: reason for at, reason in reasons if reason is not None})
        assert [[refused for _, refused in s.settled] for s in gateway.senders] == expected


@settings(max_examples=40)
@given(handed=chunks, same_life=st.booleans())
def test_everything_sent_again_changes_no_row(handed: list[Chunk], same_life: bool) -> None:
    """To the same gateway, or to the one that starts after it."""
    with TemporaryDirectory() as place:
        first = Gateway(Path(place))
        first.carry(handed)
        before = first.rows()

        second = Gateway(Path(place), first.mask if same_life else None)
        second.carry(handed)

        assert second.rows() == before
        assert second.fates()[Fate.STORED] == 0


def test_every_fate_that_exists_today_is_met_by_these_sorts(tmp_path: Path) -> None:
    """Otherwise the laws above would say less than they seem to; held and dropped have no maker yet."""
    gateway = Gateway(tmp_path)
    gateway.carry([(0, "own", [(sort, n) for n in (1, 2) for sort in SORTS])] * 2)

    assert set(gateway.fates()) == set(Fate) - {Fate.HELD, Fate.DROPPED}
    assert all(gateway.rows().values())


@pytest.mark.parametrize("sort", sorted(SORTS))
def test_a_sort_is_refused_as_it_says(sort: str, tmp_path: Path) -> None:
    """What the laws expect of a sort, once for each, so that a failure has a name."""
    gateway = Gateway(tmp_path)
    gateway.carry([(0, "own", [(sort, 1)])])

    reason = SORTS[sort][1]
    assert gateway.senders[0].settled == [(0, {} if reason is None else {0: reason})]
    assert (gateway.fates()[Fate.REJECTED] == 1) == (reason is not None)
