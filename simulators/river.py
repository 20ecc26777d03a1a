"""How a river answers rain: losses, three reservoirs in a row, a slow base flow, a rating curve."""

from collections.abc import Callable
from math import exp, sqrt

from gateway.model.instant import HOUR, MINUTE, Instant

_STEP = 5 * MINUTE
_RESERVOIRS = 3  # Nash's cascade, n = 3
_SPIN_UP = 48 * HOUR
_BASE_TAU_H = 60.0


class Reach:
    """One reach of a river above a gauge.

    Args:
        rain_mm_h: rain at an instant.
        start: where the simulation begins; two days before it are run to fill the reservoirs.
        area_km2: catchment; its time of concentration is 0.7 · area^0.4 hours.
        base_m3_s: flow that never rests.
        rating: `a` of stage = sqrt(flow / a), the stage above the gauge's zero in metres.
    """

    def __init__(
        self,
        rain_mm_h: Callable[[Instant], float],
        start: Instant,
        area_km2: float,
        base_m3_s: float,
        rating: float,
    ) -> None:
        self._rain = rain_mm_h
        self._now = start - _SPIN_UP
        self._area = area_km2
        self._floor = base_m3_s
        self._base = base_m3_s
        self._rating = rating
        self._flows = [0.0] * _RESERVOIRS
        self._wetness = 0.3
        self._keep = exp(-(_STEP / HOUR) / (0.7 * area_km2**0.4 / _RESERVOIRS))

    def _step(self) -> None:
        rain = self._rain(self._now)
        hours = _STEP / HOUR
        self._wetness = min(1.0, self._wetness * exp(-hours / 72.0) + rain * hours / 80.0)
        runoff = 0.2 + 0.5 * self._wetness  # dry ground takes four fifths, wet ground a third
        inflow = rain * runoff * self._area / 3.6  # mm/h over km² → m³/s
        for number, flow in enumerate(self._flows):
            self._flows[number] = inflow + (flow - inflow) * self._keep
            inflow = self._flows[number]
        sunk = rain * (1 - runoff) * self._area / 3.6 * 0.3
        rest = exp(-hours / _BASE_TAU_H)
        self._base = self._floor + (self._base - self._floor) * rest + sunk * (1 - rest)
        self._now += _STEP

    def stage_m(self, at: Instant) -> float:
        """Water level above the gauge's zero; asked at growing times."""
        while self._now + _STEP <= at:
            self._step()
        return sqrt((self._flows[-1] + self._base) / self._rating)
