"""Recordings through the gateway without a door: the directory they go to, and the way through."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as changed
from pathlib import Path
from typing import Protocol

import uvloop

from gateway.app.checkpoint import Checkpoint, Tempo, private_umask
from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.privacy.policy import Policy
from gateway.registry.registry import Registry
from gateway.scripts.conduct import Conduct
from gateway.scripts.workshop import Workshop
from gateway.statedir import Mark, StateDir
from gateway.transports.replay.clock import RecordedClock

_GARBAGE = 200_000
"""Objects between two collections, as in `sekisho run`: uplinks hold no cycles."""


class OtherReplay(Refusal):
    """The state directory holds the replay of another recording, home or rule set."""


class Sender(Protocol):
    """What hands a recording over: a door for records (`gateway.transports.replay.door`), or more."""

    async def send(self) -> None:
        """Hand over everything; returns when the last of it is settled."""
        ...


@contextmanager
def checkpoint(
    state: Path,
    keys: Path | None,
    clock: RecordedClock,
    policy: Policy,
    register: Callable[[StateDir, Registry], None],
) -> Iterator[Checkpoint]:
    """A gateway without doors on a directory marked REPLAY, which is made if it is not there.

    Args:
        keys: keys root; None for `keys/` beside the state directory.
        register: enters the recording's devices.

    Raises:
        Refusal: the directory is not one for replays, was begun under other rules, or a gateway runs there.
    """
    directory = _directory(state, clock)
    ring = _keys(directory, keys, clock, policy)
    with private_umask(), directory.lock(), Registry.open(directory, ring) as registry:
        policy = _under_first_rules(registry, policy, clock)
        register(directory, registry)
        yield Checkpoint(directory, ring, registry, policy, clock, Tempo())


def carry(
    checkpoint: Checkpoint,
    door: Callable[[Scripts | None], Sender],
    scripts: tuple[Conduct, ...] = (),
) -> None:
    """Send everything through intake, mask and store, as in `sekisho run`; returns when it is on disk.

    What was handed over is stored also where the recording breaks off or somebody interrupts.

    Args:
        door: makes the door, with what runs vendors' codecs.
        scripts: those codecs; without any no worker is started.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_carry(checkpoint, door, scripts))


async def _carry(
    checkpoint: Checkpoint,
    door: Callable[[Scripts | None], Sender],
    scripts: tuple[Conduct, ...],
) -> None:
    workshop = Workshop(scripts, checkpoint.facts, checkpoint.clock) if scripts else None
    if workshop is not None:
        await workshop.open()
    worker = asyncio.create_task(checkpoint.flow.carry(), name="worker")
    sender = asyncio.create_task(door(workshop).send(), name="replay")
    try:
        await asyncio.wait({worker, sender}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not sender.done():
            sender.cancel()
        await checkpoint.drain(worker)  # raises what ended the worker before its time: a bug
        if workshop is not None:
            await workshop.close()
    sender.result()


def _directory(path: Path, clock: Clock) -> StateDir:
    """A directory marked REPLAY, made if need be.

    Raises:
        Refusal: it exists and holds other things.
    """
    if not (path / "sekisho.json").exists():
        return StateDir.create(path, Mark.REPLAY, clock)
    directory = StateDir.open(path)
    if directory.mark is not Mark.REPLAY:
        raise Refusal(
            f"{directory.path} was not made for replays, and recorded rows would stand among its "
            "own. Choose another --state."
        )
    return directory


def _keys(directory: StateDir, given: Path | None, clock: Clock, policy: Policy) -> KeyRing:
    """The directory's keys; those of a new one lie in `keys/` beside it."""
    root = directory.path.parent / "keys" if given is None else given
    if (root / directory.id).is_dir():
        return KeyRing.open(root, directory.id, clock, policy.zone)
    return KeyRing.create(root, directory.id, clock, policy.zone)


def _under_first_rules(registry: Registry, policy: Policy, clock: Clock) -> Policy:
    """The policy, if it is the one this directory was begun with.

    Raises:
        Refusal: other rules or another service area were used here: what comes again would be stored
            a second time, under a second pseudonym.
    """
    with registry.change():  # undone by a refusal
        generation, since = registry.ruleset(policy.ruleset, clock.now())
        if generation > 1:
            raise OtherReplay(
                "This state directory holds a replay of another recording, or under other rules: the "
                "service area (of a recorded way a box round it) is part of them. "
                "Choose another --state, or remove this one."
            )
    return changed(policy, generation=generation, rules_since=since)
