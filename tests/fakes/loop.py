"""An event loop in which sleeping costs no time: when everybody waits, its clock goes ahead by itself."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar
from unittest.mock import patch

from gateway.model.instant import SECOND, Instant
from gateway.stores.thread import DiskThread
from tests.fakes.readings import NOON

Result = TypeVar("Result")

_PATIENCE_S = 20_000.0
"""No test's story takes longer."""

_THREAD_S = 10.0
"""Real time that a thread may take."""


class _Impatient(selectors.DefaultSelector):
    """Looks for events at once; where there are none, says how long would have been waited."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or (timeout > 0 and self.loop.at_work):
            found = super().select(_THREAD_S)  # a thread is at work: it wakes us
            if not found:
                raise TimeoutError("nobody is at work, and nothing will ever happen")
            return found
        found = super().select(0)
        if not found and timeout > 0:
            self.loop.seconds += timeout
            if self.loop.seconds > self.loop.end:
                self.loop.end += _PATIENCE_S
                raise TimeoutError("nothing has happened for hours: somebody waits for ever")
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Satisfies `gateway.clock.Clock` too.

    Attributes:
        seconds: its time, which moves only by what is slept.
    """

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.end = self.seconds + _PATIENCE_S
        self.at_work = 0
        selector = _Impatient()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        """No time passes while a thread is at work."""
        future = super().run_in_executor(executor, func, *args)
        self.at_work += 1
        future.add_done_callback(self._rested)
        return future

    def _rested(self, _future: object) -> None:
        self.at_work -= 1

    @contextmanager
    def _seeing_the_disk(self) -> Iterator[None]:
        """Nor while the store's thread is."""
        do = DiskThread.do

        async def seen(thread: DiskThread, call: Callable[[], Result]) -> Result:
            self.at_work += 1
            try:
                return await do(thread, call)
            finally:
                self.at_work -= 1

        with patch.object(DiskThread, "do", seen):
            yield

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> Instant:
        return NOON + int((self.seconds - 1000.0) * SECOND)

    def run(self, main: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end, and leave no task behind."""
        with self._seeing_the_disk(), asyncio.Runner(loop_factory=lambda: self) as runner:
            return runner.run(main)


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test whose sleeping costs no time; innermost of its decorators."""

    @wraps(test)
    def run(*given: Any, **named: Any) -> None:
        VirtualLoop().run(test(*given, **named))

    return run
