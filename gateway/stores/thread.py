"""A thread beside the event loop, for calls that wait for a disk: one at a time, in order of asking."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class DiskThread:
    """One thread. It costs a batch a third of what an executor's two futures and their locks do."""

    def __init__(self, name: str) -> None:
        self._asked: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = (
            SimpleQueue()
        )
        Thread(target=self._run, name=name, daemon=True).start()

    async def do(self, call: Callable[[], T]) -> T:
        """What the call returns or raises. It is made even if nobody waits for it any more."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.put((future, call))
        return await future

    def end(self) -> None:
        """End the thread once what was asked for is done."""
        self._asked.put(None)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            future, call = asked
            try:
                answer, error = call(), None
            except BaseException as fault:  # noqa: BLE001 it is raised where it was asked for
                answer, error = None, fault
            try:
                future.get_loop().call_soon_threadsafe(_tell, future, answer, error)
            except RuntimeError:  # the loop is closed: nobody is there to be told
                return
            del asked, future, call, answer, error  # a batch is not to live on in an idle thread


def _tell(future: asyncio.Future[Any], answer: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)
