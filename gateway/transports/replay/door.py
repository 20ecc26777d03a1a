"""Hands records to the intake, each at its own time, and waits while too many are unsettled."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeAlias

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
        watch: called now and then, while something was read.
        window: most records handed over and not yet settled, where nobody waits for the recorded time.
    """

    def __init__(
        self,
        records: Iterable[Record],
        intake: Receiver,
        clock: RecordedClock,
        pace: float | None = None,
        watch: Callable[[], None] = lambda: None,
        window: int = 4096,
    ) -> None:
        self._records = records
        self._intake = intake
        self._clock = clock
        self._pace = pace
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
            self._waiting += 1
            self._intake.put(self, Uplinks("own", last, (item,), self._settled))
            if self._waiting >= self._window:
                await self._until(self._window // 2)
                self._watch()
        await self._until(0)
        self._watch()

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
