"""The one queue between doors and the worker: order per sender, turns between senders.

Bound: each door stops reading a sender whose uplinks pile up (back-pressure by not reading), so the
queue holds at most what the doors let in; senders take turns, so a flood waits behind itself.
"""

import asyncio
from collections import deque

from gateway.model.uplink import Uplinks

_FIRST_ALONE = 128
"""Uplinks that a sender without others may bring beside its first chunk, times the batches it has been so."""


class Intake:
    """Where doors `put` uplinks and the worker takes batches."""

    def __init__(self) -> None:
        self._queues: dict[object, deque[Uplinks]] = {}
        self._turns: deque[object] = deque()
        self._arrived = asyncio.Event()
        self._alone = 0
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
        """Up to about `limit` uplinks: of each sender in turn what it may bring, one chunk at least.

        Beside others a sender brings twice what half of them bring at most, so that nobody's uplink lies in
        a batch that a flood has made long, or waits for one; whoever stays alone brings more each time.
        """
        batch: list[Uplinks] = []
        size = 0
        share = self._share()
        for _ in range(len(self._turns)):
            sender = self._turns.popleft()
            queue = self._queues[sender]
            brought = 0
            while queue and (not brought or brought + len(queue[0].items) <= share):
                uplinks = queue.popleft()
                batch.append(uplinks)
                brought += len(uplinks.items)
                if size + brought >= limit:
                    break
            size += brought
            if queue:
                self._turns.append(sender)
            else:
                del self._queues[sender]
            if size >= limit:
                break
        self.backlog -= size
        if not self._turns:
            self._arrived.clear()
        return batch

    def _share(self) -> int:
        """Uplinks that one sender may bring into the next batch, beside its first chunk."""
        senders = len(self._queues)
        if senders == 1:
            self._alone += 1
            return _FIRST_ALONE * self._alone
        self._alone = 0
        if self.backlog <= senders:
            return self.backlog
        waiting = sorted(sum([len(u.items) for u in queue]) for queue in self._queues.values())
        return 2 * waiting[(senders - 1) // 2]

    async def wait(self) -> None:
        """Until there is something to take, or the intake is closed."""
        await self._arrived.wait()

    def close(self) -> None:
        """Nothing more will be put; the worker drains what is there."""
        self.closed = True
        self._arrived.set()
