"""How town time maps to the wall: as fast as possible, or so many times faster than life."""

import asyncio
import time

from gateway.model.instant import SECOND, Instant

_SLICE_S = 0.25


class Pace:
    """Waits until town time is due.

    Args:
        start: town time at the beginning: of construction, or of `begin`.
        factor: town seconds per wall second; 0 = never wait.
    """

    def __init__(self, start: Instant, factor: float) -> None:
        self._start = start
        self._factor = factor
        self._anchor = time.monotonic()

    @property
    def never_waits(self) -> bool:
        """Whether it is as fast as possible."""
        return self._factor <= 0

    def begin(self) -> None:
        """Town time begins to pass now, not at construction."""
        self._anchor = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Wall seconds since the beginning."""
        return time.monotonic() - self._anchor

    def due_in(self, at: Instant) -> float:
        """Wall seconds until town time `at`; 0 or less when it is due."""
        if self._factor <= 0:
            return 0.0
        return (at - self._start) / SECOND / self._factor - self.elapsed_s

    async def wait(self, at: Instant, stop: asyncio.Event) -> None:
        """Return when town time `at` is due or `stop` is set; under 2 ms is not worth a wait."""
        while (left := self.due_in(at)) > 0.002 and not stop.is_set():  # noqa: ASYNC110 - wall time
            await asyncio.sleep(min(left, _SLICE_S))

    async def breathe(self) -> None:
        """Let signals and sockets have their turn."""
        await asyncio.sleep(0)
