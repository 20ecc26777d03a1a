"""When a counter begins and ends, and which slice a moment belongs to; all by local time.

    service_day   03:00 to 03:00 of the next day       2026-05-12
    week          Monday to Sunday (ISO 8601)          2026-W20
    month         the calendar's                       2026-05
    term          April to July, August to December,   2026-T1, 2026-T2,
                  January to March                     2026-T3 (which is in 2027)
    school_year   April to March (School Education Act Enforcement Ordinance, article 59)   2026-SY

A public holiday is the weekday that it falls on.
"""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from gateway.model.instant import DAY, HOUR, MINUTE, Instant, from_datetime, to_datetime
from gateway.rules.counts import Period

_BUCKET = 15 * MINUTE  # offsets from UTC, and their changes, are whole quarters of an hour
_MOST_BUCKETS = 4096
_SERVICE_DAY_BEGINS_H = 3
_TERM_BEGINS = (4, 8, 1)
HOURS = 24
SLICES = 2 * HOURS
"""Slices that there can be at most: two kinds of day, 24 hours."""
KINDS_OF_DAY = ("weekday", "weekend")


class Span(NamedTuple):
    """One period.

    Attributes:
        name: of the period, as in file names.
        first, last: its days, both included; a service day's last hours are of the next.
        begins, ends: from (included) and until (not).
        closes: when nothing more is taken: late uplinks have come by then, or never count.
    """

    name: str
    first: date
    last: date
    begins: Instant
    ends: Instant
    closes: Instant


class Moment(NamedTuple):
    """What a counter asks of a time: its period and its slice."""

    span: Span
    slice: int


class Calendar:
    """Periods and slices of one count rule, remembered per quarter of an hour.

    Attributes:
        zone: whose days and hours they are.
    """

    __slots__ = ("_begins_h", "_grace", "_known", "_period", "_slices", "zone")

    def __init__(self, period: Period, slices: tuple[str, ...], zone: tzinfo) -> None:
        self._period = period
        self._slices = frozenset(slices)
        self.zone = zone
        self._begins_h = _SERVICE_DAY_BEGINS_H if period == "service_day" else 0
        self._grace = HOUR if period == "service_day" else DAY
        self._known: dict[int, Moment] = {}

    def moment(self, at: Instant) -> Moment:
        """The period and the slice of a time."""
        bucket = at // _BUCKET
        found = self._known.get(bucket)
        if found is None:
            if len(self._known) >= _MOST_BUCKETS:
                self._known.clear()
            found = self._known[bucket] = self._moment(bucket * _BUCKET)
        return found

    def columns(self, slice_: int) -> dict[str, str | int]:
        """A slice as a table shows it: only what the numbers are split by."""
        shown: dict[str, str | int] = {}
        if "weekday_type" in self._slices:
            shown["weekday_type"] = KINDS_OF_DAY[slice_ // HOURS]
        if "hour" in self._slices:
            shown["hour"] = slice_ % HOURS
        return shown

    def span(self, name: str) -> Span:
        """The period of a name that `moment` once gave.

        Raises:
            ValueError: no such name of this kind of period.
        """
        found = self._span(_first(name, self._period))
        if found.name != name:
            raise ValueError(f"{name} is no {self._period}")
        return found

    def _moment(self, at: Instant) -> Moment:
        local = to_datetime(at, self.zone).replace(tzinfo=None)
        slice_ = 0
        if "weekday_type" in self._slices:
            slice_ += HOURS * (local.weekday() >= 5)
        if "hour" in self._slices:
            slice_ += local.hour
        return Moment(self._span((local - timedelta(hours=self._begins_h)).date()), slice_)

    def _span(self, day: date) -> Span:
        name, first, after = _around(day, self._period)
        ends = self._begin(after)
        return Span(
            *(name, first, after - timedelta(days=1), self._begin(first), ends, ends + self._grace)
        )

    def _begin(self, day: date) -> Instant:
        return from_datetime(datetime.combine(day, time(self._begins_h), self.zone))


def _around(day: date, period: Period) -> tuple[str, date, date]:
    """The period that a day lies in: its name, its first day, and the first day after it."""
    school_year = day.year if day.month >= _TERM_BEGINS[0] else day.year - 1
    if period == "service_day":
        return day.isoformat(), day, day + timedelta(days=1)
    if period == "week":
        year, week, weekday = day.isocalendar()
        monday = day - timedelta(days=weekday - 1)
        return f"{year:04d}-W{week:02d}", monday, monday + timedelta(days=7)
    if period == "month":
        first = day.replace(day=1)
        return f"{day:%Y-%m}", first, (first + timedelta(days=31)).replace(day=1)
    first = date(school_year, _TERM_BEGINS[0], 1)
    if period == "school_year":
        return f"{school_year:04d}-SY", first, date(school_year + 1, _TERM_BEGINS[0], 1)
    begins = [first, date(school_year, _TERM_BEGINS[1], 1), date(school_year + 1, _TERM_BEGINS[2], 1)]  # fmt: skip
    number = max(n for n, begin in enumerate(begins) if begin <= day)
    after = [*begins, date(school_year + 1, _TERM_BEGINS[0], 1)][number + 1]
    return f"{school_year:04d}-T{number + 1}", begins[number], after


def _first(name: str, period: Period) -> date:
    """The first day of a period by its name.

    Raises:
        ValueError: not a name of one.
    """
    if period == "service_day":
        return date.fromisoformat(name)
    year, rest = int(name[:4]), name[5:]
    if period == "week":
        return date.fromisocalendar(year, int(rest.removeprefix("W")), 1)
    if period == "month":
        return date(year, int(rest), 1)
    if period == "school_year":
        return date(year, _TERM_BEGINS[0], 1)
    term = int(rest.removeprefix("T")) - 1
    if term not in range(len(_TERM_BEGINS)):
        raise ValueError("a school year has three terms")
    return date(year + (term == 2), _TERM_BEGINS[term], 1)
