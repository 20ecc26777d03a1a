"""Hands records to the intake, each at its own time, and waits while too many are unsettled."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeAlias

from gateway.interfaces import Scripts
from gateway.model.forwarded import Forwarded
from gateway.model.instant import Instant
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Receiver, Route, Uplinks
from gateway.transports.replay.clock import RecordedClock

Record: TypeAlias = tuple[Instant, tuple[Route | Reason, Payload] | None]
"""When it came, by the recording; the uplink, or None where it was none."""


class Replay:
    """A door for records.

    Args:
        records: in the order in which they came.
        pace: how many times faster than recorded; None for at once.
        scripts: runs vendors' codecs; None where there are none.
        watch: called now and then, while something was read.
        window: most records handed over and not yet settled, where nobody waits for the recorded time.
    """

    def __init__(
        self,
        records: Iterable[Record],
        intake: Receiver,
        clock: RecordedClock,
        pace: float | None = None,
        scripts: Scripts | None = None,
        watch: Callable[[], None] = lambda: None,
        window: int = 4096,
    ) -> None:
        self._records = records
        self._intake = intake
        self._clock = clock
        self._pace = pace
        self._scripts = scripts
        self._watch = watch
        self._window = window if pace is None else 1
        self._waiting = 0
        self._allowed = 0
        self._room = asyncio.Event()

    async def send(self) -> None:
        """Hand over every record; returns when the last one is settled."""
        last = self._clock.now()
        for at, item in self._records:
            if self._pace is not None and at > last:
                await self._until(0)
                self._watch()
                await asyncio.sleep((at - last) / 1e6 / self._pace)
            if at > last:
                last = at
                self._clock.advance(at)
            if item is None:
                continue
            route, payload = item
            if isinstance(route, Route) and route.script:
                route, payload = await self._decoded(route, payload)
            self._waiting += 1
            self._intake.put(self, Uplinks("own", last, ((route, payload),), self._settled))
            if self._waiting >= self._window:
                await self._until(self._window // 2)
                self._watch()
        await self._until(0)
        self._watch()

    async def _decoded(self, route: Route, uplink: Payload) -> tuple[Route | Reason, Payload]:
        """The item with what its script made of the uplink."""
        if self._scripts is None or not isinstance(uplink, Forwarded):
            return Reason.NO_CODEC, uplink
        said = await self._scripts.run(route.script, uplink)
        return (said, uplink) if isinstance(said, Reason) else (route, said)

    async def _until(self, allowed: int) -> None:
        """Until no more than `allowed` records wait for their commit."""
        if self._waiting > allowed:
            self._allowed = allowed
            self._room.clear()
            await self._room.wait()

    def _settled(self, _refused: dict[int, Reason]) -> None:
        self._waiting -= 1
        if self._waiting <= self._allowed:
            self._room.set()
