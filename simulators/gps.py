"""How wrong a satellite receiver is: slow drift, fast jitter, multipath jumps, and no fix at all.

Errors are first-order Gauss–Markov processes per axis. Sizes follow static logs of real trackers
(95 % within 0.6 to 3.5 m outdoors, correlated over 750 to 1500 s); indoors they are our estimate.
"""

from math import exp, hypot, sqrt
from random import Random
from typing import NamedTuple

from simulators.streets import Point


class Sky(NamedTuple):
    """One surrounding: metres and seconds.

    Attributes:
        slow_m, slow_s: drift and its correlation time.
        fast_m, fast_s: jitter and its correlation time.
        jump: chance of a new multipath jump per fix; `jump_m` its size, `hold_s` its mean duration.
        blind: chance of no fix.
        said_m: accuracy that the receiver typically claims.
    """

    slow_m: float
    slow_s: float
    fast_m: float
    fast_s: float
    jump: float
    jump_m: float
    hold_s: float
    blind: float
    said_m: float


SKIES = {
    "open": Sky(2.0, 1000, 0.5, 5, 0.002, 12, 20, 0.002, 4.0),
    "street": Sky(4.0, 900, 1.5, 8, 0.02, 20, 45, 0.02, 8.0),
    "indoor": Sky(12.0, 600, 8.0, 20, 0.10, 40, 90, 0.35, 24.0),
}


class Receiver:
    """One tracker's receiver; asked at growing times."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._slow = [dice.gauss(0, 1), dice.gauss(0, 1)]
        self._fast = [0.0, 0.0]
        self._jump = (0.0, 0.0)
        self._jump_ends_s = 0.0
        self._last_s: float | None = None

    def _drift(self, state: list[float], passed_s: float, tau_s: float) -> None:
        keep = exp(-passed_s / tau_s)
        fresh = sqrt(1 - keep * keep)
        state[0] = keep * state[0] + fresh * self._dice.gauss(0, 1)
        state[1] = keep * state[1] + fresh * self._dice.gauss(0, 1)

    def fix(self, at_s: float, true: Point, sky: Sky) -> tuple[Point, float] | None:
        """What the receiver believes at `at_s` (seconds): position and claimed accuracy in metres.

        None: no fix. States are kept in units of one standard deviation, so that walking out of
        a house shrinks the error instead of drawing a new one.
        """
        dice = self._dice
        passed = 1e6 if self._last_s is None else at_s - self._last_s
        self._last_s = at_s
        self._drift(self._slow, passed, sky.slow_s)
        self._drift(self._fast, passed, sky.fast_s)
        if at_s >= self._jump_ends_s:
            self._jump = (0.0, 0.0)
            if dice.random() < sky.jump:
                self._jump = (dice.gauss(0, sky.jump_m), dice.gauss(0, sky.jump_m))
                self._jump_ends_s = at_s + dice.expovariate(1 / sky.hold_s)
        blind, mood = dice.random() < sky.blind, dice.lognormvariate(0.0, 0.35)
        if blind:
            return None
        x = self._slow[0] * sky.slow_m + self._fast[0] * sky.fast_m + self._jump[0]
        y = self._slow[1] * sky.slow_m + self._fast[1] * sky.fast_m + self._jump[1]
        jumped = hypot(*self._jump)
        return Point(true.x + x, true.y + y), min(500.0, sky.said_m * mood + 0.6 * jumped)
