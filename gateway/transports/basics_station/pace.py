"""How fast a station may speak. No I/O."""


class Pace:
    """So many messages a second, and as many at once; what comes faster has to wait.

    Args:
        rate: messages a second.
        now_s: the monotonic clock.
    """

    __slots__ = ("_at_s", "_left", "_rate")

    def __init__(self, rate: float, now_s: float) -> None:
        self._rate = rate
        self._left = rate
        self._at_s = now_s

    def owed_s(self, now_s: float) -> float:
        """One more came: how long not to read after it."""
        self._left = min(self._rate, self._left + (now_s - self._at_s) * self._rate) - 1
        self._at_s = now_s
        return max(0.0, -self._left / self._rate)
