"""What a running gateway does beside its work: registry changes, retention, forgetting."""

import asyncio
import logging
from collections.abc import Callable

from gateway.app.checkpoint import Checkpoint
from gateway.model.device import Directory
from gateway.model.instant import DAY, HOUR, Instant, local_day
from gateway.pipeline.retention import expired

_REGISTRY_S = 0.5
"""A change by another process is in force within one second (decisions 11)."""

_ROUND: Instant = HOUR // 4
"""How often retention and the clock are looked after."""


class ClockWatch:
    """Tells a clock that jumps (decisions 15) from mere silence.

    A jump is `now` moving a day against the boot clock, or at start lying before the last commit.
    """

    def __init__(
        self, now: Instant, monotonic: float, last_commit: Instant | None, pace: float
    ) -> None:
        self._offset = now - int(monotonic * pace * 1e6)
        self._pace = pace
        self.jumped = last_commit is not None and now < last_commit - HOUR

    def look(self, now: Instant, monotonic: float) -> bool:
        """Whether the clock has jumped since the start; once seen, it stays so."""
        if abs(now - int(monotonic * self._pace * 1e6) - self._offset) > DAY:
            self.jumped = True
        return self.jumped


async def keep_house(
    checkpoint: Checkpoint, renew: Callable[[Directory], None], watch: ClockWatch
) -> None:
    """Run until cancelled; `renew` is told of every new directory."""
    clock = checkpoint.clock
    next_round = clock.now()
    while True:
        if checkpoint.registry.changed():
            checkpoint.directory = checkpoint.registry.directory()
            renew(checkpoint.directory)
        if not 0 < next_round - clock.now() <= _ROUND:  # due, or the clock was set back
            next_round = clock.now() + _ROUND
            checkpoint.mask.forget_older(clock.now())
            if watch.look(clock.now(), clock.monotonic()):
                checkpoint.facts.note(
                    "clock jumped",
                    "The clock has jumped: nothing is removed until this gateway is restarted with "
                    "a right clock",
                    logging.ERROR,
                )
            else:
                checkpoint.keys.retire(clock.now())
                await retain(checkpoint)
        await asyncio.sleep(_REGISTRY_S)


async def retain(checkpoint: Checkpoint) -> None:
    """Remove the personal files whose time is over, with their keys (decisions 12)."""
    policy = checkpoint.policy
    today = local_day(checkpoint.clock.now(), policy.zone)
    periods = [path.stem for path in checkpoint.state.personal_dir.glob("*.db")]
    for period in expired(periods, today, policy.retain_days):
        checkpoint.keys.destroy_file_key(period)
        await checkpoint.store.forget_file(period)
        checkpoint.facts.note("period removed", "A personal file was removed: its time was over")
