"""Public holidays: the town rests, and its buses go as on Sundays."""

from datetime import date

import pytest

from simulators.calendar import is_day_off
from simulators.childday import plan_day
from simulators.families import families
from simulators.holidays import public_holidays
from simulators.timetable import timetable
from simulators.town import town

YEARS = {
    2024: "0101 0108 0211 0212 0223 0320 0429 0503 0504 0505 0506 0715 0811 0812 0916 0922 0923 1014 1103 "
    "1104 1123",
    2025: "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0721 0811 0915 0923 1013 1103 1123 1124",
    2026: "0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 1123",
}
"""Three years as calendars in Japan print them."""


@pytest.mark.parametrize("year", YEARS)
def test_the_rules_give_the_days_on_the_calendar(year: int) -> None:
    """With days instead of Sundays (6 May 2026) and between two holidays (22 September 2026)."""
    assert [f"{day:%m%d}" for day in sorted(public_holidays(year))] == YEARS[year].split()


def test_a_holiday_is_a_day_off() -> None:
    """No child goes to school on a Wednesday in Golden Week, and buses go as on a Sunday."""
    holiday, workday, sunday = date(2026, 5, 6), date(2026, 5, 13), date(2026, 5, 10)
    assert [is_day_off(day) for day in (holiday, workday, sunday)] == [True, False, True]
    places = [
        {leg.place for leg in plan_day(town(), 7, child, holiday).legs}
        for child in families(town(), 7, 20)
    ]
    assert not any("school" in seen for seen in places)
    assert any(
        "school" in {leg.place for leg in plan_day(town(), 7, c, workday).legs}
        for c in families(town(), 7, 3)
    )
    assert timetable().trips_on(holiday) == timetable().trips_on(sunday)
    assert timetable().trips_on(holiday) != timetable().trips_on(workday)
