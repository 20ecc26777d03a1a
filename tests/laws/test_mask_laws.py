"""Laws of the mask: whatever walks, repeats, falls silent or lies, no row comes from near a home."""

from collections.abc import Iterable
from dataclasses import replace
from math import asin, cos, radians, sin, sqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.instant import SECOND
from gateway.model.observation import Observation
from gateway.model.reading import Reading
from gateway.privacy.generalise import battery_class, minute_of, rounded
from tests.fakes.readings import (
    HOME,
    METRE_NORTH,
    NOON,
    Keys,
    child,
    document,
    fix,
    household,
    leave_home,
    mask,
    reading,
    row_of,
)

Row = tuple[Any, ...]


def haversine(lat_1: float, lon_1: float, lat_2: float, lon_2: float) -> float:
    """Metres on a sphere: another formula than the mask's, wrong by at most 0.6 %."""
    half = (
        sin(radians(lat_2 - lat_1) / 2) ** 2
        + cos(radians(lat_1)) * cos(radians(lat_2)) * sin(radians(lon_2 - lon_1) / 2) ** 2
    )
    return 2 * 6_371_008.8 * asin(min(1.0, sqrt(half)))


def rows(readings: Iterable[Reading], restarts: frozenset[int] = frozenset()) -> list[Row]:
    """What one mask keeps of the readings, restarted before the numbers in `restarts`."""
    by = mask()
    kept = []
    for number, one in enumerate(readings):
        if number in restarts:
            by = mask()
        verdict = by.apply(one)
        if isinstance(verdict, list):
            kept += [observation.row for observation in verdict]
    return kept


def walk(
    dice: Random, home: tuple[float, float], fixes: int, radius_m: float = 50.0
) -> list[Reading]:
    """Days of a child: it stays (and drifts indoors), walks off, lingers, comes back, falls silent."""
    device = child(family=household(home, radius_m))
    east = METRE_NORTH / max(cos(radians(home[0])), 0.01)
    north_m = east_m = 0.0
    at = NOON
    pace, spread = (0.0, 0.0), 20.0
    made = []
    for number in range(fixes):
        at += round(dice.choice([5, 20, 60, 60, 180]) * SECOND)
        if dice.random() < 0.02:
            at += 2400 * SECOND
        if dice.random() < 0.08:
            pace = dice.choice(
                [(0.0, 0.0), (dice.gauss(0, 60), dice.gauss(0, 60)), (-north_m / 6, -east_m / 6)]
            )
            spread = dice.choice([2.0, 5.0, 20.0, 40.0])
        north_m, east_m = north_m + pace[0], east_m + pace[1]
        lat = home[0] + (north_m + dice.gauss(0, spread)) * METRE_NORTH
        lon = home[1] + (east_m + dice.gauss(0, spread)) * east
        lon = (lon + 180.0) % 360.0 - 180.0
        accuracy = dice.choice([None, 3.0, 8.0, 15.0, spread, 60.0])
        made.append(reading(device, document(lat=lat, lon=lon, accuracy_m=accuracy), at, number))
    return made


HOMES = [HOME, (0.0004, 0.002), (-54.8, -68.3), (-16.8, 179.9999), (-16.8, -179.9999), (84.9, 20.0)]


@pytest.mark.channel("C1", "C14")
@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("radius_m", [50.0, 200.0])
def test_no_row_lies_within_a_home_radius(home: tuple[float, float], radius_m: float) -> None:
    """Twelve walks of 900 fixes, over 10⁴ in all, by a distance formula of its own."""
    readings = walk(Random(f"{home} {radius_m}"), home, 900, radius_m)
    by = mask()
    kept = 0
    for one in readings:
        verdict = by.apply(one)
        if isinstance(verdict, list):
            accuracy = 10.0 if one.values.accuracy_m is None else one.values.accuracy_m
            hidden = (radius_m + 2 * accuracy) * 0.994
            assert haversine(*home, one.values.lat, one.values.lon) > hidden
            lat, lon = row_of(verdict)[3:5]
            assert haversine(*home, lat, lon) > hidden
            kept += 1
    assert kept > 30, "the walk must test something"


@pytest.mark.channel("C15")
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_duplicates_never_change_what_is_kept(seed: int, data: Any) -> None:
    readings = walk(Random(seed), HOME, 150)
    doubled = list(readings)
    for place in sorted(data.draw(st.lists(st.integers(0, 149), max_size=30)), reverse=True):
        doubled.insert(place + data.draw(st.integers(1, 40)), readings[place])
    assert rows(doubled) == rows(readings)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), restarts=st.frozensets(st.integers(0, 149), max_size=8))
def test_a_restart_only_removes(seed: int, restarts: frozenset[int]) -> None:
    readings = walk(Random(seed), HOME, 150)
    assert set(rows(readings, restarts)) <= set(rows(readings))


@pytest.mark.channel("C15")
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_no_order_of_arrival_brings_out_what_is_not_provably_outside(seed: int) -> None:
    dice = Random(seed)
    readings = walk(dice, HOME, 150)
    dice.shuffle(readings)
    newest = 0
    by = mask()
    for one in readings:
        verdict = by.apply(one)
        if isinstance(verdict, list):
            assert one.observed_at > newest, "a late fix is never kept"
            assert haversine(*HOME, *row_of(verdict)[3:5]) > 50
        newest = max(newest, one.observed_at)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_masking_what_was_kept_brings_nothing_new(seed: int) -> None:
    once = rows(walk(Random(seed), HOME, 150))
    again = [
        reading(child(), document(lat=row[3], lon=row[4]), row[0] + number, number)
        for number, row in enumerate(once)
    ]
    assert {row[3:5] for row in rows(again)} <= {row[3:5] for row in once}


@settings(max_examples=300)
@given(degrees=st.floats(-180, 180), at=st.integers(-(2**55), 2**55))
def test_generalising_twice_is_generalising_once(degrees: float, at: int) -> None:
    assert rounded(degrees) == round(degrees, 5)
    assert rounded(rounded(degrees)) == rounded(degrees)
    assert minute_of(minute_of(at)) == minute_of(at) <= at


@pytest.mark.parametrize("ties", [0.000005, 0.000015, 36.695305, 137.211335, -36.695305, 1.000015])
def test_ties_round_as_python_rounds_them(ties: float) -> None:
    assert rounded(ties) == round(ties, 5)


@pytest.mark.channel("C12")
@given(percent=st.floats(0, 100) | st.sampled_from([25.0, 50.0, 75.0]))
def test_batteries_have_four_classes(percent: float) -> None:
    made = battery_class(percent)
    assert made is not None
    assert 25 * (made - 1) < percent <= 25 * made or percent == 0


@pytest.mark.channel("C16")
@given(
    lat=st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 1e308]),
    lon=st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0, 0.0, -1e308]),
)
def test_strange_numbers_are_never_kept(lat: float, lon: float) -> None:
    by = mask()
    leave_home(by)
    # `convert` would refuse them: a decoder that let them through is what is supposed here
    assert not isinstance(by.apply(reading(child(), document(lat=lat, lon=lon), NOON)), list)
    strange = document(lat=37.0, lon=137.0, accuracy_m=lat)
    verdict = by.apply(reading(child(), strange, NOON + SECOND))
    assert not isinstance(verdict, list) or lat == 0.0


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_without_consent_nothing_is_kept_and_no_key_is_made(seed: int) -> None:
    keys = Keys()
    by = mask(keys=keys)
    for one in walk(Random(seed), HOME, 100):
        one.device = replace(one.device, consents=frozenset())
        assert not isinstance(by.apply(one), list)
    assert keys.asked == []


@pytest.mark.channel("C2", "C12")
@given(
    accuracy=st.floats(0, 50),
    percent=st.floats(25.1, 50),
    button=st.booleans(),
    delay=st.integers(0, 6 * 86_400) | st.just(-3000),
    owner=st.sampled_from(["16201", "06201"]),
    note=st.text(max_size=5),
)
def test_what_the_specification_does_not_name_never_reaches_a_row(
    accuracy: float, percent: float, button: bool, delay: int, owner: str, note: str
) -> None:
    def kept(one: Reading) -> Observation:
        by = mask()
        leave_home(by)
        verdict = by.apply(one)
        assert isinstance(verdict, list)
        (observation,) = verdict
        return observation

    plain = fix(900, 7)
    plain.values.battery_pct = 30.0
    other = fix(900, 7, accuracy_m=accuracy, received_at=NOON + delay * SECOND)
    other.values.battery_pct, other.values.button = percent, button
    other.device = replace(other.device, owner=owner, attributes={"note": note})
    assert kept(other) == kept(plain)
