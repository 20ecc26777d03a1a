"""Downlinks that stations were handed and have not told of. They tell only of those that went out, so we wait and see."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import NamedTuple, TypeAlias

from gateway.clock import Clock
from gateway.lorawan.reception import RX1, UNTOLD, Told
from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station.messages import Sent

Aim: TypeAlias = tuple[int | None, int | None]
"""Number of a data rate, and a frequency in Hz; None where a station does not say."""


class _Handed(NamedTuple):
    number: int
    eui: Eui
    windows: Mapping[Aim, int]
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

    def add(self, eui: Eui, number: int, windows: Mapping[Aim, int], until_s: float) -> int | None:  # fmt: skip
        """The station's number of a downlink; None where too many wait already.

        Args:
            windows: number of the data rate and frequency → which of the two windows that is.
            until_s: when it counts as not sent, on the monotonic clock.
        """
        if self._of[eui] >= self._most:
            return None
        theirs = next(self._numbers)
        after_s = max(until_s - self._clock.monotonic(), 0.0)
        timer = asyncio.get_running_loop().call_later(after_s, self.fail, theirs, UNTOLD)
        self._handed[theirs] = _Handed(number, eui, windows, timer)
        self._of[eui] += 1
        return theirs

    def went_out(self, eui: Eui, said: Sent) -> bool:
        """A station says so; RX1 if it does not say by which frequency and data rate. False where it was handed none such, or its time is over."""
        handed = self._handed.get(said.number)
        if handed is None or handed.eui != eui:
            return False
        self._settle(said.number, None, handed.windows.get((said.dr, said.freq_hz), RX1))
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

    def _settle(self, theirs: int, fault: str | None, window: int = RX1) -> None:
        handed = self._handed.pop(theirs)
        handed.timer.cancel()
        self._of[handed.eui] -= 1
        if not self._of[handed.eui]:
            del self._of[handed.eui]
        self._told(handed.number, fault, window)
