"""Lanes that count, behind the mask: offered what the guard lets pass, to whom consent was given, and nothing else."""

from dataclasses import replace

import pytest

from gateway.counting.lane import Counter
from gateway.counting.units import StopUnits
from gateway.model.device import Device
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, HOUR
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.mask import Mask
from gateway.rules.counts import Count
from tests.fakes import counting
from tests.fakes.counting import plan, read
from tests.fakes.readings import NOON, ROWS, Keys, fix, household, leave_home, policy

RIDERS = Count("stop", "tag", "service_day", ("hour",), None)


def child(*purposes: str) -> Device:
    """A child whose guardian agreed to these lanes."""
    family = household()
    return Device(DeviceId("c-1"), "child_tracker", "16201", 0, family, frozenset(purposes))


def mask(lane: Counter, *, keeps_ways: bool = True) -> Mask:
    return Mask(replace(policy(), keeps_ways=keeps_ways), Keys(), ROWS, [lane])


def counted(lane: Counter) -> int:
    """How much stands in all its periods."""
    return sum(sum(period.cells().values()) for period in lane.open.values())


def test_only_what_the_guard_lets_pass_is_offered() -> None:
    """Near home, before the guard has opened, twice over, late: in no counter."""
    lane = counting.counter()
    both = child("store", "analysis")
    masked = mask(lane)
    for reading in (fix(10, 0, both), fix(60, 10, both), fix(400, 20, both)):
        assert isinstance(masked.apply(reading), Reason)
    assert counted(lane) == 0

    opened = mask(lane)
    leave_home(opened, both)
    assert counted(lane) == 0
    assert isinstance(opened.apply(fix(900, 60, both)), list)
    assert counted(lane) == 1
    assert opened.apply(fix(900, 60, both)) is Fate.DUPLICATE
    assert isinstance(opened.apply(fix(1500, 30, both)), Reason)
    assert counted(lane) == 1


def test_consent_is_asked_for_each_lane_on_its_own() -> None:
    """For the store alone: a row, no number. For the lane alone: a number, no row. For another: neither."""
    for purposes, row, number in (
        (("store",), True, 0),
        (("analysis",), False, 1),
        (("store", "analysis"), True, 1),
    ):
        lane = counting.counter()
        masked = mask(lane)
        leave_home(masked, child(*purposes))
        verdict = masked.apply(fix(900, 60, child(*purposes)))
        assert verdict is Fate.COUNTED if not row else isinstance(verdict, list)
        assert counted(lane) == number
    stranger = mask(counting.counter())
    leave_home(stranger, child("open"))
    assert stranger.apply(fix(900, 60, child("open"))) is Reason.NO_CONSENT


def test_rules_without_a_store_keep_no_row_and_count() -> None:
    lane = counting.counter()
    masked = mask(lane, keeps_ways=False)
    leave_home(masked, child("store", "analysis"))

    assert masked.apply(fix(900, 60, child("store", "analysis"))) is Fate.COUNTED
    assert masked.apply(fix(10, 120, child("store", "analysis"))) is Reason.INSIDE_HOME
    assert counted(lane) == 1


def test_a_withdrawal_is_in_force_with_the_next_uplink() -> None:
    """What was counted of the period stays; nothing more comes."""
    lane = counting.counter()
    masked = mask(lane)
    leave_home(masked, child("store", "analysis"))
    masked.apply(fix(900, 60, child("store", "analysis")))
    masked.apply(fix(1500, 120, child("store")))

    assert counted(lane) == 1


class Faulty(Counter):
    """A lane with a bug."""

    def take(self, reading: Reading) -> bool:
        raise ZeroDivisionError(reading)


def test_a_fault_in_a_lane_suppresses_and_closes() -> None:
    """Neither row nor number, and the guard opens only after a way."""
    made = counting.plan()
    masked = mask(Faulty(made, counting.key, lambda _: False, lambda: 8))
    both = child("store", "analysis")
    leave_home(masked, both)

    assert masked.apply(fix(900, 60, both)) is Reason.FAULT
    assert masked.apply(fix(950, 70, child("store"))) is Reason.NOT_REOPENED


def test_without_a_key_the_uplink_comes_again_and_counts_once() -> None:
    """Nothing is remembered of it in between; it is no duplicate of itself."""
    missing = [True]

    def key(period: str) -> bytes:
        if missing:
            raise KeysUnavailable("ENOSPC")
        return counting.key(period)

    lane = counting.counter(keys=key)
    masked = mask(lane)
    both = child("store", "analysis")
    leave_home(masked, both)
    with pytest.raises(KeysUnavailable):
        masked.apply(fix(900, 60, both))
    missing.clear()

    assert isinstance(masked.apply(fix(900, 60, both)), list)
    assert counted(lane) == 1


def test_tags_are_counted_and_no_row_is_written() -> None:
    """Nor for a reader at a bus's door, which tells no stop; an uplink without reads is a sign of life."""
    lane = counting.counter(plan(RIDERS, StopUnits(), of=counting.lane(name="ridership")))
    masked = Mask(replace(policy(), keeps_reads=False, retain_days=1), Keys(), ROWS, [lane])
    tags = ["30751FEB705C5904E3D50D70", "30751FEB705C5904E3D50D71"]

    assert masked.apply(read(tags)) is Fate.COUNTED
    assert masked.apply(read([])) is Fate.COUNTED
    assert masked.apply(read(tags, None)) is Reason.NO_LANE
    assert counted(lane) == 2


def test_reads_of_the_evening_count_behind_midnight() -> None:
    """Rows would be over by then; the service day is not."""
    lane = counting.counter(plan(RIDERS, StopUnits(), of=counting.lane(name="ridership")))
    masked = Mask(replace(policy(), keeps_reads=False, retain_days=1), Keys(), ROWS, [lane])
    evening = read(["30751FEB705C5904E3D50D70"], at=NOON + 20 * HOUR)
    evening.received_at = NOON + 22 * HOUR
    late = read(["30751FEB705C5904E3D50D71"], at=NOON + 20 * HOUR)
    late.received_at = NOON + DAY + 2 * HOUR

    assert masked.apply(evening) is Fate.COUNTED
    assert masked.apply(late) is Reason.NO_LANE
    assert counted(lane) == 1
