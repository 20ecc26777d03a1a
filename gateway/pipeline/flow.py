"""Commit, acknowledge, show: in that order, here and nowhere else.

A batch closes at a tick; its acknowledgements leave at the first half of a tick that begins after its commit,
whether or not anything was written, because the latency of a single acknowledgement would otherwise tell a stored fix
from a suppressed one (decisions 2). Where commits take longer than that, a batch that writes nothing about
people, though they spoke in it, waits as long as one of the last commits about them took, each of those in
its turn. A full backlog closes batches without waiting for the tick.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from math import ceil

from gateway.clock import Clock
from gateway.devices.catalog import catalog
from gateway.interfaces import PATIENCE_S, Committed, Outcome, Store, Viewer
from gateway.model.reason import Fate, Reason
from gateway.model.uplink import Uplinks
from gateway.pipeline.alike import LastCommits
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import NOBODY, Batch, Process
from gateway.privacy.keysource import KeysUnavailable
from gateway.telemetry import Facts, Tally

_FEW = 16
"""Chunks in a batch that leave most of a tick free …"""

_REST_S = 0.005
"""… for the whole loop to rest in, as long as nothing else that it serves would notice."""


class Flow:
    """The worker. `doing` says in words what it is at, for whoever has to leave without it.

    Args:
        tick_s: length of a tick in seconds (3 to 5 ms: also the linger that saves CPU).
        batch: uplinks in one commit, about.
        parts: into how many a tick is cut for the acknowledgements that wait for their commit.
        rest: `time.sleep`, where the loop may rest as a whole while little arrives.
    """

    def __init__(
        self,
        intake: Intake,
        process: Process,
        store: Store,
        tally: Tally,
        viewers: Sequence[Viewer],
        clock: Clock,
        tick_s: float = 0.004,
        batch: int = 8192,
        facts: Facts | None = None,
        parts: int = 2,
        rest: Callable[[float], None] | None = None,
    ) -> None:
        self._intake = intake
        self._process = process
        self._store = store
        self._tally = tally
        self._viewers = viewers
        self._clock = clock
        self._part_s = tick_s / parts
        self._parts = parts
        self._rest = rest
        self._closed = -1
        self._calm = False
        self._batch = batch
        self._facts = facts or Facts()
        self._commits = LastCommits()
        self._people = {name for name, kind in catalog().items() if kind.personal}
        self._committed: deque[tuple[int, list[Uplinks], Batch]] = deque()
        self.doing = "idle"

    @property
    def unacknowledged(self) -> int:
        """Uplinks that were committed and wait for their tick."""
        return sum(len(uplinks.items) for _, chunks, _ in self._committed for uplinks in chunks)

    async def carry(self) -> None:
        """Run until the intake is closed and drained, and the last acknowledgement has left."""
        intake = self._intake
        while intake.backlog or self._committed or not intake.closed:
            if not intake.backlog and not self._committed:
                await intake.wait()
                if not intake.backlog:
                    continue
            if intake.backlog < self._batch:
                await self._next_edge()
            else:
                await asyncio.sleep(0)  # a batch that writes nothing waits nowhere else
            self._acknowledge()
            if self._may_close() and (chunks := intake.take(self._batch)):
                self._calm = len(chunks) <= _FEW
                await self._commit(chunks)

    async def _commit(self, chunks: list[Uplinks]) -> None:
        for uplinks in chunks:
            self._tally.handed_over[uplinks.origin] += len(uplinks.items)
        self.doing = "waiting for the keys"
        batch = await self._decide(chunks)
        closed = self._part()
        people, city = _written(batch.outcome)
        self.doing = "waiting for the store, which is still writing"
        if batch.outcome:
            committed = await self._store.commit(batch.outcome)
            self._commits.remember(self._part() + 1 - closed, people=people, city=city)
            _judge(batch, committed)
            self._show(batch.outcome, committed)
        if not people and self._spoke(
            batch
        ):  # nobody else comes in meanwhile, as behind a real one
            await self._sleep_until(closed + self._commits.play(city=city) - 1)
        self._tally.terms.update(batch.terms)
        self._committed.append((self._part() + 1, chunks, batch))
        self.doing = "idle"

    def _spoke(self, batch: Batch) -> bool:
        """Whether anybody's device was understood in it, whatever became of that."""
        return any(
            kind in self._people and fate is not Fate.REJECTED
            for _origin, kind, fate, _reason in batch.terms
        )

    async def _decide(self, chunks: list[Uplinks]) -> Batch:
        """Decide; while the keys cannot be had, wait and try again, as the store does for the disk."""
        tries = 0
        while True:
            try:
                batch = self._process.decide(chunks)
                break
            except KeysUnavailable as error:
                self._facts.note(
                    "keys unavailable",
                    f"The keys cannot be read or made ({error.why}): nothing is acknowledged until "
                    "they can",
                    logging.ERROR,
                )
            await asyncio.sleep(PATIENCE_S[min(tries, len(PATIENCE_S) - 1)])
            tries += 1
        self._facts.over("keys unavailable")
        if any(reason is Reason.FAULT for _origin, _kind, _fate, reason in batch.terms):
            self._facts.note(
                "mask failed closed",
                "The mask could not judge an uplink and suppressed it; please report it",
                logging.ERROR,
            )
        return batch

    def _acknowledge(self) -> None:
        """Settle every batch whose tick has come, oldest first."""
        now = self._part()
        while self._committed and self._committed[0][0] <= now:
            _due, chunks, batch = self._committed.popleft()
            for uplinks, refused in zip(chunks, batch.refusals, strict=True):
                uplinks.settle(refused)

    def _show(self, outcome: Outcome, committed: Committed) -> None:
        if not any(viewer.watched for viewer in self._viewers):
            return
        nothing: set[int] = set()
        fresh = [
            observation
            for table, rows in outcome.rows.items()
            for gone in [
                committed.duplicates.get(table, nothing) | committed.refused.get(table, nothing)
            ]
            for position, observation in enumerate(rows.observations)
            if position not in gone
        ]
        for viewer in self._viewers:
            viewer.show(fresh)

    def _may_close(self) -> bool:
        """Whether a batch may close: at a tick, or where so much waits that nobody lingers."""
        tick = self._part() // self._parts
        if tick == self._closed and self._intake.backlog < self._batch:
            return False
        self._closed = tick
        return True

    def _part(self) -> int:
        """The part of a tick that has begun last; all parts of all ticks are counted."""
        return int(self._clock.monotonic() / self._part_s + 1e-6)

    async def _next_edge(self) -> None:
        """Sleep to the next tick; to its next part where an acknowledgement may be due."""
        part = self._part()
        step = 1 if self._committed else self._parts - part % self._parts
        await self._sleep_until(part + step)

    async def _sleep_until(self, part: int) -> None:
        """Until a part begins, and not a moment less: timers may be early.

        While little arrives the whole loop rests, and reads all that came meanwhile in one go: nothing is
        answered before the part begins, and to be woken by each uplink costs more than to decide about it.
        """
        edge = part * self._part_s
        while (left := edge - self._clock.monotonic()) > 0:
            if self._rest and self._calm and left <= _REST_S:
                self._rest(left)
                await asyncio.sleep(0)  # the loop reads
            else:
                # its timers count milliseconds; with less than one left, another wake-up costs more
                await asyncio.sleep(max(ceil(left * 1e3 - 0.1), 1) / 1e3)


def _written(outcome: Outcome) -> tuple[bool, bool]:
    """Whether there are rows about people, and something for the city's file."""
    people = any(period is not None for period, _kind in outcome.rows)
    city = any(period is None for period, _kind in outcome.rows)
    return people, city or bool(outcome.rejections or outcome.refusals_per_day)


def _judge(batch: Batch, committed: Committed) -> None:
    """An uplink is refused if a row of it was, stored if any row of it is new, else a duplicate."""
    outcome, terms, waiting, refusals = batch
    if not committed.duplicates and not committed.refused:
        terms.update([term for term, _, _ in waiting])
        return
    new: set[int] = set()
    refused: set[int] = set()
    for table, rows in outcome.rows.items():
        old = committed.duplicates.get(table, ())
        bad = committed.refused.get(table, ())
        for position, number in enumerate(rows.uplinks):
            if position in bad:
                refused.add(number)
            elif position not in old:
                new.add(number)
    for number, (term, chunk, item) in enumerate(waiting):
        origin, kind, _, _ = term
        if number in refused:
            terms[origin, kind, Fate.REJECTED, Reason.UNSTORABLE] += 1
            if item != NOBODY:
                refusals[chunk][item] = Reason.UNSTORABLE
        elif number in new:
            terms[term] += 1
        else:
            terms[origin, kind, Fate.DUPLICATE, None] += 1
