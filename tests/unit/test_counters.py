"""Counters of a gateway: over kills and restarts, at the end of a period, and when their rules changed."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from errno import ENOENT, ENOSPC
from pathlib import Path
from typing import Any

import pytest

from gateway.app.counters import BETWEEN, Counters
from gateway.clock import SimulatedClock
from gateway.counting.lane import Plan
from gateway.counting.units import StopUnits
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, HOUR, MINUTE, Instant, parse_rfc3339
from gateway.rules.counts import Count, Release
from gateway.statedir import Mark, StateDir
from gateway.stores.releases import Releases
from gateway.telemetry import Facts
from tests.fakes.counting import lane, plan, read, walked
from tests.fakes.readings import HOME, NOON, child, household

RIDERS = Count("stop", "tag", "service_day", ("hour",), None)
ANALYSIS = plan(of=lane())


class Town:
    """A state directory, its keys, a clock, and gateways that are started on them one after another."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(NOON)
        self.state = StateDir.create(folder / "state", Mark.SIM, self.clock)
        self.keys = KeyRing.create(folder / "keys", self.state.id, self.clock, UTC)
        self.releases = Releases(self.state.releases_dir, self.clock, UTC)
        self.facts = Facts()
        self.families = 3

    def start(self, *plans: Plan) -> Counters:
        """A gateway's counters, taken up from what the one before left."""
        devices = {
            DeviceId(f"c-{n}"): child(f"c-{n}", household(name=f"h-{n}"))
            for n in range(self.families)
        }
        keys = KeyRing.open(self.keys.path.parent, self.state.id, self.clock, UTC)
        counters = Counters(
            *(plans or (ANALYSIS,), "test 0123", self.state, keys),
            *(lambda: Directory(devices, {}), self.clock, UTC, self.facts),
        )
        counters.take_up()
        return counters

    def walk(self, counters: Counters, families: int, at: Instant | None = None) -> None:
        """So many families pass one place."""
        for n in range(families):
            now = self.clock.now() if at is None else at
            assert counters.lanes[0].take(walked(HOME, f"h-{n}", now))

    def files(self) -> dict[str, int]:
        """Name → length of what lies in `counting/`."""
        folder = self.state.counting_dir
        return {path.name: path.stat().st_size for path in folder.glob("*")}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def rows(town: Town, period: str = "2026-05") -> Sequence[object]:
    shown: Sequence[object] = town.releases.document("analysis", period)["rows"]
    return shown


def lost(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a release says was lost, without for how long it was counted."""
    about_time = ("counted_from", "minutes_not_counted")
    return {name: said for name, said in document["losses"].items() if name not in about_time}


async def not_counted(town: Town, counters: Counters, period: str = "2026-05") -> tuple[str, int]:
    """What the release says: since when it was counted, and for how many minutes of the period it was not."""
    town.clock.advance(max(town.clock.now(), NOON + 40 * DAY))
    await counters.look_after()
    losses = town.releases.document("analysis", period)["losses"]
    return losses["counted_from"][:16], losses["minutes_not_counted"]


async def test_a_period_is_released_when_it_is_over_and_nothing_of_it_is_left(town: Town) -> None:
    """Key and counter are gone, the ledger has a line, and the next period is open."""
    counters = town.start()
    await counters.look_after()
    town.walk(counters, 6)
    end = ANALYSIS.calendar.moment(NOON).span.closes
    town.clock.advance(end - 1)
    await counters.look_after()
    assert town.releases.standings() == {}

    town.clock.advance(end)
    await counters.look_after()

    assert len(rows(town)) == 1
    assert town.keys.periods.names() == ["analysis-2026-06"]
    assert set(town.files()) == {"analysis-2026-06.sealed"}
    assert not counters.lanes[0].take(walked(HOME, "h-9", NOON, end))
    assert town.facts.counts["period closed"] == 1


async def test_a_clean_stop_loses_nothing_and_a_kill_what_was_not_written_down(town: Town) -> None:
    """Five families before a checkpoint, one behind it; the release says that a run was cut off."""
    first = town.start()
    town.walk(first, 3)
    await first.write_down(clean=True)
    second = town.start()
    town.walk(second, 5)
    await second.write_down()
    town.walk(second, 9)  # killed here
    third = town.start()
    await third.write_down(clean=True)
    fourth = town.start()
    (period,) = fourth.lanes[0].open.values()

    assert list(period.cells().values()) == [5]
    town.clock.advance(NOON + 40 * DAY)
    await fourth.look_after()
    document = town.releases.document("analysis", "2026-05")
    assert lost(document) == {"kills": 1, "minutes_at_most": 5, "missed": 0, "full": False}
    assert town.facts.counts["counter cut off"] == 1


@pytest.mark.parametrize(
    ("review", "words"), [(0, "may leave, and nobody has to look"), (2, "ready to be looked at")]
)
async def test_the_log_says_what_a_closed_period_waits_for(
    town: Town, caplog: pytest.LogCaptureFixture, review: int, words: str
) -> None:
    """Nothing has left yet, so nobody reads that it had."""
    watched = plan(of=replace(lane(), release=Release(review=review)))
    counters = town.start(watched)
    town.walk(counters, 6)
    town.clock.advance(NOON + 40 * DAY)
    with caplog.at_level(logging.INFO, "sekisho"):
        await counters.look_after()

    (line,) = [one.getMessage() for one in caplog.records if "period closed" in one.getMessage()]
    assert words in line


async def test_a_kill_before_the_first_checkpoint_is_said_too(town: Town) -> None:
    """A key without a counter means that one was begun."""
    town.walk(town.start(), 5)
    assert town.files() == {}
    (period,) = town.start().lanes[0].open.values()

    assert period.losses.kills == 1


async def test_an_older_counter_from_a_backup_is_known_to_be_old(town: Town) -> None:
    """Its release says how many checkpoints are missing, and up to how many minutes."""
    counters = town.start()
    town.walk(counters, 6)
    await counters.write_down()
    file = town.state.counting_dir / "analysis-2026-05.sealed"
    backup = file.read_bytes()
    for _ in range(3):
        await counters.write_down()
    await counters.write_down(clean=True)
    file.write_bytes(backup)
    again = town.start()
    town.clock.advance(NOON + 40 * DAY)
    await again.look_after()

    losses = lost(town.releases.document("analysis", "2026-05"))
    assert losses == {"kills": 1, "minutes_at_most": 25, "missed": 4, "full": False}
    assert list((town.keys.path / "periods").glob("analysis-2026-05*")) == []


async def test_checkpoints_that_the_disk_refused_are_missing_after_a_kill(town: Town) -> None:
    """And only then: what a later one has, nothing is missing of."""
    counters = town.start()
    town.walk(counters, 6)
    await counters.write_down()
    folder = town.state.counting_dir
    folder.rename(folder.with_name("away"))
    folder.write_text("in the way")
    await counters.write_down()
    assert town.facts.counts["counter not written down"] == 1
    folder.unlink()
    folder.with_name("away").rename(folder)
    (period,) = town.start().lanes[0].open.values()
    assert (period.losses.kills, period.losses.missed) == (1, 1)
    await counters.write_down()
    (period,) = town.start().lanes[0].open.values()
    assert (period.losses.kills, period.losses.missed) == (1, 0)


async def test_what_lies_on_disk_tells_neither_how_many_nor_whether(town: Town) -> None:
    """Every checkpoint is as long as the first, which is written before anybody was seen; and each is new."""
    counters = town.start()
    await counters.look_after()
    empty = town.files()
    seen = set()
    for families in (0, 0, 6, 200):
        town.walk(counters, families)
        await counters.write_down()
        assert town.files() == empty
        seen.add((town.state.counting_dir / "analysis-2026-05.sealed").read_bytes())

    assert len(seen) == 4


async def test_room_follows_from_who_is_registered(town: Town) -> None:
    """More families need more room, whether they are seen or not."""
    counters = town.start()
    await counters.look_after()
    (few,) = town.files().values()
    await counters.write_down(clean=True)
    town.families = 1000
    await town.start().write_down(clean=True)
    (many,) = town.files().values()

    assert many > 4 * few


async def test_a_release_that_the_disk_refuses_is_made_later(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost of the period, and nothing more enters it."""
    counters = town.start()
    town.walk(counters, 6)
    town.clock.advance(NOON + 40 * DAY)
    town.state.releases_dir.write_text("in the way")
    with caplog.at_level(logging.ERROR):
        await counters.look_after()
    assert town.facts.counts["release waits"] >= 1
    assert not counters.lanes[0].take(walked(HOME, "h-7", NOON, NOON))

    town.state.releases_dir.unlink()
    await counters.look_after()
    assert len(rows(town)) == 1


async def test_a_kill_between_release_and_key_leaves_no_key(town: Town) -> None:
    """The ledger has the release: the next start destroys what is left, and takes nothing up."""
    counters = town.start()
    town.walk(counters, 6)
    await counters.write_down()
    key = town.keys.periods.there("analysis-2026-05")
    sealed = (town.state.counting_dir / "analysis-2026-05.sealed").read_bytes()
    town.clock.advance(NOON + 40 * DAY)
    await counters.look_after()
    assert key is not None
    (town.keys.path / "periods" / "analysis-2026-05.key").write_bytes(key)
    (town.keys.path / "periods" / "analysis-2026-05.key").chmod(0o600)
    (town.state.counting_dir / "analysis-2026-05.sealed").write_bytes(sealed)

    again = town.start()

    assert "2026-05" not in again.lanes[0].open
    assert town.keys.periods.names() == ["analysis-2026-06"]
    assert set(town.files()) == {"analysis-2026-06.sealed"}


async def test_a_release_stays_as_long_as_its_lane_says(town: Town) -> None:
    short = plan(of=replace(lane(), retain_us=10 * DAY))
    counters = town.start(short)
    town.walk(counters, 6)
    town.clock.advance(NOON + 25 * DAY)
    await counters.look_after()
    assert len(rows(town)) == 1
    town.clock.advance(NOON + 31 * DAY)
    await counters.look_after()

    with pytest.raises(Refusal, match="had its time"):
        rows(town)


@pytest.mark.parametrize(
    "other",
    [
        plan(replace(ANALYSIS.rule, cap=39), of=lane()),
        plan(replace(ANALYSIS.rule, slices=()), of=lane()),
        plan(of=replace(lane(), protect=())),
        plan(RIDERS),
    ],
)
async def test_a_counter_goes_on_only_with_what_it_was_begun_with(town: Town, other: Plan) -> None:
    """Another rule, another protection, no such lane: the gateway names the way out, and changes nothing."""
    counters = town.start()
    town.walk(counters, 6)
    await counters.write_down(clean=True)
    before = town.files()

    with pytest.raises(Refusal, match="sekisho release withhold analysis 2026-05"):
        town.start(other)
    assert town.files() == before
    assert town.start().lanes[0].open


@pytest.mark.parametrize(
    "others", [[plan(RIDERS)], [plan(replace(ANALYSIS.rule, cap=39), of=lane())]]
)
async def test_a_counter_in_which_nothing_was_counted_stands_in_nobodys_way(
    town: Town, others: list[Plan]
) -> None:
    """No device that it counts is registered: it goes without a word, and the period may begin anew."""
    town.families = 0
    counters = town.start()
    await counters.look_after()
    await counters.write_down(clean=True)

    again = town.start(*others)

    assert "analysis-2026-05.sealed" not in town.files()
    assert town.keys.periods.there("analysis-2026-05") is None
    assert not any(again.lanes[0].open)


async def test_whether_anybody_was_counted_is_not_told_where_somebody_could_be(town: Town) -> None:
    """With a child registered an empty counter and a full one are refused in the same words, and so is one of a run
    that was cut off."""
    said = set()
    for families, registered, clean in ((0, 3, True), (6, 3, True), (6, 0, True), (0, 0, False)):
        town.families = 3
        counters = town.start()
        await counters.look_after()
        town.walk(counters, families)
        await counters.write_down(clean=clean)
        town.families = registered
        with pytest.raises(Refusal) as caught:
            town.start(plan(RIDERS))
        assert caught.value.exit_code == 2
        said.add(str(caught.value))

    assert len(said) == 1


async def test_counters_without_their_keys_are_not_begun_anew(town: Town) -> None:
    """As after a restore on another machine; each is named with its way out."""
    both = (ANALYSIS, plan(RIDERS, StopUnits(), of=lane(name="ridership")))
    counters = town.start(*both)
    await counters.look_after()
    await counters.write_down(clean=True)
    for name in town.keys.periods.names():
        town.keys.periods.destroy(name)

    with pytest.raises(Refusal) as caught:
        town.start(*both)
    for name in ("analysis 2026-05", "ridership 2026-05-12"):
        assert f"sekisho release withhold {name}" in str(caught.value)
    assert str(caught.value).count("has no key any more") == 2


async def test_what_cannot_be_read_at_a_start_is_a_sentence(town: Town) -> None:
    counters = town.start()
    town.walk(counters, 6)
    await counters.write_down(clean=True)
    key = town.keys.path / "periods" / "analysis-2026-05.key"
    key.chmod(0o644)

    with pytest.raises(Refusal, match="cannot be read"):
        town.start()


async def test_two_rules_whose_tables_overlap_release_one(town: Town) -> None:
    """The later one is withheld, and its counter is destroyed all the same."""
    weekly = plan(replace(ANALYSIS.rule, period="week"), of=replace(lane(), name="research"))
    counters = town.start(weekly, ANALYSIS)
    for each in counters.lanes:
        assert each.take(walked(HOME))
    town.clock.advance(NOON + 40 * DAY)
    await counters.look_after()

    found = town.releases.standings()
    assert not found["research", "2026-W20"].withheld
    assert found["analysis", "2026-05"].withheld
    assert town.facts.counts["period withheld"] == 1
    assert all("2026-05" not in name for name in town.files())


async def test_a_service_day_ends_in_the_night_and_names_its_stops(town: Town) -> None:
    """Riders behind midnight are of the day before; an hour after three it is told."""
    riders = plan(RIDERS, StopUnits(), of=lane(name="ridership"))
    counters = town.start(riders)
    for shift in (0, 23 * HOUR):
        for n in range(6):
            tag = f"30751FEB705C5904E3D50D7{n}"
            town.clock.advance(max(town.clock.now(), NOON + shift))
            assert counters.lanes[0].take(read([tag], at=NOON + shift))
    town.clock.advance(NOON + DAY + 2 * HOUR)
    await counters.look_after()

    document = town.releases.document("ridership", "2026-05-12")
    assert [(row["unit"], row["hour"], row["tags"]) for row in document["rows"]] == [
        ("12_1", 2, "6"),
        ("12_1", 3, "6"),
    ]


async def test_where_no_trace_of_a_run_gets_on_disk_it_counts_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk for two hours, then a kill: the checkpoint of the clean run before would look like the last word."""
    first = town.start()
    town.walk(first, 3)
    await first.write_down(clean=True)

    def full(*_all: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("gateway.stores.counters.write_durably", full)
        disk.setattr("gateway.keys.periods.write_durably", full)
        second = town.start()
        for _ in range(24):
            assert not second.lanes[0].take(walked(HOME, "h-7", town.clock.now()))
            await second.write_down()
            town.clock.advance(town.clock.now() + BETWEEN)
    assert town.facts.counts["counting waits"] == 25
    third = town.start()  # the one before was killed
    assert third.lanes[0].take(walked(HOME, "h-8", town.clock.now()))

    (period,) = third.lanes[0].open.values()
    assert list(period.cells().values()) == [3, 1]
    began, minutes = await not_counted(town, third)
    assert (began, minutes) == ("2026-05-12T03:00", (11 * 24 + 3 + 2) * 60)


async def test_counting_goes_on_when_the_disk_takes_a_counter_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted before is there; the time between is said."""
    counters = town.start()
    town.walk(counters, 3)

    def full(*_all: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("gateway.stores.counters.write_durably", full)
        await counters.write_down()
        town.walk(counters, 4)  # its number is on disk: a kill would be known
        disk.setattr("gateway.keys.periods.write_durably", full)
        await counters.write_down()
        assert not counters.lanes[0].take(walked(HOME, "h-7"))
        town.clock.advance(NOON + 30 * MINUTE)
    await counters.write_down()
    town.walk(counters, 6, NOON)

    (period,) = counters.lanes[0].open.values()
    assert list(period.cells().values()) == [6]
    assert (await not_counted(town, counters))[1] == (11 * 24 + 3) * 60 + 30


async def test_a_release_says_since_when_it_was_counted(town: Town) -> None:
    """A gateway that first starts in the middle of a month has not counted its beginning; the next month it has."""
    counters = town.start()
    town.walk(counters, 6)
    for day in (10, 25):
        town.clock.advance(NOON + day * DAY)
        await counters.look_after()
    await counters.write_down(clean=True)

    assert await not_counted(town, counters) == ("2026-05-12T03:00", (11 * 24 + 3) * 60)
    town.clock.advance(NOON + 60 * DAY)
    assert await not_counted(town, counters, "2026-06") == ("2026-06-01T00:00", 0)


@pytest.mark.parametrize("clean", [True, False])
async def test_a_release_says_for_how_long_the_gateway_was_down(town: Town, *, clean: bool) -> None:
    """From what it wrote down last to its next start, and neither before the period nor behind it."""
    counters = town.start()
    town.walk(counters, 6)
    await counters.write_down(clean=clean)
    town.clock.advance(NOON + 7 * HOUR)
    again = town.start()
    await again.write_down(clean=True)
    town.clock.advance(NOON + 30 * DAY)

    behind = town.start()
    end = (31 - 11) * 24 - 3 - 7  # hours from the second start to the end of May
    before = 11 * 24 + 3
    assert (await not_counted(town, behind))[1] == (before + 7 + end) * 60


async def test_a_key_that_could_not_be_made_for_hours_is_time_not_counted(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = town.start()
    town.clock.advance(parse_rfc3339("2026-06-01T00:00:00Z"))
    with monkeypatch.context() as mount:
        mount.setattr("gateway.keys.keyfile.find_or_make", _nothing)
        await counters.look_after()
        town.clock.advance(town.clock.now() + 3 * HOUR)
        await counters.look_after()
    await counters.look_after()
    town.clock.advance(NOON + 60 * DAY)

    assert await not_counted(town, counters, "2026-06") == ("2026-06-01T03:00", 180)


def _nothing(_path: Path) -> bytes:
    raise OSError(ENOENT, "the mount is away")


def test_counters_are_written_down_every_five_minutes() -> None:
    assert BETWEEN == 5 * MINUTE
