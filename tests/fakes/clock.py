"""A clock that stands still until a test moves it."""

from gateway.model.instant import SECOND, Instant


class ManualClock:
    """`now` in µs UTC and `monotonic` in seconds, both moved by `advance` alone."""

    def __init__(self, now: Instant = 1_778_000_000_000_000) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> Instant:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += round(seconds * SECOND)
        self._monotonic += seconds

    def set(self, now: Instant) -> None:
        """Move the wall clock alone, as an administrator or a time server may."""
        self._now = now
