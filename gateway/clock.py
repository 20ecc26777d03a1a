"""The one caller of the operating system's clock: wall time as UTC microseconds, and the boot clock."""

import ctypes
import time
from typing import Protocol

from gateway.model.instant import Instant


class Clock(Protocol):
    """What every room that needs the time is handed."""

    def now(self) -> Instant:
        """Microseconds since 1970-01-01 UTC, by the clock this gateway lives on."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment, never going back; for ticks, keep-alive and limits."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Instant:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


_TIMEX_BYTES = 256  # `struct timex` has 208; all zero asks and changes nothing
_TIME_ERROR = 5


def kernel_synchronised() -> bool:
    """Whether the kernel says that something keeps its clock right; no where it cannot be asked."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


class PacedClock:
    """Simulated time (decisions 16): `now` starts at `start` and runs `pace` times faster than life.

    Only `now` is simulated; `monotonic` stays on wall time, so keep-alive and ticks do not hurry.
    """

    def __init__(self, start: Instant, pace: float, anchor: Instant | None = None) -> None:
        """`anchor`: the wall time, microseconds, at which it was `start`; None = just now."""
        self.start = start
        self.pace = pace
        self.anchor = time.time_ns() // 1000 if anchor is None else anchor

    def now(self) -> Instant:
        return self.start + int((time.time_ns() // 1000 - self.anchor) * self.pace)

    def monotonic(self) -> float:
        return time.monotonic()

    def described(self) -> dict[str, float]:
        """What another process needs to live on the same clock."""
        return {"start_us": self.start, "anchor_wall_us": self.anchor, "pace": self.pace}
