"""The one caller of the operating system's clock: wall time as UTC microseconds, and the boot clock."""

import ctypes
import time
from pathlib import Path
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


def boot_id() -> bytes:
    """Of this machine since it was switched on, 16 bytes; b"" where nobody knows."""
    try:
        return bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text().replace("-", ""))
    except (OSError, ValueError):
        return b""


class SimulatedClock:
    """Simulated time (decisions 16): `now` stands still until somebody moves it, and only forward.

    Only `now` is simulated; `monotonic` stays on wall time, so keep-alive and ticks do not hurry.
    """

    def __init__(self, start: Instant) -> None:
        self._now = start

    def now(self) -> Instant:
        return self._now

    def monotonic(self) -> float:
        return time.monotonic()

    def advance(self, to: Instant) -> None:
        """Let it be `to`.

        Raises:
            ValueError: that is over; simulated time never goes back.
        """
        if to < self._now:
            raise ValueError(f"simulated time is {self._now - to} µs further")
        self._now = to
