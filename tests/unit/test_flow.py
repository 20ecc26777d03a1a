"""The worker: commit, then acknowledge at the next tick, and show; in a loop where sleeping costs no time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.clock import Clock
from gateway.interfaces import Committed, Outcome, Store
from gateway.model.instant import Instant
from gateway.model.observation import Observation
from gateway.model.reason import Fate, Reason
from gateway.pipeline.flow import Flow
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import Process
from gateway.telemetry import Tally
from tests.fakes.loop import VirtualLoop
from tests.fakes.readings import leave_home, mask, policy
from tests.fakes.store import Crash, MemoryStore
from tests.fakes.uplinks import Sender, uplink

TICK_S = 0.004


@dataclass
class Onlooker:
    """A viewer who may have gone."""

    watched: bool = True
    seen: list[Observation] = field(default_factory=list)

    def show(self, observations: Sequence[Observation]) -> None:
        self.seen += observations


class SlowStore(MemoryStore):
    """Takes some (virtual) time for each commit, and remembers when it was done."""

    def __init__(self, takes_s: float) -> None:
        super().__init__()
        self.takes_s = takes_s
        self.done_at = 0.0

    async def commit(self, outcome: Outcome) -> Committed:
        await asyncio.sleep(self.takes_s)
        self.done_at = asyncio.get_running_loop().time()
        return await super().commit(outcome)


class Worker:
    """A flow with everything round it."""

    def __init__(self, store: Store | None = None, batch: int = 2048) -> None:
        self.loop = VirtualLoop()
        self.clock: Clock = self.loop
        self.intake = Intake()
        self.tally = Tally()
        self.onlooker = Onlooker()
        self.store = store or MemoryStore()
        self.batch = batch
        self.parts = 1
        self.rests: list[float] | None = None
        self.read_next: Callable[[], None] = lambda: None
        self.settled_at: list[float] = []
        self.sender = self.another()

    def another(self) -> Sender:
        return Sender(lambda: self.settled_at.append(self.loop.seconds))

    def rest(self, seconds: float) -> None:
        """All stand still; what devices send meanwhile lies in their sockets."""
        assert self.rests is not None
        self.rests.append(seconds)
        self.loop.seconds += seconds
        self.loop.call_soon(self.read_next)
        self.read_next = lambda: None

    def carry(self, *more: Any) -> None:
        """Work off what was handed over, to the end."""
        by = mask()
        leave_home(by)
        flow = Flow(
            self.intake, Process(by, policy().zone), self.store, self.tally, [self.onlooker],
            self.clock, TICK_S, self.batch, parts=self.parts,
            rest=None if self.rests is None else self.rest,
        )  # fmt: skip

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                worker = tasks.create_task(flow.carry())
                for one in more:
                    tasks.create_task(one(worker))
                self.intake.close()

        try:
            self.loop.run(work())
        except* Crash:
            pass


def tick(seconds: float) -> int:
    return int(seconds / TICK_S + 1e-6)


SORTS = ["child away", "child at home", "child broken", "gauge", "sign of life", "unknown device"]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("takes_s", [0.0, 0.001, 0.0035])
def test_an_acknowledgement_leaves_at_the_tick_after_the_commit(sort: str, takes_s: float) -> None:
    """Whether or not anything is written: its latency must not tell stored from suppressed."""
    worker = Worker(SlowStore(takes_s))
    worker.sender.hand(worker.intake, [uplink(sort, 1)])

    worker.carry()

    assert [tick(at) for at in worker.settled_at] == [tick(1000.0) + 2]


def test_an_outage_slows_nobody_down_once_it_is_over() -> None:
    """A disk that was away for ten minutes is no slow disk."""
    store = SlowStore(600.0)
    worker = Worker(store)
    worker.sender.hand(worker.intake, [uplink("child away", 1)])

    async def meanwhile(_worker: object) -> None:
        await asyncio.sleep(1)
        store.takes_s = 0.0
        worker.another().hand(worker.intake, [uplink("child away", 2)])

    worker.carry(meanwhile)

    back = 1000.0 + TICK_S + 600.0
    assert len(worker.settled_at) == 2
    assert all(0 <= at - back < 0.3 for at in worker.settled_at)


class LateClock:
    """Shows a little less than the loop's time, as if the loop's timers fired early."""

    def __init__(self, loop: VirtualLoop, early_s: float) -> None:
        self._loop = loop
        self._early_s = early_s

    def monotonic(self) -> float:
        return self._loop.seconds - self._early_s

    def now(self) -> Instant:
        return self._loop.now()


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("early_s", [0.0001, 0.0004, 0.0011])
def test_timers_that_fire_early_give_nothing_away(sort: str, early_s: float) -> None:
    """A batch closes on the grid's edge or behind it: else one that writes nothing leaves at once."""
    worker = Worker(SlowStore(0.001))
    worker.clock = LateClock(worker.loop, early_s)
    worker.sender.hand(worker.intake, [uplink(sort, 1)])

    worker.carry()

    assert [tick(at - early_s) for at in worker.settled_at] == [tick(1000.0 - early_s) + 2]


@pytest.mark.parametrize("takes_s", [0.008, 0.02])
def test_a_batch_that_writes_nothing_waits_like_the_last_that_wrote(takes_s: float) -> None:
    """On a disk slower than a tick, too, a suppressed fix is acknowledged as late as a stored one."""
    settled = []
    for last in ("child away", "child at home"):
        worker = Worker(SlowStore(takes_s), batch=1)
        worker.sender.hand(worker.intake, [uplink("child away", 1)])
        worker.another().hand(worker.intake, [uplink(last, 2)])
        worker.carry()
        settled.append(tick(worker.settled_at[-1]))

    assert settled[0] == settled[1]


class TwoFiles(SlowStore):
    """A slow disk: each file that a commit writes is waited for, people's and the city's."""

    async def commit(self, outcome: Outcome) -> Committed:
        files = {period is None for period, _kind in outcome.rows}
        await asyncio.sleep(self.takes_s * (len(files) - 1))
        return await super().commit(outcome)


@pytest.mark.parametrize("beside", ["gauge", "unknown device"])
@pytest.mark.parametrize("takes_s", [0.01, 0.02])
def test_beside_others_a_suppressed_fix_waits_like_a_stored_one(
    takes_s: float, beside: str
) -> None:
    """The city's row of the same batch is on disk sooner, alone; the answers leave no sooner."""
    settled = []
    for last in ("child away", "child at home", "child broken"):
        worker = Worker(TwoFiles(takes_s), batch=2)
        worker.sender.hand(worker.intake, [uplink(beside, 1), uplink("child away", 1)])
        worker.another().hand(worker.intake, [uplink(beside, 2), uplink(last, 2)])
        worker.carry()
        settled.append(tick(worker.settled_at[-1]))

    assert settled[0] == settled[1]
    assert settled[2] <= settled[0]  # what cannot be decoded says so itself


def test_the_city_alone_waits_for_nobody() -> None:
    """Where no person's device spoke, answers leave at the tick after the commit."""
    worker = Worker(TwoFiles(0.02), batch=2)
    worker.sender.hand(worker.intake, [uplink("gauge", 1), uplink("child away", 1)])
    worker.another().hand(worker.intake, [uplink("gauge", 2), uplink("gauge", 3)])
    worker.carry()

    assert tick(worker.settled_at[1]) == tick(1000.0 + 3 * 0.02) + 1  # three files, and a tick


def test_batches_that_write_nothing_play_the_last_commits_again_each_in_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One commit in eight is slow, as where a journal is folded in: so is one in eight acknowledgements
    of what is suppressed, and neither more nor fewer of what is stored."""
    store = SlowStore(0.001)
    worker = Worker(store, batch=1)
    waited: dict[str, list[int]] = {"child away": [], "child at home": []}

    close = worker.intake.close
    monkeypatch.setattr(worker.intake, "close", lambda: None)  # it stays open until all were sent

    async def one_by_one(_worker: object) -> None:
        for sort in ("child away", "child at home"):
            for n in range(32):
                store.takes_s = 0.018 if n % 8 == 0 else 0.001
                begun = tick(worker.loop.seconds)
                worker.another().hand(worker.intake, [uplink(sort, n)])
                before = len(worker.settled_at)
                while len(worker.settled_at) == before:
                    await asyncio.sleep(TICK_S / 4)
                waited[sort].append(tick(worker.settled_at[-1]) - begun)
        close()

    worker.carry(one_by_one)

    assert Counter(waited["child at home"]) == Counter(waited["child away"])
    assert {1, 6} <= set(waited["child away"])


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(("takes_s", "half"), [(0.0, 1), (0.0019, 1), (0.0021, 2), (0.0039, 2)])
def test_with_halves_a_batch_lingers_a_tick_and_its_answers_leave_at_the_next_half(
    sort: str, takes_s: float, half: int
) -> None:
    """So the linger may be longer and the answer sooner; what is suppressed leaves with the first half
    unless commits about people were seen to take longer."""
    worker = Worker(SlowStore(takes_s))
    worker.parts = 2
    worker.sender.hand(worker.intake, [uplink(sort, 1)])
    worker.carry()

    halves = {int((at - 1000.0 - TICK_S) / (TICK_S / 2) + 1e-6) for at in worker.settled_at}
    assert halves == {half if sort not in ("child at home", "sign of life") else 1}


@pytest.mark.parametrize("takes_s", [0.0, 0.0039, 0.0041, 0.03, 3.0])
def test_an_acknowledgement_never_leaves_before_or_with_its_commit(takes_s: float) -> None:
    store = SlowStore(takes_s)
    worker = Worker(store)
    worker.sender.hand(worker.intake, [uplink("gauge", 1)])

    worker.carry()

    assert tick(worker.settled_at[0]) == tick(store.done_at) + 1


def test_what_one_batch_holds_is_acknowledged_together_and_in_order() -> None:
    worker = Worker()
    for n in range(3):
        for sort in SORTS:
            worker.sender.hand(worker.intake, [uplink(sort, n)])

    worker.carry()

    assert [number for number, _ in worker.sender.settled] == list(range(3 * len(SORTS)))
    assert len(set(worker.settled_at)) == 1


def test_a_full_backlog_does_not_wait_for_ticks() -> None:
    """Nine full batches are committed within the tick in which they lay there."""
    worker = Worker(batch=10)
    for n in range(95):
        worker.sender.hand(worker.intake, [uplink("gauge", n)])

    worker.carry()

    assert isinstance(worker.store, MemoryStore)
    assert worker.store.commits == 10
    assert {tick(at) for at in worker.settled_at} <= {tick(1000.0) + 1, tick(1000.0) + 2}


def test_while_little_arrives_the_loop_rests_to_the_edge_and_reads_then() -> None:
    """A batch holds all that came before its tick, though nobody was woken for it."""
    worker = Worker(SlowStore(0.001))
    worker.rests = []
    worker.sender.hand(worker.intake, [uplink("child away", 1)])
    worker.read_next = lambda: worker.another().hand(worker.intake, [uplink("gauge", 2)])

    worker.carry()

    assert all(0 < rested <= TICK_S for rested in worker.rests)
    assert [tick(at) for at in worker.settled_at] == [tick(1000.0) + 2, tick(1000.0) + 3]


def test_the_loop_does_not_rest_while_much_arrives() -> None:
    """There is enough to do until the edge."""
    worker = Worker(SlowStore(0.0))
    worker.rests = []
    for n in range(100):
        worker.another().hand(worker.intake, [uplink("gauge", n)])

    worker.carry()

    assert worker.rests == []


def test_a_flood_of_suppressed_uplinks_lets_others_run() -> None:
    """Nothing is written, so no commit is waited for: the loop must get its turns all the same."""
    worker = Worker(batch=10)
    for n in range(100):
        worker.sender.hand(worker.intake, [uplink("child at home", n)])
    backlogs = []

    async def look_on(_carrying: asyncio.Task[None]) -> None:
        for _ in range(20):
            backlogs.append(worker.intake.backlog)
            await asyncio.sleep(0)

    worker.carry(look_on)

    assert len(set(backlogs)) >= 10


def test_nothing_is_acknowledged_when_the_commit_dies() -> None:
    """Neither stored nor suppressed uplinks of that batch, nor of a later one."""
    worker = Worker(store := MemoryStore())
    store.failing = 1
    for sort in SORTS:
        worker.sender.hand(worker.intake, [uplink(sort, 1)])

    worker.carry()

    assert worker.sender.settled == []
    assert worker.tally.in_flight() == len(SORTS)


def test_nothing_is_acknowledged_while_the_store_waits() -> None:
    """And what waits is in flight; once the store takes it, nothing is any more."""
    worker = Worker(store := MemoryStore())
    store.gate.clear()
    worker.sender.hand(worker.intake, [uplink("gauge", 1), uplink("child at home", 1)])
    seen = []

    async def look_on(_carrying: asyncio.Task[None]) -> None:
        await asyncio.sleep(60)
        seen.append((list(worker.sender.settled), worker.tally.in_flight()))
        store.gate.set()

    worker.carry(look_on)

    assert seen == [([], 2)]
    assert worker.sender.settled == [(0, {})]
    assert worker.tally.in_flight() == 0


def test_a_row_the_store_refuses_is_a_rejected_uplink() -> None:
    """It is told to its sender, and counted with its reason."""

    class Strict(MemoryStore):
        async def commit(self, outcome: Outcome) -> Committed:
            await super().commit(outcome)
            return Committed({}, {(None, "river_gauge"): {1}})

    worker = Worker(Strict())
    worker.sender.hand(worker.intake, [uplink("camera", 0), uplink("gauge", 1), uplink("gauge", 2)])

    worker.carry()

    assert worker.sender.settled == [(0, {2: Reason.UNSTORABLE})]
    assert worker.tally.terms["own", "river_gauge", Fate.REJECTED, Reason.UNSTORABLE] == 1
    assert worker.tally.terms["own", "river_gauge", Fate.STORED, None] == 1


def test_only_new_rows_are_shown_and_only_to_those_who_look() -> None:
    worker = Worker()
    worker.sender.hand(worker.intake, [uplink("gauge", 1), uplink("gauge", 1), uplink("gauge", 2)])
    worker.carry()
    assert [observation.row[2] for observation in worker.onlooker.seen] == [1, 2]

    alone = Worker()
    alone.onlooker.watched = False
    alone.sender.hand(alone.intake, [uplink("gauge", 1)])
    alone.carry()
    assert alone.onlooker.seen == []


def test_each_origin_is_counted_for_itself() -> None:
    worker = Worker()
    worker.sender.hand(worker.intake, [uplink("gauge", 1)])
    worker.another().hand(worker.intake, [uplink("camera", 1)] * 2, "simulated")

    worker.carry()

    assert worker.tally.handed_over == {"own": 1, "simulated": 2}
    assert worker.tally.terms == {
        ("own", "river_gauge", Fate.STORED, None): 1,
        ("simulated", "wildlife_camera", Fate.STORED, None): 1,
        ("simulated", "wildlife_camera", Fate.DUPLICATE, None): 1,
    }
