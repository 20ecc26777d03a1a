"""Beside the work: registry changes reach the doors, files go in time, and a jumping clock is not obeyed."""

import asyncio
import errno
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import pytest

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.app.housekeeping import ClockWatch, Timekeeper, keep_house
from gateway.app.trusted_time import last_commit, last_trusted, remember
from gateway.clock import kernel_synchronised
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, HOUR, MINUTE, SECOND
from gateway.privacy.keysource import KeysUnavailable
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from tests.fakes.clock import ManualClock
from tests.fakes.counting import plan
from tests.fakes.loop import in_virtual_time
from tests.fakes.readings import NOON, policy
from tests.fakes.store import outcome_of, sealed_row

WEEKS = ["store-2026-W14", "store-2026-W16", "store-2026-W17", "store-2026-W20"]
"""With 28 days and NOON in week 20, the first two are over, the second since yesterday."""


@dataclass
class House:
    """A checkpoint with four weeks of rows, its clock, what its doors were told, and how often what else
    is kept was looked after.
    """

    checkpoint: Checkpoint
    clock: ManualClock
    told: list[Directory]
    rounds: list[None] = field(default_factory=list)

    async def keep(
        self,
        watch: ClockWatch,
        seconds: float = 1.0,
        synchronised: Callable[[], bool] = lambda: False,
    ) -> None:
        """Keep house for so long (virtual) seconds."""
        keeping = self.keeping(watch, synchronised)
        await asyncio.sleep(seconds)
        keeping.cancel()

    def keeping(
        self, watch: ClockWatch, synchronised: Callable[[], bool] = lambda: False
    ) -> asyncio.Task[None]:
        """Begin to keep house."""
        return asyncio.create_task(
            keep_house(
                self.checkpoint,
                self.told.append,
                Timekeeper(watch, synchronised, self.checkpoint.state),
                lambda: self.rounds.append(None),
            )
        )

    def watch(self) -> ClockWatch:
        return ClockWatch(self.clock.now(), self.clock.monotonic(), None)

    async def fill(self) -> None:
        for number, week in enumerate(WEEKS):
            self.checkpoint.keys.file_key(week)
            await self.checkpoint.store.commit(outcome_of(sealed_row(number, week)))

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
        checkpoint = Checkpoint(state, keys, registry, policy(), clock, Tempo(), [plan()])
        yield House(checkpoint, clock, [])
        asyncio.run(checkpoint.store.close())


# -- the registry -----------------------------------------------------------------------------


@in_virtual_time
async def test_a_change_by_another_process_is_in_force_within_a_second(house: House) -> None:
    """Decisions 11; without a change nobody is told anything."""
    keeping = house.keeping(house.watch())
    await asyncio.sleep(10)
    assert house.told == []
    with Registry.open(house.checkpoint.state, house.checkpoint.keys) as other:
        other.put_device("river-1", "river_gauge", "16201", NOON)
    await asyncio.sleep(0.99)
    keeping.cancel()

    assert [list(directory.devices) for directory in house.told] == [[DeviceId("river-1")]]
    assert house.checkpoint.directory is house.told[0]


FAULTS = [
    OSError(errno.EIO, "a fault", "/keys/households/house-canary.key"),
    sqlite3.OperationalError("canary"),
    Refusal("The key file /keys/households/house-canary.key cannot be opened."),
    KeysUnavailable("EIO"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=type)
@in_virtual_time
async def test_a_registry_that_cannot_be_read_ends_no_gateway(
    house: House,
    fault: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The old directory stays in force, an error that names nobody is said, and the change is taken in
    as soon as it can be read."""
    before = house.checkpoint.directory
    with monkeypatch.context() as patched:

        def refuse(*_args: object) -> None:
            raise fault

        patched.setattr("gateway.registry.home_rows.homes", refuse)
        with Registry.open(house.checkpoint.state, house.checkpoint.keys) as other:
            other.put_device("river-1", "river_gauge", "16201", NOON)
        keeping = house.keeping(house.watch())
        await asyncio.sleep(12)
        assert not keeping.done()
        assert house.checkpoint.directory is before
    await asyncio.sleep(6)
    keeping.cancel()

    assert [list(directory.devices) for directory in house.told] == [[DeviceId("river-1")]]
    assert house.checkpoint.facts.counts == {"registry unreadable": 3}
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    assert "canary" not in caplog.text


@in_virtual_time
async def test_keys_that_are_away_erase_no_home(house: House) -> None:
    """Their volume goes, and somebody changes the registry: homes and consents stay as they were, until
    the keys are back and the change is taken in."""
    checkpoint = house.checkpoint
    registry = checkpoint.registry
    registry.put_device("child-1", "child_tracker", "16201", NOON, "house-1")
    registry.put_home("house-1", 36.9, 137.2)
    registry.record_consent("child-1", "store", "a guardian", "yes", NOON)
    keeping = house.keeping(house.watch())
    await asyncio.sleep(1)
    known = checkpoint.directory
    here, away = checkpoint.keys.path / "households", checkpoint.keys.path / "away"
    here.rename(away)
    with Registry.open(checkpoint.state, checkpoint.keys) as other:
        other.put_device("river-1", "river_gauge", "16201", NOON)
    await asyncio.sleep(6)
    assert checkpoint.directory is known
    away.rename(here)
    await asyncio.sleep(6)
    keeping.cancel()

    child, river = (checkpoint.directory.devices[DeviceId(n)] for n in ("child-1", "river-1"))
    assert child.household is not None
    assert child.household.home is not None
    assert child.consents
    assert river.owner == "16201"
    assert checkpoint.facts.counts["registry unreadable"] >= 1


# -- retention --------------------------------------------------------------------------------


@in_virtual_time
async def test_files_whose_time_is_over_go_with_their_keys_and_no_others(house: House) -> None:
    await house.fill()
    await house.keep(house.watch())
    assert house.files() == house.keys() == WEEKS[2:]
    assert house.checkpoint.facts.counts["period removed"] == 2


@in_virtual_time
async def test_keys_that_came_without_their_files_go_too(house: House) -> None:
    """An export from elsewhere brings keys of weeks that are over: they would open a backup beyond its time."""
    for week in WEEKS:
        house.checkpoint.keys.file_key(week)
    await house.keep(house.watch())
    assert house.keys() == WEEKS[2:]
    assert house.checkpoint.facts.counts == {}


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
    """Decisions 15: neither file nor key, however old they look now, and no period is told; it is said within a second."""
    await house.fill()
    keeping = house.keeping(house.watch())
    await asyncio.sleep(1)
    assert house.files() == WEEKS[2:]
    house.clock.set(NOON + days * DAY)
    await asyncio.sleep(1)
    keeping.cancel()
    assert house.files() == house.keys() == WEEKS[2:]
    assert house.checkpoint.facts.counts["clock jumped"] == 1
    assert house.checkpoint.keys.periods.names() == ["analysis-2026-05"]
    assert not house.checkpoint.state.releases_dir.exists()


# -- the clock --------------------------------------------------------------------------------


def after(wall_s: float, boot_s: float) -> bool:
    """Whether a clock that went on by so much on the wall, and so much since boot, has jumped."""
    watch = ClockWatch(NOON, 5000.0, None)
    return watch.look(NOON + int(wall_s * SECOND), 5000.0 + boot_s, synchronised=False)


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


def test_a_jump_is_over_when_the_clock_comes_back() -> None:
    """Nothing was removed in between, and it is again where it was trusted before."""
    watch = ClockWatch(NOON, 0.0, None)
    assert watch.look(NOON + 2 * DAY, 0.0, synchronised=False)
    assert not watch.look(NOON + HOUR, 0.0, synchronised=False)


def test_a_jump_is_over_when_the_kernel_reports_synchronisation() -> None:
    """It was the right time that was jumped to; from there on, moving a day is a jump again."""
    watch = ClockWatch(NOON, 0.0, None)
    assert watch.look(NOON + 400 * DAY, 0.0, synchronised=False)
    assert not watch.look(NOON + 400 * DAY, 0.0, synchronised=True)
    assert not watch.look(NOON + 400 * DAY + HOUR, 3600.0, synchronised=False)
    assert watch.look(NOON, 3600.0, synchronised=False)


@pytest.mark.parametrize(
    ("since_last", "synchronised", "jumped"),
    [
        (-400 * DAY, False, True),
        (-2 * HOUR, False, True),
        (-HOUR // 2, False, False),
        (0, False, False),
        (DAY - HOUR, False, False),
        (DAY + HOUR, False, True),
        (400 * DAY, False, True),
        (400 * DAY, True, False),  # mere silence: the gateway was off
        (-400 * DAY, True, False),  # the last commit was made under a wrong clock
    ],
)
def test_a_start_is_judged_by_the_last_trusted_time(
    since_last: int, synchronised: bool, jumped: bool
) -> None:
    """Decisions 15: before it, or a day after it with nothing that keeps the clock right."""
    watch = ClockWatch(NOON, 0.0, NOON - since_last)
    assert watch.look(NOON, 0.0, synchronised=synchronised) is jumped
    assert watch.look(NOON + HOUR, 3600.0, synchronised=False) is jumped


def test_a_first_start_is_no_jump() -> None:
    """There is no last commit, and nothing to remove."""
    assert not ClockWatch(NOON, 0.0, None).look(NOON, 0.0, synchronised=False)


def test_a_wrong_start_is_over_when_the_clock_comes_back() -> None:
    """A machine without a clock battery wakes up years ahead and is set right by hand an hour later."""
    watch = ClockWatch(NOON + 900 * DAY, 0.0, NOON - DAY)
    assert watch.look(NOON + 900 * DAY, 0.0, synchronised=False)
    assert watch.look(NOON + 900 * DAY + HOUR, 3600.0, synchronised=False)
    assert not watch.look(NOON + HOUR, 3600.0, synchronised=False)
    assert watch.look(NOON + 3 * DAY, 7200.0, synchronised=False)


def test_the_kernel_can_be_asked() -> None:
    """Whatever it answers on this machine, it answers the same twice and does not fail."""
    assert kernel_synchronised() is kernel_synchronised()


def test_the_last_commit_is_that_of_rows_not_of_readers(tmp_path: Path) -> None:
    """A journal's index changes when somebody reads, and an empty journal when somebody looks."""
    state = StateDir.create(tmp_path / "state", None, ManualClock(NOON))
    assert last_commit(state) is None
    for name, size, at in [
        ("city.db", 1, NOON - 5 * DAY),
        (f"personal/{WEEKS[0]}.db", 1, NOON - 3 * DAY),
        (f"personal/{WEEKS[1]}.db", 1, NOON - 4 * DAY),
        (f"personal/{WEEKS[1]}.db-wal", 1, NOON - 2 * DAY),
        (f"personal/{WEEKS[0]}.db-wal", 0, NOON),
        (f"personal/{WEEKS[0]}.db-shm", 1, NOON),
        ("personal/notes.txt", 1, NOON),
    ]:
        (state.path / name).write_bytes(bytes(size))
        os.utime(state.path / name, ns=(at * 1000, at * 1000))
    assert last_commit(state) == NOON - 2 * DAY


@in_virtual_time
async def test_a_restart_confirms_no_wrong_clock(house: House) -> None:
    """Stopping and starting touches files, not the remembered time: however often, a clock that lies
    far ahead stays doubted and nothing is removed."""
    state = house.checkpoint.state
    await house.fill()
    for path in state.path.rglob("*.db*"):
        os.utime(path, ns=(NOON * 1000, NOON * 1000))
    house.clock.set(NOON + 400 * DAY)
    for _ in range(3):
        last = last_trusted(state)
        assert last == NOON
        watch = ClockWatch(house.clock.now(), house.clock.monotonic(), last)
        await house.keep(watch)
        Timekeeper(watch, lambda: False, state).remember(house.checkpoint)
        for path in state.path.rglob("*.db*"):  # as closing does
            os.utime(path, ns=(house.clock.now() * 1000, house.clock.now() * 1000))
        house.clock.advance(3600)
    assert house.files() == house.keys() == WEEKS


@in_virtual_time
async def test_a_trusted_time_is_remembered_each_quarter_of_an_hour(house: House) -> None:
    """To the minute, and until the clock jumps; at most that often."""
    state, clock = house.checkpoint.state, house.clock
    watch = house.watch()
    keeping = house.keeping(watch)
    await asyncio.sleep(1)
    assert last_trusted(state) == NOON
    clock.advance(14 * 60)
    await asyncio.sleep(1)
    assert last_trusted(state) == NOON
    clock.advance(90)
    await asyncio.sleep(1)
    assert last_trusted(state) == NOON + 15 * MINUTE
    clock.set(NOON + 3 * DAY)
    await asyncio.sleep(1)
    keeping.cancel()
    Timekeeper(watch, lambda: False, state).remember(house.checkpoint)
    assert last_trusted(state) == NOON + 15 * MINUTE


@in_virtual_time
async def test_a_disk_that_takes_no_time_keeps_no_file(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and what is over is removed all the same."""
    await house.fill()

    def refuse(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "full", "/a/path")

    monkeypatch.setattr("gateway.app.trusted_time.write_durably", refuse)
    await house.keep(house.watch())
    assert house.files() == WEEKS[2:]
    assert house.checkpoint.facts.counts == {"time not remembered": 1, "period removed": 2}


def test_a_remembered_time_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Nobody guesses: the sentence says what to look at; what a kill left of writing it is removed."""
    state = StateDir.create(tmp_path / "state", None, ManualClock(NOON))
    remember(state, NOON + 1)
    (state.path / ".clock.json.0badf00d").touch()
    assert last_trusted(state) == NOON
    assert not (state.path / ".clock.json.0badf00d").exists()
    state.clock_file.write_text("{}")
    with pytest.raises(Refusal, match=r"clock\.json does not say .*--clock-is-right"):
        last_trusted(state)


@in_virtual_time
async def test_what_waited_for_the_clock_goes_when_it_is_synchronised(house: House) -> None:
    """Without a restart, at the next round; both are said."""
    await house.fill()
    watch = ClockWatch(house.clock.now(), house.clock.monotonic(), NOON - 40 * DAY)
    synchronised = False
    keeping = house.keeping(watch, lambda: synchronised)
    await asyncio.sleep(1)
    assert house.files() == house.keys() == WEEKS
    assert house.rounds == []
    synchronised = True
    await asyncio.sleep(1)
    assert house.files() == WEEKS
    house.clock.advance(15 * 60)
    await asyncio.sleep(1)
    keeping.cancel()
    assert house.files() == house.keys() == WEEKS[2:]
    assert house.rounds == [None]
    assert house.checkpoint.facts.counts == {
        "clock jumped": 1, "clock trusted": 1, "period removed": 2,
    }  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=type)
@in_virtual_time
async def test_a_keys_volume_that_cannot_be_written_stops_no_gateway(
    house: House,
    fault: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is over is removed as soon as it can be; the error names no path."""
    await house.fill()
    watch = house.watch()
    with monkeypatch.context() as patched:

        def refuse(_ring: KeyRing, _period: str) -> None:
            raise fault

        patched.setattr(KeyRing, "destroy_file_key", refuse)
        keeping = house.keeping(watch)
        await asyncio.sleep(1)
        assert not keeping.done()
        assert house.files() == house.keys() == WEEKS
    house.clock.advance(15 * 60)
    await asyncio.sleep(1)
    keeping.cancel()
    assert house.files() == WEEKS[2:]
    assert house.checkpoint.facts.counts == {"retention waits": 1, "period removed": 2}
    assert "canary" not in caplog.text


@in_virtual_time
async def test_keys_that_are_away_keep_their_files(house: House) -> None:
    """The file of a week that is over stays as long as its key may still lie on a volume that is away,
    and goes with it when that is back."""
    await house.fill()
    folder = house.checkpoint.keys.path / "files"
    folder.rename(folder.with_name("away"))
    keeping = house.keeping(house.watch())
    await asyncio.sleep(1)
    assert house.files() == WEEKS
    folder.with_name("away").rename(folder)
    house.clock.advance(15 * 60)
    await asyncio.sleep(1)
    keeping.cancel()
    assert house.files() == house.keys() == WEEKS[2:]
    assert house.checkpoint.facts.counts == {"retention waits": 1, "period removed": 2}
