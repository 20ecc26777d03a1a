"""Everything between the doors and the disk, wired once for `run` and `replay` alike."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.control.feed import LiveFeed
from gateway.control.window import Window
from gateway.devices.catalog import catalog
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.instant import HOUR
from gateway.pipeline.flow import Flow
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import Process
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from gateway.stores.sqlite import SqliteStore
from gateway.telemetry import Facts, Tally


@dataclass(frozen=True, slots=True)
class Tempo:
    """Length of a tick in seconds, and uplinks in one commit, about."""

    tick_s: float = 0.004
    batch: int = 8192


class Checkpoint:
    """The parts of one running gateway that do not depend on its doors.

    Args:
        state: the state directory, locked by the caller.
        policy: the rules as configured; their generation is filled in from the registry.
    """

    def __init__(
        self,
        state: StateDir,
        keys: KeyRing,
        registry: Registry,
        policy: Policy,
        clock: Clock,
        tempo: Tempo,
    ) -> None:
        self.state = state
        self.keys = keys
        self.registry = registry
        self.policy = policy
        self.clock = clock
        self.facts = Facts()
        self.tally = Tally()
        self.directory: Directory = registry.directory()
        self.store = SqliteStore(state.city_db, state.personal_dir, self.facts)
        self.mask = Mask(policy, keys, {name: kind.row for name, kind in catalog().items()})
        self.mask.recall(self.store.recent_identities(clock.now() - 2 * HOUR))
        self.intake = Intake()
        synthetic = state.mark is not None
        self.feed = LiveFeed(personal=synthetic)
        self.window = Window(state.socket, self.tally, self.facts, self.feed, exact=synthetic)
        self.flow = Flow(
            self.intake,
            Process(self.mask, policy.zone),
            self.store,
            self.tally,
            [self.feed],
            clock,
            tempo.tick_s,
            tempo.batch,
            self.facts,
        )

    async def drain(self, worker: asyncio.Task[None]) -> None:
        """Close the intake, let the worker commit and acknowledge what is there, close the files."""
        self.intake.close()
        await worker
        await self.store.close()


@contextmanager
def private_umask() -> Iterator[None]:
    """Files made inside are readable by their owner and group only."""
    old = os.umask(0o027)
    try:
        yield
    finally:
        os.umask(old)
