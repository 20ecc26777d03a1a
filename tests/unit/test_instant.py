"""Moments: in and out of text without losing a microsecond or a time zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.instant import (
    DAY,
    HOUR,
    from_datetime,
    local_day,
    parse_rfc3339,
    to_datetime,
    to_rfc3339,
)

JAPAN = ZoneInfo("Asia/Tokyo")


@given(moment=st.datetimes(timezones=st.just(UTC) | st.just(JAPAN)))
def test_a_datetime_comes_back_exactly(moment: datetime) -> None:
    assert to_datetime(from_datetime(moment), UTC) == moment


@given(at=st.integers(-(2**55), 2**55))
def test_an_instant_comes_back_exactly(at: int) -> None:
    assert from_datetime(to_datetime(at, JAPAN)) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T09:00:00+09:00", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-05-12T12:00:00+09:00", 1_778_554_800_000_000),
        ("2026-05-12T03:00:00.25Z", 1_778_554_800_250_000),
    ],
)
def test_rfc_3339_is_read(text: str, at: int) -> None:
    """The numbers are those of `date -d … +%s`."""
    assert parse_rfc3339(text) == at


@pytest.mark.parametrize("text", ["2026-05-12T03:00:00", "2026-05-12", "noon", "", "1778554800"])
def test_a_time_that_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the caller writes the sentence
        parse_rfc3339(text)


def test_text_is_written_to_the_millisecond_in_a_zone() -> None:
    at = 1_778_554_800_250_900
    assert to_rfc3339(at) == "2026-05-12T03:00:00.250+00:00"
    assert to_rfc3339(at, JAPAN) == "2026-05-12T12:00:00.250+09:00"


def test_a_day_begins_at_midnight_where_it_is() -> None:
    noon = 1_778_554_800_000_000
    assert local_day(noon + 12 * HOUR - 1, JAPAN) == date(2026, 5, 12)
    assert local_day(noon + 12 * HOUR, JAPAN) == date(2026, 5, 13)
    assert local_day(noon + 12 * HOUR, UTC) == date(2026, 5, 12)
    assert local_day(noon - 365 * DAY, UTC) == date(2025, 5, 12)
