"""Simulated time moved from outside: forward only, everything due is done before the answer, nothing jumps."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import pytest

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.app.lockstep import Lockstep
from gateway.clock import SimulatedClock
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import CALENDAR_END, DAY, HOUR, MINUTE, Instant
from gateway.model.reason import Reason
from gateway.model.uplink import Uplinks
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from tests.fakes.counting import plan
from tests.fakes.readings import NOON, policy
from tests.fakes.store import child_row, outcome_of

WEEKS = ["store-2026-W14", "store-2026-W16", "store-2026-W17", "store-2026-W20"]
"""With 28 days: at NOON the first two are over, the third is on the sixth day after, the last later."""

LET_IN = 64
"""Uplinks that a sender who never rests has on their way: doors read no more of it until they are settled."""


@dataclass
class House:
    """A checkpoint in simulated time, and what its doors were told."""

    checkpoint: Checkpoint
    lockstep: Lockstep
    told: list[Directory] = field(default_factory=list)

    async def at(self, to: Instant) -> Instant:
        """Ask for that time; what it is then."""
        answer = await self.lockstep.answer({"ask": "clock", "to_us": to})
        now: Instant = answer["now_us"]
        return now

    async def fill(self) -> None:
        for number, week in enumerate(WEEKS):
            self.checkpoint.keys.file_key(week)
            await self.checkpoint.store.commit(outcome_of(child_row(number, week)))

    def files(self) -> list[str]:
        return sorted(path.stem for path in self.checkpoint.state.personal_dir.glob("*.db"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = SimulatedClock(NOON)
    state = StateDir.create(tmp_path / "state", Mark.SIM, clock)
    keys = KeyRing.create(tmp_path / "keys", state.id, clock, UTC)
    with Registry.open(state, keys) as registry:
        checkpoint = Checkpoint(state, keys, registry, policy(), clock, Tempo())
        told: list[Directory] = []
        yield House(checkpoint, Lockstep(clock, checkpoint, told.append), told)
        asyncio.run(checkpoint.store.close())


async def test_it_stands_still_until_it_is_moved(house: House) -> None:
    """Asked without a time, it says what time it is; moved to where it stands, it stays."""
    assert await house.lockstep.answer({"ask": "clock"}) == {"now_us": NOON}
    assert await house.at(NOON + 10) == NOON + 10
    assert await house.at(NOON + 10) == NOON + 10
    assert house.checkpoint.clock.now() == NOON + 10


@pytest.mark.parametrize("to", [NOON - 1, CALENDAR_END, "tomorrow", None, 1.5 * NOON])
async def test_it_goes_forward_within_the_calendar(house: House, to: Instant) -> None:
    with pytest.raises(Refusal, match="forward only"):
        await house.at(to)
    assert house.checkpoint.clock.now() == NOON


async def test_what_is_over_is_gone_before_the_answer(house: House) -> None:
    """Files go with their keys at the step that ends their time, days or a month at once; no step is a
    jump of the clock."""
    await house.fill()
    keeping = asyncio.create_task(house.lockstep.keep())
    await house.at(NOON + 20 * MINUTE)
    assert house.files() == WEEKS[2:]
    await house.at(NOON + 5 * DAY)
    assert house.files() == WEEKS[2:]
    await house.at(NOON + 6 * DAY)
    assert house.files() == WEEKS[3:]
    await house.at(NOON + 300 * DAY)
    assert house.files() == []
    assert not any(house.checkpoint.keys.has_file_key(week) for week in WEEKS)
    assert house.checkpoint.facts.counts == {"period removed": 4}
    keeping.cancel()


async def test_rounds_are_due_at_full_quarters_of_an_hour(house: House) -> None:
    """By its own time, so that nothing depends on how fast it is moved."""
    await house.fill()
    await house.at(NOON + 14 * MINUTE)
    assert house.files() == WEEKS
    await house.at(NOON + 15 * MINUTE)
    assert house.files() == WEEKS[2:]


async def test_a_change_of_the_registry_is_in_force_at_the_next_step(house: House) -> None:
    with Registry.open(house.checkpoint.state, house.checkpoint.keys) as other:
        other.put_device("river-1", "river_gauge", "16201", NOON)
    await house.at(NOON + 1)
    assert [list(directory.devices) for directory in house.told] == [[DeviceId("river-1")]]


def put(house: House, settle: Callable[[dict[int, Reason]], None]) -> None:
    """One uplink of nobody we know, into the intake."""
    uplinks = Uplinks("simulated", NOON, [(Reason.UNKNOWN_DEVICE, b"")], settle)
    house.checkpoint.intake.put("a sender", uplinks)


async def test_time_waits_for_what_was_handed_over(house: House) -> None:
    """At QoS 0 nobody hears when an uplink is through: the clock under which it came must not move on."""
    put(house, lambda _refused: None)
    moving = asyncio.create_task(house.at(NOON + HOUR))
    await asyncio.sleep(0.05)
    assert not moving.done()
    assert house.checkpoint.clock.now() == NOON
    worker = asyncio.create_task(house.checkpoint.flow.carry())
    assert await asyncio.wait_for(moving, 10) == NOON + HOUR
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_sender_who_never_rests_does_not_hold_time_up(house: House) -> None:
    """Only what came before the question is waited for. As much waits at any time as a door lets in, and no more: however
    slow the disk, it is through after a batch or two."""

    async def flood() -> None:
        while True:
            if house.checkpoint.intake.backlog < LET_IN:
                put(house, lambda _refused: None)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(house.checkpoint.flow.carry()), asyncio.create_task(flood())]
    await asyncio.sleep(0)
    for step in range(1, 4):
        assert await asyncio.wait_for(house.at(NOON + step * HOUR), 30) == NOON + step * HOUR
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_counters_are_written_down_every_five_minutes_of_simulated_time(
    tmp_path: Path,
) -> None:
    """Whether or not anything changed; not in between."""
    clock = SimulatedClock(NOON)
    state = StateDir.create(tmp_path / "state", Mark.SIM, clock)
    keys = KeyRing.create(tmp_path / "keys", state.id, clock, UTC)
    with Registry.open(state, keys) as registry:
        checkpoint = Checkpoint(state, keys, registry, policy(), clock, Tempo(), [plan()])
        told: list[Directory] = []
        house = House(checkpoint, Lockstep(clock, checkpoint, told.append), told)
        await checkpoint.counters.look_after()
        file = state.counting_dir / "analysis-2026-05.sealed"
        written = [file.read_bytes()]
        for minutes in (4, 5, 6, 10, 31):
            await house.at(NOON + minutes * MINUTE)
            written.append(file.read_bytes())
        await checkpoint.store.close()

    assert [a != b for a, b in itertools.pairwise(written)] == [False, True, False, True, True]
    assert len({len(one) for one in written}) == 1
