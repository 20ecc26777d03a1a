"""Rain over the town: storms drawn day by day, each a hump of rain that peaks before its middle."""

from datetime import timedelta
from functools import cache
from typing import NamedTuple

from gateway.model.instant import HOUR, Instant
from simulators.calendar import day_of, midnight
from simulators.streams import stream

_STORMS_PER_DAY = (0.20, 0.18, 0.20, 0.22, 0.25, 0.38, 0.40, 0.28, 0.36, 0.30, 0.25, 0.22)
"""Mean number of storms a day, January to December; more in June, July, September and October."""

_OPENING_SHARE = 0.6
"""Share of seeds that begin with a storm, so that a short look at the town sees the river move."""


class Storm(NamedTuple):
    """One storm: when it begins, how long, how much (mm), and where in it the rain peaks (0..1)."""

    begin: Instant
    hours: float
    total_mm: float
    peak: float

    def mm_per_h(self, at: Instant) -> float:
        """Intensity: a triangle whose area is the storm's total."""
        share = (at - self.begin) / (self.hours * HOUR)
        if not 0.0 <= share <= 1.0:
            return 0.0
        slope = share / self.peak if share < self.peak else (1 - share) / (1 - self.peak)
        return slope * 2 * self.total_mm / self.hours


class Weather:
    """The rain that one seed brings; `start` is where a look at the town begins."""

    def __init__(self, seed: int, start: Instant) -> None:
        self._seed = seed
        self._storms_of = cache(self._draw)
        self._opening: tuple[Storm, ...] = ()
        dice = stream(seed, "weather", "opening")
        if dice.random() < _OPENING_SHARE:
            begin = start + round(dice.uniform(0.1, 0.8) * HOUR)
            self._opening = (Storm(begin, dice.uniform(2.0, 6.0), dice.uniform(40, 130), 0.35),)

    def _draw(self, ordinal: int) -> tuple[Storm, ...]:
        dice = stream(self._seed, "weather", "day", str(ordinal))
        day = day_of(0) + timedelta(days=ordinal)
        if dice.random() >= _STORMS_PER_DAY[day.month - 1]:
            return ()
        begin = midnight(day) + round(dice.uniform(0, 24) * HOUR)
        total = min(180.0, 8.0 + dice.expovariate(1 / 25.0))
        peak = min(0.9, max(0.1, dice.betavariate(3, 4)))
        return (Storm(begin, dice.uniform(2.0, 20.0), total, peak),)

    def rain_mm_h(self, at: Instant) -> float:
        """Rain at an instant, in mm per hour, the same everywhere in the small catchment."""
        today = (day_of(at) - day_of(0)).days
        storms = (*self._storms_of(today), *self._storms_of(today - 1), *self._opening)
        return sum(storm.mm_per_h(at) for storm in storms)
