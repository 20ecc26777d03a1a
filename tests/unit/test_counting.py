"""Counters: which period and slice a moment is of, who is counted where, and what a checkpoint holds."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.counting.calendar import Calendar
from gateway.counting.lane import MOST_OPEN
from gateway.counting.period import PeriodCounter
from gateway.counting.presences import Presences
from gateway.counting.units import StopUnits
from gateway.model.instant import DAY, HOUR, MINUTE, Instant, from_datetime
from gateway.privacy.keysource import KeysUnavailable
from gateway.rules.counts import Agreement, Count
from tests.fakes.counting import MESH, counter, key, plan, read, walked
from tests.fakes.counting import lane as counting_lane
from tests.fakes.readings import HOME, NOON

TOKYO = ZoneInfo("Asia/Tokyo")
RIDERS = Count("stop", "tag", "service_day", ("hour",), None)
TAG = "30751FEB705C5904E3D50D7"


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(f"{text}+09:00"))


@pytest.mark.parametrize(
    ("kind", "moment", "name", "first", "last"),
    [
        ("service_day", "2026-05-12T03:00", "2026-05-12", "2026-05-12", "2026-05-12"),
        ("service_day", "2026-05-12T02:59", "2026-05-11", "2026-05-11", "2026-05-11"),
        ("week", "2027-01-03T23:59", "2026-W53", "2026-12-28", "2027-01-03"),
        ("month", "2028-02-29T12:00", "2028-02", "2028-02-01", "2028-02-29"),
        ("month", "2026-12-31T23:59", "2026-12", "2026-12-01", "2026-12-31"),
        ("term", "2026-04-01T00:00", "2026-T1", "2026-04-01", "2026-07-31"),
        ("term", "2026-08-01T00:00", "2026-T2", "2026-08-01", "2026-12-31"),
        ("term", "2027-03-31T23:59", "2026-T3", "2027-01-01", "2027-03-31"),
        ("school_year", "2027-03-31T23:59", "2026-SY", "2026-04-01", "2027-03-31"),
        ("school_year", "2027-04-01T00:00", "2027-SY", "2027-04-01", "2028-03-31"),
    ],
)
def test_a_moment_lies_in_one_period_of_local_time(
    kind: str, moment: str, name: str, first: str, last: str
) -> None:
    calendar = Calendar(kind, (), TOKYO)  # type: ignore[arg-type]
    span = calendar.moment(at(moment)).span

    assert (span.name, str(span.first), str(span.last)) == (name, first, last)
    assert span.begins <= at(moment) < span.ends < span.closes
    assert calendar.span(name) == span
    with pytest.raises(ValueError, match=r".+"):
        calendar.span(f"{name}x")


@pytest.mark.parametrize("name", ["2026-T0", "2026-T4", "2026-13", "2026-W60", "x", ""])
def test_what_is_no_period_is_refused(name: str) -> None:
    """A file of another name in the folder is not taken for a counter of ours."""
    for kind in ("service_day", "week", "month", "term", "school_year"):
        with pytest.raises(ValueError, match=r".+"):
            Calendar(kind, (), TOKYO).span(name)


def test_a_slice_is_the_kind_of_day_and_the_hour_where_the_rule_says_so() -> None:
    """Only what the numbers are split by is shown of it."""
    saturday = at("2026-05-16T07:59")
    both = Calendar("month", ("hour", "weekday_type"), TOKYO)
    hour, neither = Calendar("month", ("hour",), TOKYO), Calendar("month", (), TOKYO)

    assert both.columns(both.moment(saturday).slice) == {"weekday_type": "weekend", "hour": 7}
    assert both.columns(both.moment(saturday - DAY).slice)["weekday_type"] == "weekday"
    assert hour.columns(hour.moment(saturday).slice) == {"hour": 7}
    assert neither.columns(neither.moment(saturday).slice) == {}


def test_a_household_counts_once_in_a_unit_and_slice() -> None:
    """Sisters and brothers, and many fixes, are one; another hour is another slice."""
    lane = counter()
    for family, shift in (("h-1", 0), ("h-1", MINUTE), ("h-2", 0), ("h-1", HOUR)):
        assert lane.take(walked((36.6953, 137.2113), family, NOON + shift))

    (period,) = lane.open.values()
    (unit,) = {unit for unit, _ in period.cells()}
    assert sorted(period.cells().values()) == [1, 2]
    assert plan().units.name(unit) == "5537013624"


def test_a_tag_counts_once_a_stop_and_hour_and_nowhere_without_a_stop() -> None:
    """A reader at a bus's door tells no stop."""
    stops = StopUnits()
    lane = counter(plan(RIDERS, stops, TOKYO))

    assert lane.take(read([TAG + "0", TAG + "1", TAG + "0"]))
    assert lane.take(read([TAG + "1"], "12_1", NOON + MINUTE))
    assert lane.take(read([TAG + "1"], "13_1", NOON + MINUTE))
    assert not lane.take(read([TAG + "2"], None))
    (period,) = lane.open.values()
    assert {stops.name(unit): n for (unit, _), n in period.cells().items()} == {"12_1": 2, "13_1": 1}  # fmt: skip
    assert StopUnits().name(1) == "a former stop 0000000000000001"


def test_nothing_enters_a_period_that_is_over_or_closed() -> None:
    """A late uplink counts for a day; then its month is closed, and so it is where a release was made."""
    end = plan().calendar.moment(NOON).span.closes

    assert counter().take(walked(HOME, at=NOON, received_at=end - 1))
    assert not counter().take(walked(HOME, at=NOON, received_at=end))
    begun = counter()
    begun.take(walked(HOME))
    assert not begun.take(walked(HOME, at=NOON, received_at=end))
    assert not counter(closed=["2026-05"]).take(walked(HOME))
    assert [one.span.name for one in begun.over(end)] == ["2026-05"]
    assert begun.over(end - 1) == []


def test_no_period_is_begun_that_ends_after_its_agreement() -> None:
    """A researcher's numbers lie within what was signed."""
    for ends, taken in (("2026-05-31", True), ("2026-05-30", False)):
        signed = replace(counting_lane(name="research"), agreement=Agreement("a", "b", ends))
        assert counter(plan(of=signed)).take(walked(HOME)) is taken


def test_no_more_periods_are_open_than_a_clock_needs() -> None:
    """A clock that runs wild fills no memory."""
    lane = counter()
    taken = [lane.take(walked(HOME, at=NOON + 31 * DAY * n)) for n in range(MOST_OPEN + 2)]

    assert taken == [True] * MOST_OPEN + [False] * 2


def test_without_a_key_nothing_is_counted_and_the_reading_comes_again() -> None:
    def nothing(_period: str) -> bytes:
        raise KeysUnavailable("ENOSPC")

    lane = counter(keys=nothing)
    with pytest.raises(KeysUnavailable):
        lane.take(walked(HOME))
    assert lane.open == {}


def test_a_checkpoint_holds_the_counter_and_is_always_as_long() -> None:
    """Its length tells neither how many were counted nor where."""
    lane = counter()
    lane.take(walked(HOME))
    (period,) = lane.open.values()
    few = period.to_bytes(NOON, clean=True)
    for n in range(100):
        lane.take(walked((HOME[0] + n * 0.003, HOME[1]), f"h-{n % 50}", NOON + n * MINUTE))
    many = period.to_bytes(NOON + MINUTE, clean=False)

    assert len(few) == len(many)
    span = period.span
    again = PeriodCounter.from_bytes(many, span, key(span.name), plan().basis, 256, 40)
    assert again.cells() == period.cells()
    assert (again.number, again.written_at) == (2, NOON + MINUTE)
    assert (again.losses.kills, period.losses.kills) == (1, 0)
    wider = PeriodCounter.from_bytes(few, span, key(span.name), plan().basis, 512, 40)
    assert (sum(wider.cells().values()), wider.losses.kills) == (1, 0)
    assert len(wider.to_bytes(NOON, clean=True)) > len(many)


def test_a_checkpoint_of_another_rule_or_shape_is_not_taken_up() -> None:
    period = PeriodCounter(plan().calendar.moment(NOON).span, key("x"), plan().basis, 4, 40)
    written = period.to_bytes(NOON, clean=True)

    for basis, cap, content in (
        (f"{MESH} but other", 40, written),
        (plan().basis, 39, written),
        (plan().basis, 40, written[:-1]),
        (plan().basis, 40, b"\x02" + written[1:]),
        (plan().basis, 40, b""),
    ):
        with pytest.raises(ValueError, match=r".+"):
            PeriodCounter.from_bytes(content, period.span, key("x"), basis, 4, cap)


def test_what_finds_no_room_is_said() -> None:
    """A table that is full says how often somebody came for nothing."""
    table = Presences(2, 3)
    for subject in (1, 2, 3, 1, 4):
        table.add(subject, 9, 0, 0)

    assert (len(table), table.turned_away, table.cells()) == (2, 2, {(9, 0): 2})


def test_counters_tell_nothing_of_themselves() -> None:
    lane = counter()
    lane.take(walked(HOME))
    (period,) = lane.open.values()

    assert repr(lane) == "<counter of analysis>"
    assert repr(period) == "<counter 2026-05>"
    assert repr(Presences(1, 1)) == "<presences>"
