"""How town time maps to the wall: as fast as possible, or so many times faster than life."""

import asyncio
import time

from gateway.model.instant import SECOND, Instant


class Pace:
    """Waits until town time is due.

    Args:
        start: town time at the moment of construction.
        factor: town seconds per wall second; 0 = never wait.
    """

    def __init__(self, start: Instant, factor: float) -> None:
        self._start = start
        self._factor = factor
        self._anchor = time.monotonic()

    def due_in(self, at: Instant) -> float:
        """Wall seconds until town time `at`; 0 or less when it is due."""
        if self._factor <= 0:
            return 0.0
        town_s = (at - self._start) / SECOND
        return self._anchor + town_s / self._factor - time.monotonic()

    async def wait(self, at: Instant) -> None:
        """Return when town time `at` is due; steps of under 2 ms are not worth a wait."""
        left = self.due_in(at)
        if left > 0.002:
            await asyncio.sleep(left)
