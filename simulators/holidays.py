"""Japan's public holidays by the rules in force since 2022, for any year from 1980 to 2099.

Act on National Holidays (Act No. 178 of 1948, as amended): fixed days, Mondays of a month, the two equinoxes
by the usual approximation of the calendar year, the day after a holiday on a Sunday, and a day between two.
"""

from datetime import date, timedelta
from functools import cache

_DAY = timedelta(days=1)
_FIXED = ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23))
_MONDAYS = ((1, 2), (7, 3), (9, 3), (10, 2))  # month, which Monday of it
_SPRING, _AUTUMN = 20.8431, 23.2488  # of March and September, in 1980
_YEAR_D = 0.242194  # by which the year is longer than 365 days


@cache
def public_holidays(year: int) -> frozenset[date]:
    """Every public holiday of a year."""
    found = {date(year, month, day) for month, day in _FIXED}
    found |= {_monday(year, month, which) for month, which in _MONDAYS}
    found |= {date(year, 3, _equinox(year, _SPRING)), date(year, 9, _equinox(year, _AUTUMN))}
    for day in sorted(found):
        if day.weekday() == 6:  # the next day that is none itself
            instead = day + _DAY
            while instead in found:
                instead += _DAY
            found.add(instead)
    between = {day + _DAY for day in found if day + 2 * _DAY in found}
    return frozenset(found | {day for day in between if day.weekday() != 6})


def _monday(year: int, month: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=-first.weekday() % 7 + 7 * (which - 1))


def _equinox(year: int, in_1980: float) -> int:
    since = year - 1980
    return int(in_1980 + _YEAR_D * since - since // 4)
