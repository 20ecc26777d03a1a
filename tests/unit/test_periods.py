"""Names of personal files, and service days."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from gateway.model.instant import HOUR, Instant, from_datetime
from gateway.privacy.periods import Periods
from tests.fakes.readings import policy

TOKYO = ZoneInfo("Asia/Tokyo")


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-05-12T12:00+09:00", "store-2026-W20"),
        ("2026-05-10T23:59:59.999999+09:00", "store-2026-W19"),
        ("2026-05-11T00:00+09:00", "store-2026-W20"),
        ("2027-01-01T00:00+09:00", "store-2026-W53"),
        ("2024-12-30T00:00+09:00", "store-2025-W01"),
    ],
)
def test_a_file_holds_one_iso_week_of_local_time(moment: str, name: str) -> None:
    assert Periods(policy(zone=TOKYO)).name(at(moment)) == name


def test_a_short_stay_cuts_files_by_day() -> None:
    periods = Periods(policy(zone=TOKYO, retain_days=27))
    assert periods.name(at("2026-05-12T00:00+09:00")) == "store-2026-05-12"
    assert periods.name(at("2026-05-11T23:59+09:00")) == "store-2026-05-11"


def test_a_changed_rule_set_opens_its_own_files() -> None:
    assert Periods(policy(generation=2)).name(at("2026-05-12T12:00+00:00")) == "store-2026-W20.g2"


def test_zones_of_a_quarter_of_an_hour_are_cut_right() -> None:
    periods = Periods(policy(zone=ZoneInfo("Asia/Kathmandu"), retain_days=1))  # UTC+5:45
    assert periods.name(at("2026-05-11T18:14:59+00:00")) == "store-2026-05-11"
    assert periods.name(at("2026-05-11T18:15:00+00:00")) == "store-2026-05-12"


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-05-12T02:59:59+09:00", date(2026, 5, 11)),
        ("2026-05-12T03:00:00+09:00", date(2026, 5, 12)),
        ("2026-05-13T02:59:59+09:00", date(2026, 5, 12)),
    ],
)
def test_a_service_day_runs_from_three_to_three(moment: str, day: date) -> None:
    assert Periods(policy(zone=TOKYO)).service_day(at(moment)) == day


def test_a_service_day_follows_the_clock_on_the_wall_in_spring() -> None:
    """On the night the clocks go forward, 03:00 comes an hour early."""
    periods = Periods(policy(zone=ZoneInfo("Europe/Berlin")))
    assert periods.service_day(at("2026-03-29T00:59:59+00:00")) == date(2026, 3, 28)  # 01:59
    assert periods.service_day(at("2026-03-29T01:00:00+00:00")) == date(2026, 3, 29)  # 03:00


@pytest.mark.parametrize(
    ("last", "first", "hours"),
    [
        (date(2026, 3, 28), date(2026, 3, 29), 23),
        (date(2026, 10, 24), date(2026, 10, 25), 25),
        (date(2028, 2, 28), date(2028, 2, 29), 24),
        (date(2028, 2, 29), date(2028, 3, 1), 24),
    ],
    ids=["clocks forward", "clocks back", "into the leap day", "out of it"],
)
def test_the_longest_and_the_shortest_night_are_one_service_day_each(
    last: date, first: date, hours: int
) -> None:
    """From three to three by the clock on the wall: no hour belongs to no day, none to two, and the day
    that begins behind such a night has as many hours as the wall says."""
    berlin = ZoneInfo("Europe/Berlin")
    periods = Periods(policy(zone=berlin))
    begin = from_datetime(datetime.combine(last, time(3), berlin))
    end = from_datetime(datetime.combine(first, time(3), berlin))

    assert (end - begin) // HOUR == hours
    quarters = range(begin, end, HOUR // 4)
    assert {periods.service_day(at) for at in quarters} == {last}
    assert periods.service_day(end) == first


def test_the_leap_day_has_its_own_file() -> None:
    """Where files hold a day each."""
    periods = Periods(policy(zone=TOKYO, retain_days=2))
    assert periods.name(at("2028-02-29T00:00+09:00")) == "store-2028-02-29"
    assert periods.name(at("2028-02-29T23:59+09:00")) == "store-2028-02-29"
    assert periods.name(at("2028-03-01T00:00+09:00")) == "store-2028-03-01"


def test_what_is_remembered_stays_bounded() -> None:
    periods = Periods(policy())
    for week in range(5_000):
        periods.name(week * 7 * 86_400_000_000)
        periods.service_day(week * 7 * 86_400_000_000)
    assert len(periods._names) <= 4096
    assert len(periods._days) <= 4096
    assert periods.name(from_datetime(datetime(2026, 5, 12, tzinfo=UTC))) == "store-2026-W20"
