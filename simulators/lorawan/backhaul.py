"""The way between a forwarder and its gateway: it takes a while, and for minutes at a time it is not there at all.

How long a datagram takes is log-normal, 60 ms in the middle, either way. An outage lasts 50 s in the middle, and one in ten more
than 210 s: so long did hotspots of Helium hold frames back.
"""

import asyncio
from math import log
from random import Random

_MEDIAN_S, _SIGMA = 0.06, 0.6
OUT_S, _OUT_P90_S = 50.0, 210.0
_P90 = 1.2816
"""Standard deviations from the middle to the ninth tenth."""

_OUT_SIGMA = log(_OUT_P90_S / OUT_S) / _P90


LOST = "lost in the backhaul"
"""Fate of what never arrived, either way."""


class Backhaul:
    """Of one forwarder.

    Args:
        outage: the share of messages at which an outage begins.
        lasts_s: an outage in the middle.
    """

    def __init__(self, dice: Random, outage: float = 0.0, lasts_s: float = OUT_S) -> None:
        self._dice = dice
        self._outage = outage
        self._lasts_s = lasts_s
        self._passable = asyncio.Event()
        self._passable.set()
        self._back_s = 0.0

    @property
    def is_out(self) -> bool:
        """Whether nothing passes just now."""
        return not self._passable.is_set()

    @property
    def back_s(self) -> float:
        """When the outage is over, on the event loop's clock."""
        return self._back_s

    def delay_s(self) -> float:
        """How long a message takes that sets out now; it may find that an outage begins."""
        if not self.is_out and self._outage and self._dice.random() < self._outage:
            self._break(self._dice.lognormvariate(log(self._lasts_s), _OUT_SIGMA))
        return self.back_delay_s()

    def back_delay_s(self) -> float:
        """How long a message takes on the way back, or an answer to one: as long, and no outage begins with it."""
        return self._dice.lognormvariate(log(_MEDIAN_S), _SIGMA)

    async def passable(self) -> None:
        """Wait for the end of an outage."""
        await self._passable.wait()

    def _break(self, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._passable.clear()
        self._back_s = loop.time() + for_s
        loop.call_later(for_s, self._mend)

    def _mend(self) -> None:
        self._passable.set()
