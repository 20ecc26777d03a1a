"""Mask and oracle, written apart from one page, agree under the recommended rules too."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.device import Device, Household
from gateway.model.identity import HouseholdId
from gateway.model.instant import MINUTE, SECOND
from gateway.model.position import Position
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy, Shape
from gateway.privacy.turn import Turn
from simulators.oracle_mask import judge_child
from simulators.oracle_memory import Fix, Memory
from simulators.oracle_mesh import Zones
from simulators.oracle_rules import Rules
from simulators.oracle_trip import Ended
from tests.fakes.readings import HOME, METRE_NORTH, NOON, ROWS, Keys, child, everywhere
from tests.fakes.zones import EIGHTH, PARTITION, QUARTER, zoned
from tests.laws.test_zone_laws import at_home, said, way

_HAIR_M = 0.05
"""So close to a deciding length two distance formulas may differ; such a walk ends there."""

ZONES = Zones(
    "250m",
    {
        name: tuple(QUARTER.code(cell) for cell in sorted(zone.cells))
        for name, zone in PARTITION.zones.items()
    },
    {"z-0001": 100, "z-0002": 200},
)
_RECOMMENDED = Rules(
    everywhere, zones=ZONES, buffer_m=100.0, far_m=None, speed_m_s=15 / 3.6, age=15 * MINUTE, stay=15 * MINUTE,
    run=3, fields=frozenset({"cell", "leg_class"}), cell="125m", step=10 * MINUTE,
)  # fmt: skip
_PLACES = frozenset({"place", "leg_class"})
_PLAIN_SHAPE = Shape(frozenset({"cell", "leg_class"}), cells=EIGHTH)
PAIRS: dict[str, tuple[Policy, Rules]] = {
    "recommended": (zoned(), _RECOMMENDED),
    "places": (zoned(shape=Shape(_PLACES)), replace(_RECOMMENDED, fields=_PLACES, cell=None, run=1, step=MINUTE)),
    "far": (zoned(reopen_far_m=300.0), replace(_RECOMMENDED, far_m=300.0)),
    "run": (zoned(staying=None), replace(_RECOMMENDED, stay=None)),
    "plain": (
        zoned(staying=None, shape=_PLAIN_SHAPE),
        replace(_RECOMMENDED, stay=None, run=1, step=MINUTE),
    ),
    "density": (
        zoned(shape=replace(zoned().shape, dense=((1000, EIGHTH), (500, QUARTER)))),
        replace(_RECOMMENDED, dense=((1000, "125m"), (500, "250m"))),
    ),
    "circle": (
        zoned(zoned=None, buffer_m=20.0, reopen_far_m=300.0),
        replace(_RECOMMENDED, zones=None, buffer_m=20.0, far_m=300.0),
    ),
}  # fmt: skip


def disturbed(dice: Random, readings: list[Reading]) -> list[Reading]:
    """Repeated, swapped, old on arrival, without a place."""
    made: list[Reading] = []
    for one in readings:
        luck = dice.random()
        if luck < 0.02:
            one.values.lat = one.values.lon = None
        elif luck < 0.04:
            one.received_at += 20 * MINUTE
        elif luck < 0.05:
            one.late = True
        made.append(one)
        if luck > 0.97:
            made.append(made[-dice.randint(1, min(len(made), 40))])
        if luck > 0.98 and len(made) > 1:
            made[-1], made[-2] = made[-2], made[-1]
    return made


Row = tuple[Any, ...]
Told = tuple[Fate, Reason | None, list[Row], Counter[Reason | Fate]]


def told_by_mask(by: Mask, one: Reading) -> Told:
    """The fate of a reading, its reason, rows kept with it (their own last), ends of those held before."""
    verdict, rows, gone = by.apply(one), [], Counter[Reason | Fate]()
    if isinstance(verdict, Turn):
        rows = [observation.row for _, observation in verdict.kept]
        gone = Counter(end for _, end in verdict.gone)
        verdict = verdict.own
    if isinstance(verdict, list):
        rows, verdict = [observation.row for observation in verdict], Fate.STORED
    if isinstance(verdict, Reason):
        return Fate.SUPPRESSED, verdict, [seen(row) for row in rows], gone
    return verdict, None, [seen(row) for row in rows], gone


def seen(row: Row) -> Row:
    """Bin, place, cell and leg of a child's row."""
    return row[0], *row[3:5], *row[6:8]


def as_row(one: Any, rules: Rules) -> Row:
    place = (None, None) if "place" not in rules.fields else (round(one.lat, 5), round(one.lon, 5))
    leg = one.leg if rules.holds else None
    return one.at - one.at % rules.step, *place, one.cell, leg


def ended(some: Iterable[Ended]) -> Counter[Reason | Fate]:
    return Counter(one.reason or Fate.STORED for one in some)


_BESIDE = (HOME[0] - 250.0 * METRE_NORTH, HOME[1])
"""In z-0002."""


def living(homes: Sequence[tuple[float, float]]) -> tuple[Device, dict[str, Any]]:
    """A child that lives in the first of some homes, and lived in the others: for the mask, and for the oracle."""
    first, *others = (
        Household(HouseholdId("h-1"), Position(*home), None, "EPSG:4326") for home in homes
    )
    family = Household(HouseholdId("h-1"), first.home, None, "EPSG:4326", former=tuple(others))
    former = [{"home": home, "radius_m": None} for home in homes[1:]]
    roster = {"consent": True, "household": "h-1", "home": homes[0], "radius_m": None}
    return child(family=family), {**roster, "former": former}


def moving(dice: Random, fixes: int) -> dict[int, tuple[Device, dict[str, Any]]]:
    """Before which fix a child lives how: it moves, and some time later its old home is forgotten."""
    first, second = sorted(dice.sample(range(fixes), 2))
    return {0: living([HOME]), first: living([_BESIDE, HOME]), second: living([_BESIDE])}


@pytest.mark.channel("C1", "C14")
@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mask_and_oracle_agree_on_every_fix_of_a_walk(name: str, seed: int) -> None:
    """Fate, reason, rows and the ends of what was held, fix by fix; restarts forget on both sides."""
    agreed(name, seed, 80)


@pytest.mark.channel("C33")
@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_they_agree_on_families_that_move(name: str, seed: int) -> None:
    """To the zone beside, or 400 m; on its way, with the old home hidden from then on, until it is forgotten again."""
    agreed(name, seed, 200, moves=True)


def agreed(name: str, seed: int, fixes: int, *, moves: bool = False) -> Counter[Reason | Fate]:
    """Walk through both, and say which ends there were."""
    policy, rules = PAIRS[name]
    dice = Random(seed)
    readings = disturbed(dice, said(at_home(*HOME), way(dice, fixes)))
    by, memory = Mask(policy, Keys(), ROWS), Memory()
    device, roster = living([HOME])
    ends: Counter[Reason | Fate] = Counter()
    lives = moving(dice, len(readings)) if moves else {}
    for number, one in enumerate(readings):
        if number in lives:
            device, roster = lives[number]
        if lives:
            one.device = device
        if dice.random() < 0.004:
            assert Counter(end for _, end in by.forget_held()) == ended(memory.trip.forget())
            by, memory = Mask(policy, Keys(), ROWS), Memory()
        values = one.values
        identity = (one.counter, one.device_time, one.digest)
        fix = Fix(
            identity, one.observed_at, one.received_at, one.late, values.lat, values.lon, values.accuracy_m
        )  # fmt: skip
        due = judge_child(fix, roster, memory, rules)
        kept = [end.held for end in due.ended if end.reason is None]
        kept += [due.held] if due.fate is Fate.STORED and due.held is not None else []
        expected = (
            due.fate, due.reason, [as_row(held, rules) for held in kept],
            ended(end for end in due.ended if end.reason is not None),
        )  # fmt: skip
        found = told_by_mask(by, one)
        if due.slack_m < _HAIR_M and found != expected:
            break  # they may differ from here on
        assert found == expected, (NOON, (one.observed_at - NOON) / SECOND)
        ends.update([due.reason or due.fate])
        ends.update(end.reason or Fate.STORED for end in due.ended)
    return ends


def test_the_walks_meet_every_end() -> None:
    """The law above speaks of something: every fate and reason of the recommended rules is met and agreed on."""
    ends: Counter[Reason | Fate] = Counter()
    for seed in range(60):
        ends += agreed("recommended", seed, 160)
    assert {
        Fate.STORED, Fate.HELD, Fate.DUPLICATE, Reason.STAYING, Reason.SHORT_RUN, Reason.FORGOTTEN,
        Reason.TOO_FAST, Reason.TOO_OLD, Reason.INSIDE_ZONE, Reason.NOT_REOPENED, Reason.LATE,
        Reason.POOR_ACCURACY, Reason.NO_FIX,
    } <= ends.keys()  # fmt: skip
