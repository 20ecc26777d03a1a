"""What the town counts: lots that fill and empty, queues at noon, streets by the hour, one sky for all."""

from collections import defaultdict
from functools import cache

import pytest

from gateway.model.instant import HOUR, MINUTE, Instant
from simulators.air import Sky
from simulators.calendar import hour_of
from simulators.scenario import DEFAULT_START, Scenario
from simulators.uplink import SimUplink
from simulators.weather import Weather

MIDNIGHT = DEFAULT_START - 7 * HOUR
SEEDS = (1, 2, 3, 4)


@cache
def tuesday(seed: int) -> dict[str, list[SimUplink]]:
    """A whole Tuesday of everything that is no child: device → what it said."""
    found = defaultdict(list)
    scenario = Scenario(seed=seed, children=0, start=MIDNIGHT, harm=0.0)
    for uplink in scenario.uplinks(MIDNIGHT + 24 * HOUR):
        found[uplink.device].append(uplink)
    return found


def value(uplink: SimUplink, name: str) -> float:
    """One value of an uplink; nothing said counts as nothing."""
    assert uplink.values is not None
    return float(uplink.values.get(name) or 0)


def between(uplinks: list[SimUplink], begin: float, end: float) -> list[SimUplink]:
    """What was said between two hours of the day."""
    return [uplink for uplink in uplinks if begin <= hour_of(uplink.sent) < end]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lot_fills_in_the_morning_and_empties_in_the_evening(seed: int) -> None:
    """Bicycles come before the trains and leave after work; no lot holds more than it has room for."""
    passages = tuesday(seed)["bicycles-01"]

    def bicycles(direction: str, begin: float, end: float) -> int:
        return sum(
            u.values is not None
            and (u.values["direction"], u.values["passer"]) == (direction, "bicycle")
            for u in between(passages, begin, end)
        )

    assert bicycles("in", 6.5, 9) > 3 * max(1, bicycles("out", 6.5, 9))
    assert bicycles("out", 16, 22) > 3 * max(1, bicycles("in", 16, 22))
    assert bicycles("in", 0, 24) <= 300


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lot_without_a_gate_reports_sums(seed: int) -> None:
    """One report in ten minutes by day, and the sums are whole."""
    reports = tuesday(seed)["bicycles-02"]

    assert all("direction" not in (u.values or {}) for u in reports)
    assert 60 <= len(between(reports, 8, 20)) <= 80
    assert 20 < sum(value(u, "in_count") for u in reports) <= 120


def test_the_queue_grows_while_the_staff_eat() -> None:
    """Fewer desks and more people at noon: the queue of the hour after twelve is the longest."""
    waiting: dict[int, float] = defaultdict(float)
    for seed in SEEDS:
        for uplink in tuesday(seed)["counter-01"]:
            waiting[int(hour_of(uplink.sent))] += value(uplink, "waiting")

    assert waiting[12] + waiting[13] > 3 * (waiting[9] + waiting[15])
    assert waiting[3] == waiting[22] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_tickets_are_called_in_order_and_begin_again(seed: int) -> None:
    """Numbers only grow during a day, nobody is called who did not come, and desks close at night."""
    reports = tuesday(seed)["counter-01"]
    called = [value(u, "last_called") for u in reports]

    assert called == sorted(called)
    assert 100 < called[-1] < 600
    assert {value(u, "open_desks") for u in between(reports, 12, 14)} == {3}
    assert {value(u, "open_desks") for u in between(reports, 0, 8)} == {0}


@pytest.mark.parametrize("device", ["people-01", "people-02", "people-03"])
def test_streets_are_empty_at_night_and_walk_home_in_the_evening(device: str) -> None:
    reports = [u for seed in SEEDS for u in tuesday(seed)[device]]
    evening = between(reports, 17, 20)
    night = between(reports, 1, 4)

    towards, away = (
        sum(value(u, name) for u in evening) for name in ("towards_count", "away_count")
    )
    assert towards > 1.3 * away
    assert sum(value(u, "towards_count") for u in night) < towards / 20
    assert all(value(u, "interval_s") >= 60 for u in reports)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rain_gauge_measures_the_rain_that_feeds_the_river(seed: int) -> None:
    """Over a day the tips of the bucket are the weather's rain, but for what is still in it."""
    reports = tuesday(seed)["weather-01"]
    weather = Weather(seed, MIDNIGHT)
    fell = Sky(seed, weather).rain_mm(MIDNIGHT, reports[-1].sent)

    assert abs(sum(value(u, "rain_mm") for u in reports) - fell) < 1.1


@pytest.mark.parametrize("seed", SEEDS)
def test_two_stations_stand_under_one_sky(seed: int) -> None:
    """Both feel the same air, and the nights have no sun."""
    one, other = (tuesday(seed)[name] for name in ("weather-01", "weather-02"))

    def mean(uplinks: list[SimUplink], name: str) -> float:
        return sum(value(u, name) for u in uplinks) / len(uplinks)

    assert abs(mean(one, "temperature_c") - mean(other, "temperature_c")) < 1.0
    assert max(value(u, "solar_w_m2") for u in between(one, 21, 24)) == 0
    assert max(value(u, "solar_w_m2") for u in one) > 100
    assert all("solar_w_m2" not in (u.values or {}) for u in other)


def test_a_year_stays_within_the_field_tables() -> None:
    """January freezes, August is hot, and no hour of a year leaves what the kind can say."""
    sky = Sky(5, Weather(5, MIDNIGHT))

    def warmth(month_from_may: int) -> float:
        begin: Instant = MIDNIGHT + month_from_may * 30 * 24 * HOUR
        hours = [sky.at(begin + h * HOUR + 7 * MINUTE) for h in range(0, 15 * 24, 3)]
        assert all(-80 <= air.temperature_c <= 60 and 0 <= air.humidity_pct <= 100 for air in hours)
        assert all(500 <= air.pressure_hpa <= 1080 and 0 <= air.wind_m_s <= 75 for air in hours)
        return sum(air.temperature_c for air in hours) / len(hours)

    months = [warmth(month) for month in range(12)]
    assert max(months) == pytest.approx(26, abs=4)
    assert min(months) == pytest.approx(3, abs=4)
