"""Beside the work: registry changes reach the doors, files go in time, and a jumping clock is not obeyed."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pytest

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.app.housekeeping import ClockWatch, keep_house
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, HOUR, SECOND
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from tests.fakes.clock import ManualClock
from tests.fakes.loop import in_virtual_time
from tests.fakes.readings import NOON, policy
from tests.fakes.store import child_row, outcome_of

WEEKS = ["store-2026-W14", "store-2026-W16", "store-2026-W17", "store-2026-W20"]
"""With 28 days and NOON in week 20, the first two are over, the second since yesterday."""


@dataclass
class House:
    """A checkpoint with four weeks of rows, its clock, and what its doors were told."""

    checkpoint: Checkpoint
    clock: ManualClock
    told: list[Directory]

    async def keep(self, watch: ClockWatch, seconds: float = 1.0) -> None:
        """Keep house for so long (virtual) seconds."""
        keeping = asyncio.create_task(keep_house(self.checkpoint, self.told.append, watch))
        await asyncio.sleep(seconds)
        keeping.cancel()

    def watch(self) -> ClockWatch:
        return ClockWatch(self.clock.now(), self.clock.monotonic(), None, 1.0)

    async def fill(self) -> None:
        for number, week in enumerate(WEEKS):
            self.checkpoint.keys.file_key(week)
            await self.checkpoint.store.commit(outcome_of(child_row(number, week)))

    def files(self) -> list[str]:
        return sorted(path.stem for path in self.checkpoint.state.personal_dir.glob("*.db"))

    def keys(self) -> list[str]:
        return [week for week in WEEKS if self.checkpoint.keys.has_file_key(week)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = ManualClock(NOON)
    state = StateDir.create(tmp_path / "state", None, clock)
    keys = KeyRing.create(tmp_path / "keys", state.id, clock, UTC)
    with Registry.open(state, keys) as registry:
        checkpoint = Checkpoint(state, keys, registry, policy(), clock, Tempo())
        yield House(checkpoint, clock, [])
        asyncio.run(checkpoint.store.close())


# -- the registry -----------------------------------------------------------------------------


@in_virtual_time
async def test_a_change_by_another_process_is_in_force_within_a_second(house: House) -> None:
    """Decisions 11; without a change nobody is told anything."""
    keeping = asyncio.create_task(keep_house(house.checkpoint, house.told.append, house.watch()))
    await asyncio.sleep(10)
    assert house.told == []
    with Registry.open(house.checkpoint.state, house.checkpoint.keys) as other:
        other.put_device("river-1", "river_gauge", "16201", NOON)
    await asyncio.sleep(0.99)
    keeping.cancel()

    assert [list(directory.devices) for directory in house.told] == [[DeviceId("river-1")]]
    assert house.checkpoint.directory is house.told[0]


# -- retention --------------------------------------------------------------------------------


@in_virtual_time
async def test_files_whose_time_is_over_go_with_their_keys_and_no_others(house: House) -> None:
    await house.fill()
    await house.keep(house.watch())
    assert house.files() == house.keys() == WEEKS[2:]
    assert house.checkpoint.facts.counts["period removed"] == 2


@in_virtual_time
async def test_files_go_while_the_gateway_runs(house: House) -> None:
    """Not at its start alone: week 17 is over on the fourth Monday since its own."""
    watch = house.watch()
    await house.fill()
    await house.keep(watch)
    house.clock.advance(5 * DAY / SECOND)
    await house.keep(watch)
    assert house.files() == house.keys() == WEEKS[2:]
    house.clock.advance(DAY / SECOND)
    await house.keep(watch)
    assert house.files() == house.keys() == WEEKS[3:]


@pytest.mark.parametrize("days", [400, -400])
@in_virtual_time
async def test_nothing_goes_after_the_clock_has_jumped(house: House, days: int) -> None:
    """Decisions 15: neither file nor key, however old they look now; it is said within a second."""
    await house.fill()
    keeping = asyncio.create_task(keep_house(house.checkpoint, house.told.append, house.watch()))
    await asyncio.sleep(1)
    assert house.files() == WEEKS[2:]
    house.clock.set(NOON + days * DAY)
    await asyncio.sleep(1)
    keeping.cancel()
    assert house.files() == house.keys() == WEEKS[2:]
    assert house.checkpoint.facts.counts["clock jumped"] == 1


# -- the clock --------------------------------------------------------------------------------


def after(wall_s: float, boot_s: float, pace: float = 1.0) -> bool:
    """Whether a clock that went on by so much on the wall, and so much since boot, has jumped."""
    watch = ClockWatch(NOON, 5000.0, None, pace)
    return watch.look(NOON + int(wall_s * SECOND), 5000.0 + boot_s)


@pytest.mark.parametrize(
    ("wall_d", "boot_d", "jumped"),
    [
        (0, 0, False),
        (100, 100, False),  # silence is not a jump
        (0.9, 0, False),
        (-0.9, 0, False),
        (1.1, 0, True),
        (-1.1, 0, True),
        (100, 98.5, True),
    ],
)
def test_a_jump_is_a_day_against_the_boot_clock(wall_d: float, boot_d: float, jumped: bool) -> None:
    assert after(wall_d * 86_400, boot_d * 86_400) is jumped


def test_simulated_time_runs_at_its_pace() -> None:
    """Sixty times as fast as life, an hour makes two days and a half: no jump."""
    assert not after(60 * 3600, 3600, pace=60.0)
    assert after(60 * 3600 + 25 * 3600, 3600, pace=60.0)


def test_a_jump_once_seen_is_not_forgotten() -> None:
    """A clock that came back may have been right before, or now: nobody knows."""
    watch = ClockWatch(NOON, 0.0, None, 1.0)
    assert watch.look(NOON + 2 * DAY, 0.0)
    assert watch.look(NOON, 0.0)


@pytest.mark.parametrize(
    ("ahead", "jumped"),
    [(-400 * DAY, False), (0, False), (HOUR // 2, False), (2 * HOUR, True), (400 * DAY, True)],
)
def test_a_start_before_the_last_commit_is_a_jump(ahead: int, jumped: bool) -> None:
    """The files were written in the future; a start long after them is mere silence."""
    watch = ClockWatch(NOON, 0.0, NOON + ahead, 1.0)
    assert watch.look(NOON, 0.0) is jumped
