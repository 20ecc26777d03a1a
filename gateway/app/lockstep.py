"""Simulated time, moved through the control socket (decisions 16): by whoever drives a scenario, and only
while nothing that was handed over before is still on its way.

→ {"ask": "clock"}                ← {"now_us": n}
→ {"ask": "clock", "to_us": n}    ← {"now_us": n} once it is so, and what was due until then is done
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from gateway.app.checkpoint import Checkpoint
from gateway.app.counters import BETWEEN
from gateway.app.housekeeping import AGAIN_S, REGISTRY_S, ROUND, remove, take_in
from gateway.clock import SimulatedClock
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.instant import CALENDAR_END, Instant, to_rfc3339

_LOOK_S = 0.001
"""How often it is looked whether everything is settled."""


class Lockstep:
    """Keeps house in simulated time: rounds are due at full quarters of an hour of that time, whatever
    the pace, so that what is removed and forgotten does not depend on it.

    Args:
        clock: the one that `checkpoint` lives on.
        renew: told of every new directory.
        look_after: called at every round.
    """

    def __init__(
        self,
        clock: SimulatedClock,
        checkpoint: Checkpoint,
        renew: Callable[[Directory], None],
        look_after: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._checkpoint = checkpoint
        self._renew = renew
        self._look_after = look_after
        self._turn = asyncio.Lock()

    async def keep(self) -> None:
        """Run until cancelled: a first round, then changes of the registry, which come in wall time."""
        async with self._turn:
            await self._round()
        while True:
            taken_in = take_in(self._checkpoint, self._renew)
            await asyncio.sleep(REGISTRY_S if taken_in else AGAIN_S)

    async def answer(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """What time it is, after moving it where that is asked for.

        Raises:
            Refusal: back, beyond the calendar, or to no instant.
        """
        if "to_us" in question:
            async with self._turn:
                await self._advance(question["to_us"])
        return {"now_us": self._clock.now()}

    async def _advance(self, to: Any) -> None:
        before = self._clock.now()
        if not isinstance(to, int) or not before <= to < CALENDAR_END:
            raise Refusal(
                f"Simulated time stands at {to_rfc3339(before)} and goes forward only, to the year 2200: "
                "another follower may have moved it. One gateway follows one scenario; start both anew."
            )
        await self._settled()
        self._clock.advance(to)
        take_in(self._checkpoint, self._renew)
        if before // BETWEEN < to // BETWEEN:
            await self._checkpoint.counters.write_down()
        if _rounds(before) < _rounds(to):
            await self._round()

    async def _settled(self) -> None:
        """Until as many uplinks are settled as came until now: they shall not meet another clock.

        Whoever else goes on sending does not hold time up.
        """
        checkpoint, tally = self._checkpoint, self._checkpoint.tally
        came = tally.handed_over.total() + checkpoint.intake.backlog
        while tally.terms.total() < came:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(_LOOK_S)

    async def _round(self) -> None:
        self._checkpoint.mask.forget_older(self._clock.now())
        self._checkpoint.forget_held(self._clock.now())
        await remove(self._checkpoint)
        self._look_after()


def _rounds(at: Instant) -> int:
    return at // ROUND
