"""One worker process, seen from the gateway: which trusts nothing that it says, and ends it where it must."""

import asyncio
import contextlib
import sys
from pathlib import Path

import msgspec

import gateway
from gateway.scripts.messages import HEAD, LARGEST_ANSWER, Answer, Fault, Task, framed

_ROOT = Path(gateway.__file__).parents[1]
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
        """Start a worker: apart from our terminal's signals, our settings and our log."""
        return cls(
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
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(framed(task))
        await asked.drain()
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
