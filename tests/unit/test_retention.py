"""Which personal files must go: a file goes when its first day plus `retain` has passed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.instant import DAY, HOUR, from_datetime, local_day
from gateway.pipeline.retention import expired, first_day
from gateway.privacy.periods import Periods
from tests.fakes.readings import NOON, policy


@pytest.mark.parametrize(
    ("period", "day"),
    [
        ("store-2026-W20", date(2026, 5, 11)),
        ("store-2026-W20.g2", date(2026, 5, 11)),
        ("store-2026-W01", date(2025, 12, 29)),
        ("store-2026-W53", date(2026, 12, 28)),
        ("store-2021-W01", date(2021, 1, 4)),
        ("store-2026-05-12", date(2026, 5, 12)),
        ("store-2026-05-12.g13", date(2026, 5, 12)),
        ("a-lane-2024-02-29", date(2024, 2, 29)),
        ("store", None),
        ("store-2026-W20.g2.old", None),
        ("store-2026-W20.backup", None),
        ("store-2026-05-12-copy", None),
    ],
)
def test_a_file_s_name_says_its_first_day(period: str, day: date | None) -> None:
    """ISO weeks begin on a Monday, which may lie in the year before."""
    assert first_day(period) == day


@pytest.mark.parametrize("period", ["store-2025-W53", "store-2026-W00", "store-2026-13-01", "store-2026-02-30"])  # fmt: skip
def test_a_name_that_names_no_day_is_no_period(period: str) -> None:
    """Whoever made that file, it must not stop the others from going."""
    assert first_day(period) is None
    assert expired([period, "store-2026-W01"], date(2027, 1, 1), 28) == ["store-2026-W01"]


@pytest.mark.parametrize(
    ("period", "last_day"),
    [
        ("store-2026-W20", date(2026, 6, 7)),
        ("store-2026-W20.g2", date(2026, 6, 7)),
        ("store-2026-W01", date(2026, 1, 25)),
    ],
)
def test_a_week_stays_until_its_first_day_s_rows_are_28_days_old_and_no_longer(
    period: str, last_day: date
) -> None:
    assert expired([period], last_day, 28) == []
    assert expired([period], last_day + timedelta(days=1), 28) == [period]


def test_only_what_is_over_goes() -> None:
    periods = [f"store-2026-05-{day:02d}" for day in range(1, 13)] + ["notes"]
    assert expired(periods, date(2026, 5, 12), 2) == [
        f"store-2026-05-{d:02d}" for d in range(1, 11)
    ]


@given(
    hours=st.integers(0, 200_000),
    age_us=st.integers(-HOUR, 70 * DAY),
    retain_days=st.integers(1, 60),
    generation=st.integers(1, 3),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_a_file_goes_when_the_mask_keeps_nothing_more_in_it(
    hours: int, age_us: int, retain_days: int, generation: int, zone: str
) -> None:
    """What step 3 of docs/mask.md lets pass never makes a removed file again, to the very minute; and
    no row outlives its `retain`, neither where clocks are changed nor where a file holds a week."""
    received = NOON + hours * HOUR
    observed = received - age_us
    rules = policy(zone=ZoneInfo(zone), retain_days=retain_days, generation=generation)
    periods = Periods(rules)
    period = periods.name(observed)
    today = local_day(received, rules.zone)

    gone = expired([period], today, retain_days) == [period]

    assert gone is periods.is_over(observed, received)
    if (today - local_day(observed, rules.zone)).days >= retain_days:
        assert gone


@pytest.mark.parametrize("retain_days", [1, 2, 27, 28, 40])
def test_no_row_outlives_its_stay(retain_days: int) -> None:
    """Decisions 12: a row from a file's first moment is gone when its last day to stay has passed."""
    monday = date(2026, 5, 11)
    first = from_datetime(datetime.combine(monday, time(), UTC))
    period = Periods(policy(zone=UTC, retain_days=retain_days)).name(first)

    assert expired([period], monday + timedelta(days=retain_days - 1), retain_days) == []
    assert expired([period], monday + timedelta(days=retain_days), retain_days) == [period]
