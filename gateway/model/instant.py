"""Moments: whole microseconds since 1970-01-01 UTC, and the few ways in and out of them."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeAlias

Instant: TypeAlias = int
"""Microseconds since 1970-01-01T00:00:00Z."""

SECOND: Instant = 1_000_000
MINUTE: Instant = 60 * SECOND
HOUR: Instant = 60 * MINUTE
DAY: Instant = 24 * HOUR

CALENDAR_END: Instant = 7_258_118_400 * SECOND
"""2200-01-01T00:00:00Z: simulated time lies between 1970 and then."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware `datetime`; exact to the microsecond.

    Raises:
        ValueError: the datetime carries no offset, so it names no instant.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without an offset names no instant")
    since = moment - _EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds


def to_datetime(at: Instant, zone: tzinfo = UTC) -> datetime:
    """The aware `datetime` of an instant in `zone`."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def parse_rfc3339(text: str) -> Instant:
    """Read `2026-05-12T07:30:00+09:00` (RFC 3339; the offset is required).

    Raises:
        ValueError: not such a text.
    """
    return from_datetime(datetime.fromisoformat(text))


def to_rfc3339(at: Instant, zone: tzinfo = UTC) -> str:
    """RFC 3339 text in `zone`, to the millisecond."""
    return to_datetime(at, zone).isoformat(timespec="milliseconds")


def local_day(at: Instant, zone: tzinfo) -> date:
    """The calendar day of an instant in `zone`."""
    return to_datetime(at, zone).date()


def day_begins(day: date, zone: tzinfo) -> Instant:
    """Local midnight at the beginning of a day."""
    return from_datetime(datetime.combine(day, time(), zone))
