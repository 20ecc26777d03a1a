"""Laws of masks that stand on a zone: what is kept is a function of the zone, and of nothing smaller."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import cos, radians
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.device import Device, Household
from gateway.model.identity import HouseholdId
from gateway.model.instant import SECOND
from gateway.model.position import Position
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.mask import Mask
from gateway.privacy.mesh import NOWHERE
from gateway.privacy.policy import Noise, Policy, Shape
from gateway.privacy.turn import Masked, Turn
from tests.fakes.readings import HOME, METRE_NORTH, NOON, ROWS, Keys, child, document, reading
from tests.fakes.zones import EIGHTH, PARTITION, PIN, QUARTER, zoned

Row = tuple[Any, ...]
_EAST = METRE_NORTH / cos(radians(HOME[0]))


def at_home(lat: float, lon: float) -> Device:
    return child(family=Household(HouseholdId("h-1"), Position(lat, lon), None, "EPSG:4326"))


def homes_of(zone: str, dice: Random, number: int) -> list[Device]:
    """Households anywhere in one zone, some with a radius of their own, and the one of which only the zone is kept."""
    found = [child(family=Household(HouseholdId("h-1"), None, None, "EPSG:4326", zone, PIN))]
    for _ in range(number):
        bounds = QUARTER.bounds(dice.choice(sorted(PARTITION.zones[zone].cells)))
        home = Position(
            dice.uniform(bounds.south, bounds.north), dice.uniform(bounds.west, bounds.east)
        )
        radius = dice.choice([None, 100.0, 400.0])
        family = Household(HouseholdId("h-1"), home, radius, "EPSG:4326")
        found.append(child(family=family))
    return found


def way(dice: Random, fixes: int) -> list[tuple[int, float, float, float]]:
    """Days of anybody: seconds, metres north and east of HOME, accuracy; stays, walks, drift, silence, leaps."""
    north = east = dice.uniform(-600.0, 600.0)
    at, pace = 0, (0.0, 0.0)
    made = []
    for _ in range(fixes):
        at += dice.choice([10, 60, 60, 60, 180])
        if dice.random() < 0.02:
            at += 2400
        if dice.random() < 0.1:
            pace = dice.choice(
                [(0.0, 0.0), (dice.gauss(0, 50), dice.gauss(0, 50)), (-north / 8, -east / 8)]
            )
        if dice.random() < 0.01:
            north += dice.choice([-2000.0, 2000.0])
        north, east = north + pace[0], east + pace[1]
        spread = dice.choice([3.0, 8.0, 20.0])
        made.append(
            (
                at,
                north + dice.gauss(0, spread),
                east + dice.gauss(0, spread),
                dice.choice([5.0, 12.0, 60.0]),
            )
        )
    return made


def said(device: Device, steps: Sequence[tuple[int, float, float, float]]) -> list[Reading]:
    return [
        reading(
            device,
            document(
                lat=HOME[0] + north * METRE_NORTH, lon=HOME[1] + east * _EAST, accuracy_m=accuracy
            ),
            NOON + at * SECOND,
            number,
        )
        for number, (at, north, east, accuracy) in enumerate(steps)
    ]


def rows_of(verdict: Masked) -> list[Row]:
    if isinstance(verdict, Turn):
        return [observation.row for _origin, observation in verdict.kept]
    return [observation.row for observation in verdict] if isinstance(verdict, list) else []


def kept(
    rules: Policy, readings: Iterable[Reading], restarts: frozenset[int] = frozenset()
) -> list[Row]:
    by = Mask(rules, Keys(), ROWS)
    found = []
    for number, one in enumerate(readings):
        if number in restarts:
            by = Mask(rules, Keys(), ROWS)
        found += rows_of(by.apply(one))
    return found


RULES = {
    "recommended": zoned(),
    "places": zoned(shape=Shape(frozenset({"place", "pseudonym", "battery_class"}))),
    "far": zoned(reopen_far_m=300.0),
    "plain": zoned(staying=None, shape=replace(zoned().shape, run=1)),
}


@pytest.mark.channel("C1")
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@settings(max_examples=850, deadline=None)
@given(seed=st.integers(0, 2**32), zone=st.sampled_from(["z-0001", "z-0002"]))
def test_homes_of_one_zone_cannot_be_told_apart(rules: Policy, seed: int, zone: str) -> None:
    """Non-interference: the same way gives the same bytes for every home of a zone; four homes a case, four rule sets."""
    dice = Random(seed)
    steps = way(dice, 60)
    outputs = [kept(rules, said(home, steps)) for home in homes_of(zone, dice, 3)]
    assert all(one == outputs[0] for one in outputs)


@pytest.mark.channel("C1", "C21")
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_kept_lies_beyond_the_buffer_as_it_is_told(rules: Policy, seed: int) -> None:
    """Buffer after rounding: no place of a row, and no point of its cell, lies within 100 m of the zone."""
    for row in kept(rules, said(at_home(*HOME), way(Random(seed), 80))):
        lat, lon, cell = row[3], row[4], row[6]
        if cell is None:
            assert PARTITION.distance_m(lat, lon, "z-0001") > 100.0
        else:
            assert PARTITION.gap_m(EIGHTH.bounds(EIGHTH.of_code(cell)), "z-0001") > 100.0


@pytest.mark.channel("C14")
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 2**32), restart=st.integers(0, 79))
def test_a_restart_only_removes_rows(rules: Policy, seed: int, restart: int) -> None:
    """Whenever it comes; of what is left, a leg may be unknown."""
    readings = said(at_home(*HOME), way(Random(seed), 80))
    whole, cut = (
        Counter(row[:7] for row in kept(rules, readings, restarts)) for restarts in (frozenset(), frozenset({restart}))
    )  # fmt: skip
    assert not cut - whole


@pytest.mark.channel("C15")
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), again=st.integers(0, 59))
def test_repetitions_change_nothing(seed: int, again: int) -> None:
    """Idempotent: an uplink that comes twice is a duplicate, and every other fate is as it was."""
    readings = said(at_home(*HOME), way(Random(seed), 60))
    once = kept(zoned(), readings)
    by = Mask(zoned(), Keys(), ROWS)
    found: list[Row] = []
    for number, one in enumerate(readings):
        found += rows_of(by.apply(one))
        if number == again:
            assert by.apply(one) is Fate.DUPLICATE
    assert found == once


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_further_rule_never_adds_output(seed: int) -> None:
    """Monotone: stays, runs and beliefs each only remove rows; cells of rows that stay are the same."""
    readings = said(at_home(*HOME), way(Random(seed), 80))
    plain = replace(RULES["plain"], believed=type(zoned().believed)())
    more = [
        replace(plain, staying=zoned().staying),
        replace(plain, shape=zoned().shape),
        zoned(),
    ]
    least = Counter((row[0], row[1], row[6]) for row in kept(plain, readings))
    for rules in more:
        assert not Counter((row[0], row[1], row[6]) for row in kept(rules, readings)) - least


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_uplink_has_one_fate_in_the_end(seed: int) -> None:
    """Conservation: what is held comes to an end, each once, and rows are as many as were stored."""
    by = Mask(zoned(), Keys(), ROWS)
    fates: Counter[str] = Counter()
    rows = 0
    for one in said(at_home(*HOME), way(Random(seed), 80)):
        verdict = by.apply(one)
        rows += len(rows_of(verdict))
        if isinstance(verdict, Turn):
            fates["held"] -= len(verdict.kept) - (verdict.own is Fate.STORED) + len(verdict.gone)
            fates["stored"] += len(verdict.kept) - (verdict.own is Fate.STORED)
            fates["ended"] += len(verdict.gone)
            verdict = verdict.own
        if isinstance(verdict, list):
            fates["stored"] += 1
        else:
            fates[str(verdict) if isinstance(verdict, Fate) else "ended"] += 1
    left = by.forget_held()
    fates["held"] -= len(left)
    fates["ended"] += len(left)
    assert fates["held"] == 0
    assert fates.total() == 80
    assert rows == fates["stored"]


def test_the_walks_do_leave_the_zone() -> None:
    """The laws above speak of something: there are rows under all four rule sets, and stays and short runs."""
    for name, rules in RULES.items():
        total = sum(len(kept(rules, said(at_home(*HOME), way(Random(n), 80)))) for n in range(40))
        assert total > 100, name
    ends: Counter[Reason | Fate] = Counter()
    for n in range(150):
        by = Mask(zoned(), Keys(), ROWS)
        for one in said(at_home(*HOME), way(Random(n), 160)):
            verdict = by.apply(one)
            if isinstance(verdict, Turn):
                ends.update(end for _, end in verdict.gone)
                verdict = verdict.own
            if isinstance(verdict, Reason | Fate):
                ends[verdict] += 1
    wanted = {
        Reason.STAYING,
        Reason.SHORT_RUN,
        Reason.FORGOTTEN,
        Reason.TOO_FAST,
        Reason.INSIDE_ZONE,
        Fate.HELD,
    }
    assert wanted <= ends.keys()
    assert PARTITION.zone_of(*HOME) == "z-0001"
    assert QUARTER.cell(float("nan"), 137.0) == NOWHERE


def _held(by: Mask, device: Device) -> int:
    """Walk a child out of its zone until fixes of it are held; how many are."""
    steps = [(60 * n, 62.0 * n, 0.0, 6.0) for n in range(18)]
    return sum(by.apply(one) is Fate.HELD for one in said(device, steps))


def _later(device: Device, minute: int, north_m: float) -> Reading:
    return said(device, [(0, 0.0, 0.0, 6.0)] * 30 + [(60 * minute, north_m, 0.0, 6.0)])[-1]


@pytest.mark.parametrize("change", ["withdrawn", "another family"])
def test_what_was_held_is_gone_with_consent_and_with_the_family(change: str) -> None:
    """A withdrawal is in force at once, also for what waits; and no row of one child goes under another family's key."""
    device = at_home(*HOME)
    by = Mask(zoned(), Keys(), ROWS)
    held = _held(by, device)
    assert held >= 2
    if change == "withdrawn":
        now = replace(device, consents=frozenset({"analysis"}))
    else:
        now = replace(
            device, household=Household(HouseholdId("h-2"), Position(*HOME), None, "EPSG:4326")
        )
    verdict = by.apply(_later(now, 18, 0.0))
    assert isinstance(verdict, Turn)
    assert not verdict.kept
    assert len(verdict.gone) == held


def test_an_hour_without_a_position_may_have_been_a_stay() -> None:
    """At a clinic's door the fixes end and the device speaks on: what waits is forgotten, neither door is told."""
    device = at_home(*HOME)
    by = Mask(zoned(), Keys(), ROWS)
    assert _held(by, device)
    silent = [
        reading(device, document(battery_pct=50.0), NOON + (18 + n) * 60 * SECOND, 100 + n)
        for n in range(25)
    ]
    assert all(by.apply(one) is Reason.NO_FIX for one in silent)
    verdict = by.apply(_later(device, 44, 17 * 62.0 + 120.0))
    assert isinstance(verdict, Turn)
    assert not verdict.kept
    assert {end for _, end in verdict.gone} & {Reason.STAYING, Reason.SHORT_RUN}


def test_a_device_that_speaks_without_a_position_holds_nothing_for_ever() -> None:
    """Thirty minutes without a further fix (decisions 1), whatever else it says."""
    device = at_home(*HOME)
    by = Mask(zoned(), Keys(), ROWS)
    held = _held(by, device)
    for n in range(40):
        by.apply(
            reading(device, document(battery_pct=50.0), NOON + (18 + n) * 60 * SECOND, 100 + n)
        )
    assert len(by.forget_held(NOON + 58 * 60 * SECOND)) == held


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_noise_brings_out_nothing_that_would_not_be_kept_without(seed: int) -> None:
    """A further rule never adds rows: each row under noise has its uplink's row without."""
    readings = said(at_home(*HOME), way(Random(seed), 80))
    plain = RULES["plain"]
    noisy = replace(plain, shape=replace(plain.shape, noise=Noise(30.0, "school-2026")))
    without = Counter(row[1] for row in kept(plain, readings))
    assert not Counter(row[1] for row in kept(noisy, readings)) - without
