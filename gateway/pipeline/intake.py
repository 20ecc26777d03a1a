"""The one queue between doors and the worker: order per sender, turns between senders.

Bound: each door stops reading a sender whose uplinks pile up (back-pressure by not reading), so the
queue holds at most what the doors let in; senders take turns, so a flood waits behind itself.
"""

import asyncio
from collections import deque

from gateway.model.uplink import Uplinks


class Intake:
    """Where doors `put` uplinks and the worker takes batches."""

    def __init__(self) -> None:
        self._queues: dict[object, deque[Uplinks]] = {}
        self._turns: deque[object] = deque()
        self._arrived = asyncio.Event()
        self.backlog = 0
        self.closed = False

    def put(self, sender: object, uplinks: Uplinks) -> None:
        """Queue uplinks of one sender."""
        queue = self._queues.get(sender)
        if queue is None:
            queue = self._queues[sender] = deque()
            self._turns.append(sender)
        queue.append(uplinks)
        self.backlog += len(uplinks.items)
        self._arrived.set()

    def take(self, limit: int) -> list[Uplinks]:
        """Up to about `limit` uplinks: one chunk of each sender, in turn.

        A sender who is alone may bring more than one. Beside others a flood brings one a batch, so that
        nobody's uplink lies in a batch that a flood has made long.
        """
        batch: list[Uplinks] = []
        size = 0
        round_ = len(self._turns)
        while self._turns and size < limit and (round_ == 1 or len(batch) < round_):
            sender = self._turns.popleft()
            queue = self._queues[sender]
            uplinks = queue.popleft()
            if queue:
                self._turns.append(sender)
            else:
                del self._queues[sender]
            batch.append(uplinks)
            size += len(uplinks.items)
        self.backlog -= size
        if not self._turns:
            self._arrived.clear()
        return batch

    async def wait(self) -> None:
        """Until there is something to take, or the intake is closed."""
        await self._arrived.wait()

    def close(self) -> None:
        """Nothing more will be put; the worker drains what is there."""
        self.closed = True
        self._arrived.set()
