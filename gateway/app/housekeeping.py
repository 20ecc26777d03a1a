"""What a running gateway does beside its work: registry changes, retention, forgetting."""

import asyncio
import errno
import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.app.checkpoint import Checkpoint
from gateway.app.trusted_time import remember
from gateway.clock import Clock
from gateway.control.window import Answer
from gateway.devices.catalog import catalog
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.instant import DAY, HOUR, Instant, local_day
from gateway.pipeline.retention import expired, first_day
from gateway.privacy.keysource import KeysUnavailable
from gateway.statedir import StateDir
from gateway.stores.access_log import AccessLog

REGISTRY_S = 0.5
"""A change by another process is in force within one second (decisions 11)."""

AGAIN_S = 5.0
"""How long a registry that could not be read is left alone: reading a large one takes its time."""

ROUND: Instant = HOUR // 4
_LOOKS_KEPT_DAYS = 366
"""How often retention and the clock are looked after."""

_FAULTS = (OSError, sqlite3.Error, Refusal, KeysUnavailable)
"""What a disk, a mount or a file comes to: nothing of it ends a gateway that can go on as before."""


class ClockWatch:
    """Tells a clock that jumps (decisions 15) from mere silence.

    A jump is `now` moving a day against the boot clock; or, at start, lying before the last trusted time,
    or more than a day after it while the kernel reports no synchronisation. It is over when the kernel
    reports one, or when the clock has come back.

    Args:
        now, monotonic: the clocks at start.
        last: when the clock was trusted last; None if it never was, or somebody gave their word for it.
    """

    def __init__(self, now: Instant, monotonic: float, last: Instant | None) -> None:
        self._start = self._booted(monotonic)
        self._last = last
        self._offset = now - self._start if last is None else None  # None: not trusted yet

    def look(self, now: Instant, monotonic: float, *, synchronised: bool) -> bool:
        """Whether the clock has jumped and nothing speaks for it yet."""
        booted = self._booted(monotonic)
        if synchronised or (self._offset is None and self._is_likely(now, booted)):
            self._offset = now - booted
        return self._offset is None or abs(now - booted - self._offset) > DAY

    def _is_likely(self, now: Instant, booted: Instant) -> bool:
        """Whether the last trusted time speaks for `now`: a start not before it, nor a day after."""
        last = self._last
        return last is None or -HOUR <= now - (booted - self._start) - last <= DAY

    def _booted(self, monotonic: float) -> Instant:
        return int(monotonic * 1e6)


@dataclass(frozen=True, slots=True)
class Timekeeper:
    """Who is asked whether the clock is right, and where that is remembered for the next start.

    Attributes:
        synchronised: whether something keeps the clock right.
        state: where it is remembered.
    """

    watch: ClockWatch
    synchronised: Callable[[], bool]
    state: StateDir

    def doubts(self, clock: Clock) -> bool:
        """Whether the clock has jumped and nothing speaks for it yet."""
        return self.watch.look(clock.now(), clock.monotonic(), synchronised=self.synchronised())

    def remember(self, checkpoint: Checkpoint) -> None:
        """Remember the time where the clock is trusted; a disk that refuses is no reason to end."""
        if self.doubts(checkpoint.clock):
            return
        try:
            remember(self.state, checkpoint.clock.now())
        except OSError as error:
            checkpoint.facts.note(
                "time not remembered",
                f"The time cannot be remembered for the next start ({_name(error)}): it is tried again",
                logging.ERROR,
            )


async def keep_house(
    checkpoint: Checkpoint,
    renew: Callable[[Directory], None],
    timekeeper: Timekeeper,
    look_after: Callable[[], None] = lambda: None,
) -> None:
    """Run until cancelled, on the machine's own clock.

    Args:
        renew: told of every new directory.
        look_after: called at every round in which the clock is trusted.
    """
    clock = checkpoint.clock
    next_round = clock.now()
    waiting = False
    while True:
        taken_in = take_in(checkpoint, renew)
        if not 0 < next_round - clock.now() <= ROUND:  # due, or the clock was set back
            next_round = clock.now() + ROUND
            checkpoint.forget_held(clock.now())  # first: who is forgotten holds nothing then
            checkpoint.mask.forget_older(clock.now())
            checkpoint.settle_homes()
            waited = waiting
            waiting = timekeeper.doubts(clock)
            if waiting:
                checkpoint.facts.note(
                    "clock jumped",
                    "The clock has jumped, or lies far from the last time it was right and nothing "
                    "keeps it so: no file and no key is removed until it is synchronised or comes back, "
                    "or the gateway is started once with --clock-is-right",
                    logging.ERROR,
                )
            else:
                if waited:
                    checkpoint.facts.note("clock trusted", "The clock is right again")
                await asyncio.to_thread(timekeeper.remember, checkpoint)
                await remove(checkpoint)
                look_after()
        await asyncio.sleep(REGISTRY_S if taken_in else AGAIN_S)


def take_in(checkpoint: Checkpoint, renew: Callable[[Directory], None]) -> bool:
    """Take in what changed in the registry; False where it could not be read, and is asked again."""
    try:
        if not checkpoint.registry.changed():
            return True
        directory = checkpoint.read_registry()
    except _FAULTS as error:
        checkpoint.facts.note(
            "registry unreadable",
            f"The registry or its keys cannot be read ({_name(error)}): what changed in it is not in "
            "force yet, and it is tried again",
            logging.ERROR,
        )
        return False
    checkpoint.take_up(directory)
    renew(directory)
    return True


def on_demand(checkpoint: Checkpoint, renew: Callable[[Directory], None]) -> Answer:
    """Answers whoever has changed the registry, and wants to know that it is in force.

    → {"ask": "follow"}    ← {"in_force": whether the registry could be read, "kinds": those known here}
    """

    async def answer(_question: Mapping[str, Any]) -> dict[str, Any]:
        return {"in_force": take_in(checkpoint, renew), "kinds": list(catalog())}

    return answer


def _name(error: Exception) -> str:
    """What a fault is called; no path and no name of a household's."""
    if isinstance(error, KeysUnavailable):
        return error.why
    fault = error.__cause__ if isinstance(error, Refusal) else error
    if fault is None:
        return "a file is missing or not in order"
    known = errno.errorcode.get(getattr(fault, "errno", None) or 0)
    return known or getattr(fault, "sqlite_errorname", None) or type(fault).__name__


async def remove(checkpoint: Checkpoint) -> None:
    """Destroy the keys and remove the files whose time is over, and release what is counted of periods that are;
    where a disk refuses, next time.
    """
    await checkpoint.counters.look_after()
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
    """Remove the personal files whose time is over, with their keys (decisions 12), and keys that came without files."""
    policy = checkpoint.policy
    today = local_day(checkpoint.clock.now(), policy.zone)
    files = {path.stem for path in checkpoint.state.personal_dir.glob("*.db")}
    periods = files.union(checkpoint.keys.file_periods())
    over = expired(periods, today, policy.retain_days)
    for period in sorted(over):
        checkpoint.keys.destroy_file_key(period)
        if period not in files:
            continue
        await checkpoint.store.forget_file(period)
        checkpoint.facts.note("period removed", "A personal file was removed: its time was over")
    left = periods.difference(over)
    oldest = min((day for period in left if (day := first_day(period))), default=today)

    def is_over(left_at: Instant) -> bool:
        """Whether every file that is left begins after a move; two days of doubt for clocks and late commits."""
        return local_day(left_at, policy.zone) + timedelta(days=2) <= oldest

    checkpoint.forget_former(is_over)
    kept_from = (today - timedelta(days=_LOOKS_KEPT_DAYS)).isoformat()[:7]
    log = AccessLog(checkpoint.state.path, checkpoint.keys.log_key(), checkpoint.keys.signer)
    if log.forget_before(kept_from):
        checkpoint.facts.note(
            "looks removed", "A month of the access log was removed: its time was over"
        )
