"""Laws of stays: nothing is kept of where a child stayed, whether its tracker saw that or not."""

from dataclasses import replace
from math import hypot
from random import Random

import pytest

from gateway.model.instant import MINUTE, SECOND
from gateway.model.reading import Reading
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy, Shape
from tests.fakes.readings import HOME, METRE_NORTH, NOON, ROWS, Keys, document, reading
from tests.fakes.zones import zoned
from tests.laws.test_zone_laws import at_home, rows_of, said, way

PLACES = zoned(shape=replace(zoned().shape, fields=frozenset({"place"}), cells=None))
"""The recommended rules, but rows say places: what is kept can be measured."""

_DRIFT_M = 8.0
_OFF_M = 4 * _DRIFT_M
"""How far the middle of what was seen of a stay, or a single fix, may lie from where the child truly was."""


def walk(dice: Random, seen: str) -> tuple[list[Reading], float]:
    """From home to a place 900 to 2,000 m north, a stay of 16 to 90 minutes, and on; where the stay is, in metres north.

    Args:
        seen: what the tracker sees of the stay: "all", "nothing" (it reports without a place), "silence", or "a clock
            ahead" (the last fix before it bears a time of 26 minutes later, so that those inside are late).
    """
    device = at_home(*HOME)
    there = dice.uniform(900.0, 2000.0)
    pace = dice.uniform(40.0, 75.0)
    path: list[float | None] = [0.0] * 3
    north = 0.0
    while north < there:
        path.append(north)
        north += pace
    arrived = len(path)
    path += [there] * dice.randint(16, 90)
    left = len(path)
    while north < there + 1500.0:
        path.append(north)
        north += pace
    sent = []
    for minute, metres in enumerate(path):
        inside = arrived <= minute < left
        if inside and seen == "silence":
            continue
        at = NOON + minute * MINUTE
        late = at + 26 * MINUTE if seen == "a clock ahead" and minute == arrived - 1 else at
        lat = lon = None
        if metres is not None and not (inside and seen == "nothing"):
            lat = HOME[0] + (metres + dice.gauss(0, _DRIFT_M)) * METRE_NORTH
            lon = HOME[1] + dice.gauss(0, _DRIFT_M) * METRE_NORTH
        values = document(lat=lat, lon=lon, accuracy_m=6.0)
        sent.append(reading(device, values, late, minute, received_at=at + SECOND))
    return sent, there


@pytest.mark.channel("C34")
@pytest.mark.parametrize("seen", ["all", "nothing", "silence", "a clock ahead"])
@pytest.mark.parametrize("looked", [True, False], ids=["looked after", "left alone"])
def test_nothing_is_kept_of_where_a_child_stayed(seen: str, looked: bool) -> None:
    """Neither on the way there nor from there: within the rule's radius, but for what the fixes themselves are wrong by. The
    rest of the way is kept, on both sides; whether the gateway looks every quarter of an hour or not."""
    nearest, rows_before, rows_behind = [], 0, 0
    for seed in range(150):
        dice = Random(seed)
        readings, there = walk(dice, seen)
        by = Mask(PLACES, Keys(), ROWS)
        rows, looks = [], NOON
        for one in readings:
            while looked and looks < one.received_at:
                by.forget_held(looks)
                looks += 15 * MINUTE
            rows += rows_of(by.apply(one))
        north = [(row[3] - HOME[0]) / METRE_NORTH - there for row in rows]
        east = [(row[4] - HOME[1]) / METRE_NORTH for row in rows]
        nearest += [hypot(*place) for place in zip(north, east, strict=True)]
        rows_before += sum(metres < 0 for metres in north)
        rows_behind += sum(metres > 0 for metres in north)
    assert min(nearest) > 100.0 - _OFF_M
    assert sum(metres < 100.0 for metres in nearest) <= len(nearest) / 50
    assert rows_before > 300
    assert rows_behind > 1000


@pytest.mark.parametrize("burst_min", [5, 14])
def test_a_tracker_that_hands_over_in_bursts_is_kept_like_any_other(burst_min: int) -> None:
    """What counts is when a fix was taken, not when it came: the same rows, as long as it is not too old to be believed."""
    told = 0
    for seed in range(60):
        readings, _there = walk(Random(seed), "all")
        alone, burst = Mask(PLACES, Keys(), ROWS), Mask(PLACES, Keys(), ROWS)
        due = [row for one in readings for row in rows_of(alone.apply(one))]
        for one in readings:
            minute = (one.received_at - NOON) // MINUTE
            one.received_at = NOON + (minute // burst_min + 1) * burst_min * MINUTE
        assert [row for one in readings for row in rows_of(burst.apply(one))] == due
        told += len(due)
    assert told > 500


@pytest.mark.parametrize("rules", [zoned(), PLACES], ids=["cells", "places"])
def test_whether_somebody_looks_changes_no_row(rules: Policy) -> None:
    """A gateway forgets what is held of a child that fell silent, every quarter of an hour; `privacy what-if` has no such
    hour. Both keep the same rows: else what-if would speak of another mask."""
    told = 0
    for seed in range(400):
        dice = Random(seed)
        readings = said(at_home(*HOME), way(dice, 120))
        alone, looked = Mask(rules, Keys(), ROWS), Mask(rules, Keys(), ROWS)
        looks = NOON + dice.randrange(15) * MINUTE
        for one in readings:
            while looks < one.received_at:
                looked.forget_held(looks)
                looks += 15 * MINUTE
            due = rows_of(alone.apply(one))
            assert rows_of(looked.apply(one)) == due
            told += len(due)
    assert told > 1000


def test_a_place_is_left_without_loss_where_nobody_stays() -> None:
    """Who walks on is kept as before: what waits beside a possible stay goes on as soon as it is two radii behind."""
    rules = replace(PLACES, shape=Shape(frozenset({"place"}), run=3))
    device = at_home(*HOME)
    by, rows = Mask(rules, Keys(), ROWS), []
    for minute in range(40):
        lat = HOME[0] + 62.0 * max(0, minute - 2) * METRE_NORTH
        one = reading(device, document(lat=lat, lon=HOME[1], accuracy_m=6.0), NOON + minute * MINUTE, minute)  # fmt: skip
        rows += rows_of(by.apply(one))
    minutes = [(row[0] - NOON) // MINUTE for row in rows]
    assert minutes == list(range(minutes[0], 36))


@pytest.mark.channel("C34")
def test_drift_frees_nothing_of_the_way_there() -> None:
    """A fix 95 m before the door waits although one inside lies 110 m from it: near where the child stays nothing is kept."""
    device = at_home(*HOME)
    way = [0.0, 0.0, *(62.0 * n for n in range(1, 25)), 1605.0, *(1700.0, 1715.0, 1704.0) * 8]
    way += [1700.0 + 62.0 * n for n in range(1, 20)]
    by, rows = Mask(PLACES, Keys(), ROWS), []
    for minute, metres in enumerate(way):
        lat = HOME[0] + metres * METRE_NORTH
        one = reading(device, document(lat=lat, lon=HOME[1], accuracy_m=6.0), NOON + minute * MINUTE, minute)  # fmt: skip
        rows += rows_of(by.apply(one))
    places = [round((row[3] - HOME[0]) / METRE_NORTH) for row in rows]
    assert any(place < 1600 for place in places)
    assert any(place > 1800 for place in places)
    assert not any(1600 < place < 1800 for place in places)


@pytest.mark.channel("C34")
def test_what_lies_round_the_last_fix_before_a_silence_is_gone() -> None:
    """It turned back and was seen no more for twenty minutes: a fix that is beside, near the last one alone, is where it stayed."""
    device = at_home(*HOME)
    way: list[float | None] = [
        0.0,
        0.0,
        *(62.0 * n for n in range(1, 26)),
        1650.0,
        1700.0,
        1850.0,
        1780.0,
    ]
    way += [None] * 20 + [2400.0 + 62.0 * n for n in range(12)]
    by, rows = Mask(PLACES, Keys(), ROWS), []
    for minute, metres in enumerate(way):
        if metres is None:
            continue
        lat = HOME[0] + metres * METRE_NORTH
        one = reading(device, document(lat=lat, lon=HOME[1], accuracy_m=6.0), NOON + minute * MINUTE, minute)  # fmt: skip
        rows += rows_of(by.apply(one))
    places = [round((row[3] - HOME[0]) / METRE_NORTH) for row in rows]
    assert 1650 in places
    assert 1700 not in places
    assert max(places) > 2500
