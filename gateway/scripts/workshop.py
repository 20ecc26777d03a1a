"""Scripts by uplink: whose turn it is at which worker, and what becomes of those that cost too much.

A run is brief at first, and goes on to the slow lane where that was not enough. A script has one worker at a time, all
slow ones together have one, and one is kept from all that are slow or new: whatever they do, it is free for those
that are known. In each lane every script that waits has its turn.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from gateway.clock import Clock
from gateway.interfaces import PATIENCE_S
from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.scripts.bench import Bench
from gateway.scripts.conduct import STRIKES, SUSPENDED_S, Conduct, Lane
from gateway.scripts.messages import LIMITS, Answer, Fault, Task
from gateway.telemetry import Facts

WORKERS = 3

DEADLINE_S = 2.0
"""For one answer, by our own clock: twenty times what its limit of CPU time is, for a machine that is busy."""

_BRIEF = 0.125
"""The part of it that a brief run has."""

_TOO_BRIEF = frozenset({Fault.TIME, Fault.HUNG, Fault.DIED})
"""What may come of a brief run alone."""

_BY_CHANCE = frozenset({Fault.DIED})
"""What may come of anything: the worker may have been killed from outside."""


class Workshop:
    """Implements `gateway.interfaces.Scripts`.

    Args:
        scripts: all that may be run.
        workers: processes, two at least; with three those that are new do not wait for those that are slow.
    """

    def __init__(
        self,
        scripts: Iterable[Conduct],
        facts: Facts,
        clock: Clock,
        workers: int = WORKERS,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._scripts = {str(script.file): script for script in scripts}
        self._facts = facts
        self._clock = clock
        self._workers = workers
        self._deadline_s = deadline_s
        self._idle: list[Bench] = []
        self._benches: set[Bench] = set()
        self._turns: dict[tuple[Lane, str], deque[asyncio.Future[Bench | None]]] = {}
        self._running = dict.fromkeys(Lane, 0)
        self._renewing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start the workers."""
        for bench in await asyncio.gather(*(Bench.open() for _ in range(self._workers))):
            self._take_in(bench)

    async def close(self) -> None:
        """End them; nobody may be waiting for one."""
        for task in self._renewing:
            task.cancel()
        await asyncio.gather(*self._renewing, return_exceptions=True)
        for bench in self._benches:
            await bench.end()

    async def run(self, script: str, uplink: Forwarded) -> Forwarded | Reason:
        """The uplink with the object that the script made of it, or why it is rejected."""
        conduct = self._scripts[script]
        if self._clock.monotonic() < conduct.suspended_until:
            self._facts.count("script not run")
            return Reason.SCRIPT_STOPPED
        at = self._clock.now() if uplink.network_at is None else uplink.network_at
        task = _task(conduct, uplink.f_port, uplink.data, at // 1000)
        answer = await self._done(conduct, task, judged=True)
        if answer.fault is Fault.SUSPENDED:
            self._facts.count("script not run")
        if answer.fault in LIMITS:
            return Reason.SCRIPT_STOPPED
        if answer.warnings:
            self._facts.count("script warned")
        if answer.object is None or answer.errors:
            return Reason.UNDECODABLE
        return uplink.decoded(answer.object)

    async def load(self, script: str) -> Answer:
        """Read it, and run nothing of it but its outermost lines."""
        return await self._done(self._scripts[script], Task(self._scripts[script].digest))

    async def ask(self, script: str, f_port: int, data: bytes, received_ms: int) -> Answer:
        """What a script makes of a payload, without a judgement of it."""
        conduct = self._scripts[script]
        return await self._done(conduct, _task(conduct, f_port, data, received_ms))

    async def _done(self, conduct: Conduct, task: Task, *, judged: bool = False) -> Answer:
        """The answer; the second one where a first was no answer of the script's for sure."""
        lane = conduct.lane(self._clock.monotonic())
        task.brief = lane is not Lane.SLOW
        doubtful = _TOO_BRIEF if task.brief else _BY_CHANCE
        answer = await self._once(conduct, task, lane, doubtful, judged=judged)
        if answer.fault not in doubtful:
            return answer
        if answer.fault not in _BY_CHANCE:
            conduct.slow(self._clock.monotonic())
        task.brief = False
        return await self._once(conduct, task, Lane.SLOW, frozenset(), judged=judged)

    async def _once(
        self, conduct: Conduct, task: Task, lane: Lane, doubtful: frozenset[Fault], *, judged: bool
    ) -> Answer:
        bench = await self._turn(conduct, lane)
        if bench is None:
            return Answer(fault=Fault.SUSPENDED)
        try:
            deadline_s = self._deadline_s * (_BRIEF if task.brief else 1.0)
            answer = await bench.ask(task, conduct.text, deadline_s)
            if judged and answer.fault not in doubtful:
                self._judge(conduct, answer)
            return answer
        finally:
            self._return(conduct, lane, bench)

    async def _turn(self, conduct: Conduct, lane: Lane) -> Bench | None:
        """A worker; None where the script was suspended meanwhile."""
        turn: asyncio.Future[Bench | None] = asyncio.get_running_loop().create_future()
        self._turns.setdefault((lane, str(conduct.file)), deque()).append(turn)
        self._assign()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and (bench := turn.result()) is not None:
                self._return(conduct, lane, bench)
            raise

    def _return(self, conduct: Conduct, lane: Lane, bench: Bench) -> None:
        conduct.running = False
        self._running[lane] -= 1
        self._leave(bench)

    def _assign(self) -> None:
        """Give idle workers to those whose turn it is; who had one goes to the end."""
        for bench in [
            bench for bench in self._idle if bench.dead
        ]:  # killed while it had nothing to do
            self._idle.remove(bench)
            bench.spoilt = True
            self._leave(bench)
        while self._idle and self._assigned():
            pass

    def _assigned(self) -> bool:
        """Whether one of those who wait could have an idle worker; who costs less comes first."""
        for lane in Lane:
            if not self._free(lane):
                return False
            for key in [key for key in self._turns if key[0] is lane]:
                waiting, conduct = self._turns[key], self._scripts[key[1]]
                while waiting and waiting[0].cancelled():
                    waiting.popleft()
                if waiting and conduct.running:
                    continue
                del self._turns[key]
                if not waiting:
                    continue
                turn = waiting.popleft()
                if waiting:
                    self._turns[key] = waiting
                conduct.running = True
                self._running[lane] += 1
                turn.set_result(self._idle.pop())
                return True
        return False

    def _free(self, lane: Lane) -> bool:
        """Whether those of a lane may have one worker more."""
        if lane is Lane.KNOWN:
            return True
        if lane is Lane.SLOW and self._running[lane]:
            return False
        return self._running[Lane.NEW] + self._running[Lane.SLOW] < self._workers - 1

    def _take_in(self, bench: Bench) -> None:
        self._benches.add(bench)
        self._idle.append(bench)
        self._assign()

    def _leave(self, bench: Bench) -> None:
        """A worker is free again, or another one is started in its place."""
        if not bench.spoilt:
            self._idle.append(bench)
            self._assign()
            return
        self._benches.discard(bench)
        renewing = asyncio.create_task(self._renew(), name="script worker")
        self._renewing.add(renewing)
        renewing.add_done_callback(self._renewing.discard)

    async def _renew(self) -> None:
        tries = 0
        while True:
            try:
                self._take_in(await Bench.open())
                break
            except OSError as error:
                self._facts.note(
                    "script worker not started",
                    f"A process for vendors' scripts cannot be started ({error.strerror}): their "
                    "uplinks wait for the others",
                    logging.ERROR,
                )
            await asyncio.sleep(PATIENCE_S[min(tries, len(PATIENCE_S) - 1)])
            tries += 1
        self._facts.over("script worker not started")

    def _judge(self, conduct: Conduct, answer: Answer) -> None:
        suspended = conduct.judge(answer, self._clock.monotonic())
        if answer.fault is None:
            return
        where = conduct.file.name if answer.line is None else f"{conduct.file.name}:{answer.line}"
        if answer.fault not in LIMITS:
            self._facts.note(
                "script failed",
                f"{where} made nothing of a payload, which is rejected: {answer.fault.value}",
                logging.WARNING,
                about=conduct.digest,
            )
            return
        self._facts.note(
            "script stopped",
            f"{where} was stopped, and the uplink rejected: {answer.fault.value}",
            logging.WARNING,
            about=conduct.digest,
        )
        if suspended:
            for lane in Lane:
                for turn in self._turns.pop((lane, str(conduct.file)), ()):
                    if not turn.done():
                        turn.set_result(None)
            self._facts.note(
                "script suspended",
                f"{conduct.file} was stopped {STRIKES} times, and seldom ended well between. Its uplinks are "
                f"rejected for {SUSPENDED_S:g} s, then it may try again; ask its vendor for another",
                logging.ERROR,
                about=conduct.digest,
            )


def _task(conduct: Conduct, f_port: int, data: bytes, received_ms: int) -> Task:
    return Task(conduct.digest, None, f_port, data.hex(), received_ms, conduct.fresh)
