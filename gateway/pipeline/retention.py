"""Which personal files have had their time: a file goes when its first day plus `retain` has passed. Pure.

File names begin with their period: `<lane>-<ISO year>-W<week>` or `<lane>-<YYYY-MM-DD>`, and may end in
`.g<generation>` (see `gateway.privacy.periods`).
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta

_WEEK = re.compile(r".*-(\d{4})-W(\d{2})(\.g\d+)?")
_GENERATION = re.compile(r"\.g(\d+)$")
_DAY = re.compile(r".*-(\d{4}-\d{2}-\d{2})(\.g\d+)?")


def first_day(period: str) -> date | None:
    """The first day whose rows a personal file may hold; None for a name that is no period."""
    with suppress(ValueError):  # week 60, or the 30th of February
        if week := _WEEK.fullmatch(period):
            return date.fromisocalendar(int(week[1]), int(week[2]), 1)
        if day := _DAY.fullmatch(period):
            return date.fromisoformat(day[1])
    return None


def generation_of(period: str) -> int:
    """The generation of the rules that a personal file's rows were masked by."""
    found = _GENERATION.search(period)
    return int(found[1]) if found else 1


def expired(periods: Iterable[str], today: date, retain_days: int) -> list[str]:
    """The periods whose file must go today: no row of it is to outlive its `retain`."""
    limit = today - timedelta(days=retain_days)
    return [p for p in periods if (day := first_day(p)) is not None and day <= limit]
