"""One worker process, seen from the gateway: which trusts nothing that it says, and ends it where it must."""

import asyncio
import contextlib
import sys
from errno import ECHILD
from pathlib import Path

import msgspec

import gateway
from gateway.scripts.messages import HEAD, LARGEST_ANSWER, Answer, Fault, Task, framed

_ROOT = Path(gateway.__file__).parents[1]
_READY_S = 30.0
_ANSWER = msgspec.json.Decoder(Answer)


class Bench:
    """Made by `Bench.open`.

    Attributes:
        spoilt: it was ended, and another one must take its place.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._known: set[str] = set()
        self.spoilt = False

    @classmethod
    async def open(cls) -> "Bench":
        """Start a worker: apart from our terminal's signals, our settings and our log; when it is ready.

        Raises:
            OSError: it cannot be started, or ends at once.
        """
        bench = cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.scripts.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LARGEST_ANSWER + HEAD,
                start_new_session=True,
                env={"PYTHONPATH": str(_ROOT)},
            )
        )
        try:
            await asyncio.wait_for(bench._answer(), _READY_S)
        except (EOFError, TimeoutError, ValueError):
            await bench.end()
            raise ChildProcessError(ECHILD, "it is not ready in time, or ends at once") from None
        except asyncio.CancelledError:
            await bench.end()
            raise
        return bench

    @property
    def dead(self) -> bool:
        """Whether its process has ended, as far as anybody has told."""
        return self._process.returncode is not None

    async def ask(self, task: Task, text: str, deadline_s: float) -> Answer:
        """Have one task done; a worker that does not answer as it should is killed.

        Args:
            text: the script, which goes along only the first time.
            deadline_s: by our own clock, whatever the worker's limits are.
        """
        task.text = None if task.digest in self._known else text
        self._known.add(task.digest)
        try:
            return await asyncio.wait_for(self._exchange(task), deadline_s)
        except (EOFError, ConnectionError, RuntimeError):  # uvloop's word for a closed pipe
            fault = Fault.DIED
        except (TimeoutError, ValueError):  # msgspec's errors are ValueErrors
            fault = Fault.HUNG
        await self.end()
        return Answer(fault=fault)

    async def _exchange(self, task: Task) -> Answer:
        asked = self._process.stdin
        assert asked is not None
        asked.write(framed(task))
        await asked.drain()
        return await self._answer()

    async def _answer(self) -> Answer:
        answered = self._process.stdout
        assert answered is not None
        length = int.from_bytes(await answered.readexactly(HEAD), "big")
        if length > LARGEST_ANSWER:
            raise ValueError("longer than any answer")
        return _ANSWER.decode(await answered.readexactly(length))

    async def end(self) -> None:
        """Kill it; it has nothing that is worth keeping."""
        self.spoilt = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
