"""Scripts by uplink: whose turn it is at which worker, and what becomes of those that cost too much.

One script never has all workers, and all suspects together never have all: whatever they do, a worker is
free for the others. Among the scripts that wait, each has its turn.
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
from gateway.scripts.conduct import SUSPENDED_S, Conduct
from gateway.scripts.messages import LIMITS, Answer, Fault, Task
from gateway.telemetry import Facts

WORKERS = 2

DEADLINE_S = 2.0
"""For one answer, by our own clock: twenty times what its limit of CPU time is, for a machine that is busy."""


class Workshop:
    """Implements `gateway.interfaces.Scripts`.

    Args:
        scripts: all that may be run.
        workers: processes, two at least.
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
        self._most = workers - 1
        self._workers = workers
        self._deadline_s = deadline_s
        self._idle: list[Bench] = []
        self._benches: set[Bench] = set()
        self._turns: dict[tuple[str, bool], deque[asyncio.Future[Bench]]] = {}
        self._suspects = 0
        self._renewing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start the workers."""
        for _ in range(self._workers):
            self._take_in(await Bench.open())

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
        answer = await self.ask(script, uplink.f_port, uplink.data, at // 1000)
        self._judge(conduct, answer)
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
        return await self._done(
            conduct, Task(conduct.digest, None, f_port, data.hex(), received_ms, conduct.fresh)
        )

    async def _done(self, conduct: Conduct, task: Task) -> Answer:
        """The answer; where the worker died under it, a second one's: it may have been killed from outside."""
        answer = await self._once(conduct, task)
        return await self._once(conduct, task) if answer.fault is Fault.DIED else answer

    async def _once(self, conduct: Conduct, task: Task) -> Answer:
        suspect = conduct.suspect(self._clock.monotonic())
        bench = await self._turn(conduct, suspect=suspect)
        try:
            return await bench.ask(task, conduct.text, self._deadline_s)
        finally:
            conduct.running -= 1
            self._suspects -= suspect
            self._leave(bench)

    async def _turn(self, conduct: Conduct, *, suspect: bool) -> Bench:
        turn: asyncio.Future[Bench] = asyncio.get_running_loop().create_future()
        key = str(conduct.file), suspect
        self._turns.setdefault(key, deque()).append(turn)
        self._assign()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                conduct.running -= 1
                self._suspects -= suspect
                self._leave(turn.result())
            raise

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
        """Whether one of those who wait could have an idle worker."""
        for key, waiting in list(self._turns.items()):
            while waiting and waiting[0].cancelled():
                waiting.popleft()
            name, suspect = key
            conduct = self._scripts[name]
            full = conduct.running >= self._most or (suspect and self._suspects >= self._most)
            if waiting and full:
                continue
            del self._turns[key]
            if not waiting:
                continue
            turn = waiting.popleft()
            if waiting:
                self._turns[key] = waiting
            conduct.running += 1
            self._suspects += suspect
            turn.set_result(self._idle.pop())
            return True
        return False

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
            self._facts.note(
                "script suspended",
                f"{conduct.file} was stopped {conduct.strikes} times in a row. Its uplinks are rejected "
                f"for {SUSPENDED_S:g} s, then it may try again; ask its vendor for another",
                logging.ERROR,
                about=conduct.digest,
            )
