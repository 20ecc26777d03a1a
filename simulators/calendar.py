"""Local days of the town: midnight, time of day, weekday or weekend."""

from datetime import UTC, date, datetime, time, timedelta, timezone

from gateway.model.instant import Instant, from_datetime, to_datetime

ZONE = timezone(timedelta(hours=9), "JST")
"""Japan Standard Time; the town knows no summer time."""


def day_of(at: Instant) -> date:
    """The local calendar day."""
    return to_datetime(at, ZONE).date()


def midnight(day: date) -> Instant:
    """The instant at which a local day begins."""
    return from_datetime(datetime.combine(day, time(), ZONE))


def hour_of(at: Instant) -> float:
    """Local time of day in hours, 0 ≤ h < 24."""
    return (at + 9 * 3_600_000_000) % 86_400_000_000 / 3_600_000_000


def is_weekend(day: date) -> bool:
    """Saturday or Sunday."""
    return day.weekday() >= 5


def utc(at: Instant) -> datetime:
    """The aware `datetime` of an instant in UTC."""
    return to_datetime(at, UTC)
