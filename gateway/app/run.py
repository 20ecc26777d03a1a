"""`sekisho run`: doors, worker and housekeeping, from the first lock to the last acknowledgement."""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

import uvloop

from gateway.app import last_end, open_files
from gateway.app.checkpoint import Checkpoint, Tempo, private_umask
from gateway.app.doors import Doors
from gateway.app.erasing import finish
from gateway.app.housekeeping import ClockWatch, Timekeeper, keep_house, on_demand
from gateway.app.lockstep import Lockstep
from gateway.app.post import Post
from gateway.app.sealing_up import seal_up
from gateway.app.trusted_time import last_trusted
from gateway.app.wanted import Wanted
from gateway.clock import Clock, SimulatedClock, SystemClock, kernel_synchronised
from gateway.counting.lane import Plan as Counted
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.instant import Instant
from gateway.privacy.policy import Policy
from gateway.registry.generations import Zones
from gateway.registry.registry import Registry
from gateway.scripts.conduct import Conduct
from gateway.scripts.workshop import Workshop
from gateway.sessions.keeping import Keeping
from gateway.statedir import StateDir, write_durably
from gateway.telemetry import log

CLEAN, UNFINISHED = 0, 3

_OWN_FILES = 128
"""Databases, sockets and logs, beside the connections."""

_ASKING = 512
"""Stations that ask where to go, and those whose newer connection counts already."""

_GARBAGE = 200_000
"""Objects between two collections: uplinks hold no cycles, and looking for them cost a fifth of the CPU."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs, decided: `sekisho run` makes it of settings and options.

    Attributes:
        prepare: done before anything is opened, once no other gateway can hold the directory.
        deadline_s: how long a stop may take before those still running are named and left behind.
        clock_is_right: somebody gave their word for the clock of this start.
        scripts: vendors' codecs that a declared codec names; without any no worker is started.
        counted: what is counted instead of kept.
    """

    state: StateDir
    keys: KeyRing
    policy: Policy
    clock: Clock
    doors: Wanted
    tempo: Tempo = Tempo()
    prepare: Callable[[], None] = lambda: None
    deadline_s: float = 30.0
    clock_is_right: bool = False
    scripts: tuple[Conduct, ...] = ()
    counted: tuple[Counted, ...] = ()


def run(plan: Plan, ready: Callable[[dict[str, Any]], None]) -> int:
    """Run until SIGTERM or SIGINT; a second signal ends at once. The exit code.

    Args:
        ready: called with what stands in `run.json` once every door is open.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    open_files.allow(_sockets(plan) + _OWN_FILES)
    with private_umask(), plan.state.lock(), plan.keys.lock():
        plan.prepare()
        return uvloop.run(_serve(plan, ready))


def _sockets(plan: Plan) -> int:
    """Connections that all doors may hold at a time."""
    mqtt = sum(door.limits.connections for door in plan.doors.mqtt)
    pushed = sum(door.pending for door in plan.doors.pushes)
    known = 0 if plan.doors.radio is None else len(plan.doors.radio.forwarders)
    return mqtt + pushed + len(plan.doors.stations) * (known + _ASKING)


async def _serve(plan: Plan, ready: Callable[[dict[str, Any]], None]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_leave, stop, number)
    with Registry.open(plan.state, plan.keys) as registry:
        simulated = isinstance(plan.clock, SimulatedClock)
        timekeeper = None if simulated else _timekeeper(plan)  # before anything opens the files
        checkpoint = _checkpoint(plan, registry)
        keeping = _keeping(plan, checkpoint)
        scripts = Workshop(plan.scripts, checkpoint.facts, plan.clock) if plan.scripts else None
        doors = Doors.of(plan.doors, checkpoint, keeping, plan.keys, scripts)
        worker = asyncio.create_task(checkpoint.flow.carry(), name="worker")
        house = asyncio.create_task(
            _keep(checkpoint, doors, keeping, timekeeper), name="housekeeping"
        )
        stopped = asyncio.create_task(stop.wait(), name="signals")
        files = asyncio.create_task(open_files.watch(checkpoint.facts), name="open files")
        waiting: set[asyncio.Task[Any]] = {worker, house, files, stopped}
        if not simulated:
            waiting.add(asyncio.create_task(checkpoint.counters.keep(), name="counters"))
        try:
            if scripts is not None:
                await scripts.open()
            last_end.tell(plan.state, plan.doors.radio, plan.tempo.batch, checkpoint.facts)
            described = await _open(plan, doors, checkpoint)
            ready(described)
            waiting |= doors.tasks
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting - {stopped}:
                if task.done():
                    task.result()  # a bug: let it be seen, let the supervisor restart us
            await _stop(plan, doors, checkpoint, worker)
            if timekeeper is not None:
                timekeeper.remember(checkpoint)
            return CLEAN
        finally:
            for task in waiting:
                task.cancel()
            await checkpoint.window.close()
            await keeping.close()
            if scripts is not None:
                await scripts.close()
            plan.state.run_file.unlink(missing_ok=True)


def _checkpoint(plan: Plan, registry: Registry) -> Checkpoint:
    """Everything behind the doors, once whatever erasure was cut off is finished, and no row about people is plain."""
    finished = finish(plan.state, plan.keys, registry, plan.clock.now())
    found = seal_up(plan.state, plan.keys, registry)
    policy = under_rules(plan.policy, registry, plan.clock.now())
    made = Checkpoint(
        *(plan.state, plan.keys, registry, policy, plan.clock, plan.tempo, plan.counted)
    )
    if finished.erasures:
        made.facts.note(
            "erasure finished", "The erasure of a household that was cut off is finished"
        )
    if finished.not_tried:
        made.facts.note(
            "copies not tried",
            f"{finished.not_tried:,} copies that an erasure was to try could not be read, so nobody knows what they "
            "hold: its proof in erasures/ names them. Bring them back and try them (sekisho privacy erase "
            "--only-copies), or destroy them",
            logging.WARNING,
        )
    if found.sealed:
        made.facts.note(
            "rows sealed",
            f"{found.sealed:,} rows about people that lay here in plain are sealed now",
        )
    if found.dropped:
        made.facts.note(
            "rows dropped",
            f"{found.dropped:,} plain rows about people were deleted: no registered household's device bears their "
            "pseudonym, so no erasure would reach them under any key",
            logging.WARNING,
        )
    if found.waiting:
        made.facts.note(
            "plain rows remain",
            f"Rows about people are sealed, and their plain bytes are not gone from {', '.join(found.waiting)} yet: "
            "another program reads there. End it (a query, a copy, sqlite3), and start the gateway anew",
            logging.ERROR,
        )
    return made


async def _open(plan: Plan, doors: Doors, checkpoint: Checkpoint) -> dict[str, Any]:
    """Open every door and the control socket, and write `run.json` for other processes."""
    described = await doors.open(checkpoint.facts)
    await checkpoint.window.open()
    running = {
        "pid": os.getpid(),
        **described,
        "clock": {"start_us": plan.clock.now()} if isinstance(plan.clock, SimulatedClock) else None,
    }
    write_durably(plan.state.run_file, json.dumps(running, indent=1).encode(), 0o640)
    return running


async def _stop(
    plan: Plan, doors: Doors, checkpoint: Checkpoint, worker: asyncio.Task[None]
) -> None:
    """Readers first, then the queue, the last commit and its acknowledgements, then the wires."""
    doors.stop_listening()
    drained = asyncio.create_task(checkpoint.drain(worker), name="drain")
    done, _ = await asyncio.wait({drained}, timeout=plan.deadline_s)
    if not done:
        _leave(plan, checkpoint, worker)
    drained.result()
    await doors.close()


def _leave(plan: Plan, checkpoint: Checkpoint, worker: asyncio.Task[None]) -> NoReturn:
    """End without those who do not finish, and say who they are. A thread that waits for a disk cannot
    be ended, and an interpreter that exits would wait for it: so the process ends itself.
    """
    flow = checkpoint.flow
    waiting = checkpoint.intake.backlog + checkpoint.tally.in_flight() + flow.unacknowledged
    still = (
        "waiting for the store, which is still closing its files" if worker.done() else flow.doing
    )
    log.error(
        "Stopping took longer than %g s, so this gateway ends while it is %s. %d uplink%s no "
        "acknowledgement: devices that wait for one send again. Look after the disk of %s and the "
        "keys, then start again.",
        *(plan.deadline_s, still, waiting, " has" if waiting == 1 else "s have", plan.state.path),
    )
    for path in (plan.state.run_file, plan.state.socket):
        path.unlink(missing_ok=True)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(UNFINISHED)


def under_rules(policy: Policy, registry: Registry, now: Instant) -> Policy:
    """The policy with its generation: a changed rule set acts on what is observed from now on.

    Raises:
        Refusal: its zones are not those that their epoch began with.
    """
    zones = None if policy.epoch is None else Zones(policy.epoch, policy.frozen)
    generation, since = registry.ruleset(policy.ruleset, now, zones)
    return replace(policy, generation=generation, rules_since=since)


def _keeping(plan: Plan, checkpoint: Checkpoint) -> Keeping:
    """What clients are remembered by, and the commands that wait, on the machine's own clock."""
    clock = SystemClock()
    keeping = Keeping.open(plan.state, plan.keys.session_key(), clock, checkpoint.facts)
    keeping.renew(checkpoint.directory)
    post = Post(checkpoint, keeping.commands, clock)
    checkpoint.window.answer("command", post.answer)
    return keeping


def _renew(doors: Doors, keeping: Keeping, directory: Directory) -> None:
    keeping.renew(directory)
    doors.renew(directory)


def _keep(
    checkpoint: Checkpoint, doors: Doors, keeping: Keeping, timekeeper: Timekeeper | None
) -> Coroutine[Any, Any, None]:
    """Housekeeping, by the machine's clock or by simulated time."""
    renew = partial(_renew, doors, keeping)
    checkpoint.window.answer("follow", on_demand(checkpoint, renew))
    if timekeeper is not None:
        return keep_house(checkpoint, renew, timekeeper, keeping.look_after)
    assert isinstance(checkpoint.clock, SimulatedClock)
    lockstep = Lockstep(checkpoint.clock, checkpoint, renew, keeping.look_after)
    checkpoint.window.answer("clock", lockstep.answer)
    return lockstep.keep()


def _timekeeper(plan: Plan) -> Timekeeper:
    """What looks after the clock; to be made before anything opens the files."""
    last = None if plan.clock_is_right else last_trusted(plan.state)
    watch = ClockWatch(plan.clock.now(), plan.clock.monotonic(), last)
    return Timekeeper(watch, kernel_synchronised, plan.state)


def _stop_or_leave(stop: asyncio.Event, number: int) -> None:
    """The first signal asks to finish; the second one ends now."""
    if stop.is_set():
        os._exit(128 + number)
    log.info("Stopping: nothing more is taken in, and what is here is committed and acknowledged.")
    stop.set()
