"""Laws of the pipeline: turns and order in the intake, and what a crash may cost."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.interfaces import Committed, Outcome
from gateway.model.uplink import Payload
from gateway.pipeline.flow import Flow
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import Process
from gateway.telemetry import Tally
from tests.fakes.loop import VirtualLoop
from tests.fakes.readings import mask, policy
from tests.fakes.store import Crash, Disk, MemoryStore
from tests.fakes.uplinks import Sender, uplink

CHUNK = 16

steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 4), st.integers(1, CHUNK)),
        st.tuples(st.just("take"), st.integers(1, 64), st.just(0)),
    ),
    max_size=60,
)
"""Puts (sender, size) and takes (limit), in any order."""


@given(steps=steps)
def test_nothing_is_lost_doubled_or_overtaken_in_the_intake(
    steps: list[tuple[str, int, int]],
) -> None:
    """What comes out of a sender is what went in, in its order; the backlog is what lies between."""
    intake, senders = Intake(), [Sender() for _ in range(5)]
    put = got = 0
    for what, number, size in steps:
        if what == "put":
            senders[number].hand(intake, [uplink("camera", 1)] * size)
            put += size
        else:
            for uplinks in intake.take(number):
                uplinks.settle({})
                got += len(uplinks.items)
        assert intake.backlog == put - got
    while rest := intake.take(64):
        for uplinks in rest:
            uplinks.settle({})
    assert intake.backlog == 0
    for sender in senders:
        assert [number for number, _ in sender.settled] == list(range(sender.handed))


@given(
    floods=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    limit=st.integers(1, 200),
    warm=st.integers(0, 5),
)
def test_a_flood_delays_nobody_by_more_than_one_round(
    floods: list[int], limit: int, warm: int
) -> None:
    """However much others have queued, before a newcomer's first chunk each of them has one turn."""
    intake = Intake()
    for number, chunks in enumerate(floods):
        flooder = Sender()
        for _ in range(chunks):
            flooder.hand(intake, [uplink("camera", number)] * CHUNK)
    for _ in range(warm):
        intake.take(limit)
    newcomer = Sender()
    newcomer.hand(intake, [uplink("camera", 99)])

    turns: list[Payload] = []
    while not newcomer.settled:
        for uplinks in intake.take(limit):
            uplinks.settle({})
            _route, payload = uplinks.items[0]
            if not turns or turns[-1] != payload:
                turns.append(payload)

    assert turns.index(uplink("camera", 99)[1]) <= len(floods)


SORTS = ["gauge", "camera", "gauge broken", "unknown device"]
uplinks = st.tuples(st.sampled_from(SORTS), st.integers(0, 30))
Handed = tuple[int, list[tuple[str, int]]]
"""Whose turn it is, and the sorts and numbers of what it hands over."""


@settings(max_examples=60)
@given(
    handed=st.lists(
        st.tuples(st.integers(0, 2), st.lists(uplinks, min_size=1, max_size=6)), max_size=15
    ),
    lives=st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=4),
    batch=st.integers(1, 12),
)
def test_a_crash_costs_nothing_that_is_sent_again(
    handed: list[Handed], lives: list[tuple[int, bool]], batch: int
) -> None:
    """Each life dies after some commits; the next is handed what was not acknowledged; none is missing.

    About things of the city: a restart of the mask may remove rows about people (decisions 4).
    """
    whole, disk = Disk(), Disk()
    carry(handed, MemoryStore(whole), batch)

    left = handed
    for commits, after in lives:
        left = carry(left, DyingStore(disk, commits, after), batch)
    assert carry(left, MemoryStore(disk), batch) == []

    assert disk.all_rows() == whole.all_rows()


class DyingStore(MemoryStore):
    """Dies after so many commits, `after` or before the next one has written."""

    def __init__(self, disk: Disk, commits: int, after: bool) -> None:
        super().__init__(disk)
        self._left = commits
        self._after = after

    async def commit(self, outcome: Outcome) -> Committed:
        self._left -= 1
        if self._left < 0 and not self._after:
            raise Crash
        committed = await super().commit(outcome)
        if self._left < 0:
            raise Crash
        return committed


def carry(handed: list[Handed], store: MemoryStore, batch: int) -> list[Handed]:
    """One life; what it was handed and did not acknowledge."""
    senders = [Sender() for _ in range(3)]
    numbered = []
    intake, loop = Intake(), VirtualLoop()
    for who, its in handed:
        numbered.append((who, senders[who].handed, its))
        senders[who].hand(intake, [uplink(*one) for one in its])
    intake.close()
    flow = Flow(
        intake, Process(mask(), policy().zone), store, Tally(), [], loop, 0.004, batch
    )  # fmt: skip
    with suppress(Crash):
        loop.run(flow.carry())
    done = [{number for number, _ in sender.settled} for sender in senders]
    return [(who, its) for who, number, its in numbered if number not in done[who]]
