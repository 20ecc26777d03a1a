"""The clock of a replay: the recording's own."""

from gateway.clock import SystemClock
from gateway.model.instant import Instant


class RecordedClock:
    """`now` is the time of the newest record that was handed over."""

    def __init__(self, start: Instant) -> None:
        self._now = start
        self._system = SystemClock()

    def now(self) -> Instant:
        return self._now

    def monotonic(self) -> float:
        return self._system.monotonic()

    def advance(self, at: Instant) -> None:
        """Time never goes back, not even where a recording does."""
        self._now = max(self._now, at)
