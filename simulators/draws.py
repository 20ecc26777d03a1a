"""Draws that several behaviours need."""

from math import exp
from random import Random


def poisson(dice: Random, mean: float) -> int:
    """A Poisson number; from a mean of 60 on by the normal law, which is close enough there."""
    if mean <= 0.0:
        return 0
    if mean >= 60.0:
        return max(0, round(dice.gauss(mean, mean**0.5)))
    number, product, floor = 0, dice.random(), exp(-mean)
    while product > floor:
        number += 1
        product *= dice.random()
    return number
