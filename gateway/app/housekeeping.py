"""What a running gateway does beside its work: registry changes, retention, forgetting."""

import asyncio
import errno
import logging
import sqlite3
from collections.abc import Callable

from gateway.app.checkpoint import Checkpoint
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.instant import DAY, HOUR, Instant, local_day
from gateway.pipeline.retention import expired
from gateway.privacy.keysource import KeysUnavailable

_REGISTRY_S = 0.5
"""A change by another process is in force within one second (decisions 11)."""

_AGAIN_S = 5.0
"""How long a registry that could not be read is left alone: reading a large one takes its time."""

_ROUND: Instant = HOUR // 4
"""How often retention and the clock are looked after."""

_FAULTS = (OSError, sqlite3.Error, Refusal, KeysUnavailable)
"""What a disk, a mount or a file comes to: nothing of it ends a gateway that can go on as before."""


class ClockWatch:
    """Tells a clock that jumps (decisions 15) from mere silence.

    A jump is `now` moving a day against the boot clock; or, at start, lying before the last commit, or more
    than a day after it while the kernel reports no synchronisation. It is over when the kernel reports
    one, or when the clock has come back.

    Args:
        now, monotonic: the clocks at start.
        last_commit: when something was last written; None if nothing ever was.
        pace: how much faster than the boot clock `now` runs.
    """

    def __init__(
        self, now: Instant, monotonic: float, last_commit: Instant | None, pace: float
    ) -> None:
        self._pace = pace
        self._start = self._booted(monotonic)
        self._last_commit = last_commit
        self._offset = now - self._start if last_commit is None else None  # None: not trusted yet

    def look(self, now: Instant, monotonic: float, *, synchronised: bool) -> bool:
        """Whether the clock has jumped and nothing speaks for it yet."""
        booted = self._booted(monotonic)
        if synchronised or (self._offset is None and self._is_likely(now, booted)):
            self._offset = now - booted
        return self._offset is None or abs(now - booted - self._offset) > DAY

    def _is_likely(self, now: Instant, booted: Instant) -> bool:
        """Whether the last commit speaks for `now`: a start not before it, nor a day of silence after."""
        last = self._last_commit
        return last is None or -HOUR <= now - (booted - self._start) - last <= DAY

    def _booted(self, monotonic: float) -> Instant:
        return int(monotonic * self._pace * 1e6)


async def keep_house(
    checkpoint: Checkpoint,
    renew: Callable[[Directory], None],
    watch: ClockWatch,
    synchronised: Callable[[], bool],
) -> None:
    """Run until cancelled.

    Args:
        renew: told of every new directory.
        synchronised: whether something keeps the clock right.
    """
    clock = checkpoint.clock
    next_round = clock.now()
    waiting = False
    while True:
        taken_in = _take_in(checkpoint, renew)
        if not 0 < next_round - clock.now() <= _ROUND:  # due, or the clock was set back
            next_round = clock.now() + _ROUND
            checkpoint.mask.forget_older(clock.now())
            waited = waiting
            waiting = watch.look(clock.now(), clock.monotonic(), synchronised=synchronised())
            if waiting:
                checkpoint.facts.note(
                    "clock jumped",
                    "The clock has jumped, or lies far from the last commit and nothing keeps it "
                    "right: no file and no key is removed until it is synchronised or comes back",
                    logging.ERROR,
                )
            else:
                if waited:
                    checkpoint.facts.note("clock trusted", "The clock is right again")
                await _remove(checkpoint)
        await asyncio.sleep(_REGISTRY_S if taken_in else _AGAIN_S)


def _take_in(checkpoint: Checkpoint, renew: Callable[[Directory], None]) -> bool:
    """Take in what changed in the registry; False where it could not be read, and is asked again."""
    try:
        if not checkpoint.registry.changed():
            return True
        directory = checkpoint.registry.directory()
    except _FAULTS as error:
        checkpoint.facts.note(
            "registry unreadable",
            f"The registry or its keys cannot be read ({_name(error)}): what changed in it is not in "
            "force yet, and it is tried again",
            logging.ERROR,
        )
        return False
    checkpoint.directory = directory
    renew(directory)
    return True


def _name(error: Exception) -> str:
    """What a fault is called; no path and no name of a household's."""
    if isinstance(error, KeysUnavailable):
        return error.why
    fault = error.__cause__ if isinstance(error, Refusal) else error
    if fault is None:
        return "a file is missing or not in order"
    known = errno.errorcode.get(getattr(fault, "errno", None) or 0)
    return known or getattr(fault, "sqlite_errorname", None) or type(fault).__name__


async def _remove(checkpoint: Checkpoint) -> None:
    """Destroy the keys and remove the files whose time is over; where a disk refuses, next time."""
    try:
        checkpoint.keys.retire(checkpoint.clock.now())
        await retain(checkpoint)
    except _FAULTS as error:
        checkpoint.facts.note(
            "retention waits",
            f"What is over cannot be removed ({_name(error)}): it is tried again",
            logging.ERROR,
        )


async def retain(checkpoint: Checkpoint) -> None:
    """Remove the personal files whose time is over, with their keys (decisions 12)."""
    policy = checkpoint.policy
    today = local_day(checkpoint.clock.now(), policy.zone)
    periods = [path.stem for path in checkpoint.state.personal_dir.glob("*.db")]
    for period in expired(periods, today, policy.retain_days):
        checkpoint.keys.destroy_file_key(period)
        await checkpoint.store.forget_file(period)
        checkpoint.facts.note("period removed", "A personal file was removed: its time was over")
