"""Who lives in a town: children, their households and homes. All of them are invented."""

from functools import cache
from typing import NamedTuple

from simulators.layout import Dwelling
from simulators.streams import stream
from simulators.town import Town

_SIBLING = 0.18  # share of children who live with the child before them
_OWN_RADIUS = 0.10  # share of households that asked for a wider home radius
_NO_HOME = 0.02  # share of households whose home was never imported
_NO_CONSENT = 0.04  # share of children for whom no guardian opted in


class Household(NamedTuple):
    """One family.

    Attributes:
        household: its name.
        dwelling: where it lives.
        home: WGS 84 degrees of the house; None where the registry was never told.
        radius_m: home radius it asked for; None = the policy's.
    """

    household: str
    dwelling: Dwelling
    home: tuple[float, float] | None
    radius_m: float | None


class Child(NamedTuple):
    """One child with a tracker.

    Attributes:
        device: the tracker's id.
        household: the family.
        grade: school year, 1 to 6.
        speed_m_s: usual walking speed (adults N(1.16, 0.22) m/s measured; children 5 % slower).
        consent: whether a guardian opted in.
    """

    device: str
    household: Household
    grade: int
    speed_m_s: float
    consent: bool


def _household(here: Town, seed: int, number: int, order: tuple[int, ...]) -> Household:
    """The `number`-th family (from 0); the more families, the fuller the dwellings."""
    name = f"h-{number + 1:04}"
    dice = stream(seed, "household", name)
    dwelling = here.family_homes[order[number % len(order)]]
    lat, lon = here.plane.degrees(dwelling.house)
    radius = 100.0 if dice.random() < _OWN_RADIUS else None
    imported = dice.random() >= _NO_HOME
    return Household(name, dwelling, (round(lat, 6), round(lon, 6)) if imported else None, radius)


@cache
def families(here: Town, seed: int, children: int) -> tuple[Child, ...]:
    """The first `children` children of a town as this seed peoples it.

    Each depends on those before it only, so a larger town begins with the smaller one.
    """
    order = list(range(len(here.family_homes)))
    stream(seed, "households").shuffle(order)
    found: list[Child] = []
    households = 0
    for number in range(1, children + 1):
        device = f"child-{number:04}"
        dice = stream(seed, device, "who")
        if found and dice.random() < _SIBLING:
            household = found[-1].household
        else:
            household = _household(here, seed, households, tuple(order))
            households += 1
        speed = min(1.55, max(0.75, dice.gauss(1.16, 0.22) * 0.95))
        found.append(
            Child(device, household, dice.randint(1, 6), speed, dice.random() >= _NO_CONSENT)
        )
    return tuple(found)
