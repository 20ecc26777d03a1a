"""Which animals pass the forest edge, by month and hour, and what a classifier calls them.

Bear months: reports of bears in Ishikawa, 2020-2025 (石川県, CC BY), as shares of a year; hours of
cameras lean to dusk and dawn more than reports do, because people report by day.
"""

from math import cos, exp, pi
from random import Random
from typing import NamedTuple

_EVEN = (1 / 12,) * 12
_BEAR = (.004, .001, .007, .028, .108, .187, .114, .039, .086, .289, .120, .017)  # fmt: skip
_WARM = (.03, .03, .06, .09, .11, .11, .11, .11, .11, .11, .08, .05)  # fmt: skip


class Species(NamedTuple):
    """One species' habits.

    Attributes:
        per_day: passes of one camera on a day of an average month.
        months: share of the year in each month.
        peaks: (hour, sharpness, weight) of its active hours; weights sum to at most 1, the rest is
            spread over the day.
        group: largest group.
        night: whether it is rarely seen between 9 and 16 o'clock.
    """

    per_day: float
    months: tuple[float, ...]
    peaks: tuple[tuple[float, float, float], ...]
    group: int
    night: bool = False


SPECIES: dict[str, Species] = {
    "bear": Species(0.25, _BEAR, ((5.5, 2.0, 0.4), (18.5, 2.0, 0.4)), 2),
    "boar": Species(1.6, _EVEN, ((22.5, 1.1, 0.9),), 5),
    "serow": Species(1.0, _EVEN, ((6.0, 1.5, 0.4), (17.5, 1.5, 0.4)), 2),
    "deer": Species(0.8, _WARM, ((5.5, 1.6, 0.4), (18.5, 1.6, 0.4)), 4),
    "macaque": Species(0.8, _WARM, ((12.0, 1.6, 1.0),), 20),
    "raccoon_dog": Species(2.2, _WARM, ((21.0, 1.2, 0.5), (3.0, 1.2, 0.4)), 2, night=True),
    "fox": Species(1.2, _EVEN, ((20.0, 0.6, 0.4), (4.0, 0.6, 0.3)), 1),
    "civet": Species(0.6, _WARM, ((23.0, 1.3, 0.9),), 2, night=True),
    "marten": Species(0.5, _EVEN, (), 1),
    "hare": Species(0.5, _EVEN, ((2.0, 0.9, 0.8),), 1, night=True),
    "human": Species(1.5, _WARM, ((7.0, 2.0, 0.4), (15.5, 1.5, 0.5)), 3),
}

_CONFUSED: dict[str, tuple[tuple[str, float], ...]] = {
    "bear": (("boar", 0.03), ("serow", 0.02), ("human", 0.01), ("blank", 0.04)),
    "boar": (("bear", 0.02), ("deer", 0.03), ("raccoon_dog", 0.02), ("blank", 0.03)),
    "serow": (("deer", 0.05), ("boar", 0.02), ("bear", 0.01), ("blank", 0.04)),
    "deer": (("serow", 0.04), ("boar", 0.02), ("bear", 0.01), ("blank", 0.04)),
    "macaque": (("raccoon_dog", 0.03), ("human", 0.02), ("blank", 0.05)),
    "human": (("bear", 0.002), ("blank", 0.018)),
    "blank": (("raccoon_dog", 0.01), ("human", 0.005), ("deer", 0.002), ("bear", 0.0005)),
}
_SMALL = (("boar", 0.01), ("unknown", 0.03), ("blank", 0.077), ("bear", 0.003))


def passes_per_hour(name: str, month: int, hour: float) -> float:
    """Mean passes of one camera per hour, `month` 1 to 12, `hour` 0 ≤ h < 24."""
    species = SPECIES[name]
    spread = 1.0 - sum(weight for _, _, weight in species.peaks)
    density = spread / 24.0
    for centre, kappa, weight in species.peaks:  # von Mises on the 24 h clock
        density += weight * exp(kappa * cos((hour - centre) * pi / 12.0)) / _circle(kappa)
    if species.night and 9.0 <= hour < 16.0:
        density *= 0.1
    return species.per_day * species.months[month - 1] * 12.0 * density


def _circle(kappa: float) -> float:
    """24 · I0(κ): the area under the hump, by the Bessel function's series."""
    term, total = 1.0, 1.0
    for k in range(1, 12):
        term *= (kappa / 2.0) ** 2 / (k * k)
        total += term
    return 24.0 * total


def called(dice: Random, true: str) -> tuple[str, float]:
    """What the classifier calls a picture of `true`, and how sure it is (0..1)."""
    draw = dice.random()
    for name, share in _CONFUSED.get(true, _SMALL):
        draw -= share
        if draw < 0.0:
            return name, dice.betavariate(5, 4)
    return true, dice.betavariate(14, 1.5)
