"""The mask and the simulator's oracle were written apart from one page; here they must agree."""

from random import Random
from typing import Any

import pytest

from gateway.model.instant import SECOND
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from simulators.oracle_mask import judge_child
from simulators.oracle_memory import Fix, Memory
from simulators.oracle_rules import Rules
from tests.fakes.readings import NOON, document, mask, policy
from tests.laws.test_mask_laws import HOMES, walk

_HAIR_M = 0.02
"""So close to a deciding length two distance formulas may differ; such a walk ends there."""


def in_area(lat: float, _lon: float) -> bool:
    """A northern edge that some walks cross."""
    return lat < 36.704


def disturbed(dice: Random, readings: list[Reading]) -> list[Reading]:
    """Repeated, swapped, without a fix, far ahead, from before the rules."""
    made: list[Reading] = []
    for one in readings:
        luck = dice.random()
        if luck < 0.02:
            one.values = document(accuracy_m=5.0)
        elif luck < 0.03:
            one.values = document(lat=0.0, lon=0.0)
        elif luck < 0.04:
            one.late = True
        elif luck < 0.08:
            one.device_time = None
        made.append(one)
        if luck > 0.93:
            made.append(made[-dice.randint(1, min(len(made), 80))])
        if luck > 0.96 and len(made) > 1:
            made[-1], made[-2] = made[-2], made[-1]
    return made


def said(verdict: Any) -> tuple[Fate, Reason | None]:
    if isinstance(verdict, list):
        return Fate.STORED, None
    return (Fate.SUPPRESSED, verdict) if isinstance(verdict, Reason) else (verdict, None)


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("seed", range(6))
def test_mask_and_oracle_agree_on_every_fix(home: tuple[float, float], seed: int) -> None:
    dice = Random(f"{seed} {home}")
    radius = dice.choice([20.0, 50.0, 80.0])
    readings = disturbed(dice, walk(dice, home, 400, radius))
    since = NOON + 300 * SECOND
    by = mask(policy(in_area=in_area, rules_since=since))
    rules, memory = Rules(in_area, since, 50.0), Memory()
    roster = {"consent": True, "household": "h-1", "home": home, "radius_m": radius}
    fates = set()
    for one in readings:
        values = one.values
        fix = Fix(
            identity=(one.counter, one.device_time, one.digest),
            at=one.observed_at,
            received_at=one.received_at,
            late=one.late,
            lat=values.lat,
            lon=values.lon,
            accuracy_m=values.accuracy_m,
        )
        expected = judge_child(fix, roster, memory, rules)
        verdict = said(by.apply(one))
        if expected.slack_m < _HAIR_M and (verdict != expected[:2] or expected[1] is Reason.LATE):
            break  # they may differ from here on
        assert verdict == expected[:2]
        fates.add(verdict)
    assert len(fates) > 4, "the walk must test something"
