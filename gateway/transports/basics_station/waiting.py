"""Downlinks that stations were handed and have not told of. They tell only of those that went out, so we wait and see."""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from gateway.clock import Clock
from gateway.wire.lorawan.identifiers import Eui

Told = Callable[[int, str | None], None]
"""What became of a downlink, by its number: None for sent, else why not."""


class _Handed(NamedTuple):
    number: int
    eui: Eui
    timer: asyncio.TimerHandle


class Waiting:
    """All of one door.

    Args:
        most: of one station.
    """

    def __init__(self, told: Told, clock: Clock, most: int) -> None:
        self._told = told
        self._clock = clock
        self._most = most
        self._handed: dict[int, _Handed] = {}
        self._of: Counter[Eui] = Counter()
        self._numbers = count(clock.now())
        """No station tells us in this life of a downlink of the one before."""

    def add(self, eui: Eui, number: int, until_s: float) -> int | None:
        """The station's number of a downlink; None where too many wait already.

        Args:
            until_s: when it counts as not sent, on the monotonic clock.
        """
        if self._of[eui] >= self._most:
            return None
        theirs = next(self._numbers)
        after_s = max(until_s - self._clock.monotonic(), 0.0)
        timer = asyncio.get_running_loop().call_later(
            after_s, self.fail, theirs, "the forwarder told of no transmission"
        )
        self._handed[theirs] = _Handed(number, eui, timer)
        self._of[eui] += 1
        return theirs

    def went_out(self, eui: Eui, theirs: int) -> bool:
        """A station says so; False where it was handed none such, or its time is over."""
        handed = self._handed.get(theirs)
        if handed is None or handed.eui != eui:
            return False
        self._settle(theirs, None)
        return True

    def fail(self, theirs: int, why: str) -> None:
        """It did not go out."""
        if theirs in self._handed:
            self._settle(theirs, why)

    def close(self) -> None:
        """Nobody is told any more."""
        for handed in self._handed.values():
            handed.timer.cancel()
        self._handed.clear()
        self._of.clear()

    def _settle(self, theirs: int, fault: str | None) -> None:
        handed = self._handed.pop(theirs)
        handed.timer.cancel()
        self._of[handed.eui] -= 1
        if not self._of[handed.eui]:
            del self._of[handed.eui]
        self._told(handed.number, fault)
