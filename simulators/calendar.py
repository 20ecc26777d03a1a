"""Local days of the town: midnight, time of day, day off or not."""

from datetime import UTC, date, datetime, time, timedelta, timezone

from gateway.model.instant import DAY, HOUR, Instant, from_datetime, to_datetime
from simulators.holidays import public_holidays

ZONE = timezone(timedelta(hours=9), "JST")
"""Japan Standard Time; the town knows no summer time."""

_AHEAD = 9 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()


def day_of(at: Instant) -> date:
    """The local calendar day."""
    return date.fromordinal(_EPOCH + (at + _AHEAD) // DAY)


def midnight(day: date) -> Instant:
    """The instant at which a local day begins."""
    return from_datetime(datetime.combine(day, time(), ZONE))


def hour_of(at: Instant) -> float:
    """Local time of day in hours, 0 ≤ h < 24."""
    return (at + _AHEAD) % DAY / HOUR


def is_day_off(day: date) -> bool:
    """Saturday, Sunday or public holiday."""
    return day.weekday() >= 5 or is_holiday(day)


def is_holiday(day: date) -> bool:
    """Whether a local day is a public holiday."""
    return day in public_holidays(day.year)


def utc(at: Instant) -> datetime:
    """The aware `datetime` of an instant in UTC."""
    return to_datetime(at, UTC)
