"""The control socket of a gateway, without the gateway."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gateway.control.feed import LiveFeed
from gateway.control.window import Window
from gateway.model.instant import Instant
from gateway.statedir import StateDir
from gateway.telemetry import Facts, Tally


@contextmanager
def answering(
    state: StateDir, **words: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Iterator[None]:
    """Whoever asks `state`'s socket for one of these words hears what its function says."""
    opened, left = threading.Event(), threading.Event()

    async def serve() -> None:
        window = Window(state.socket, Tally(), Facts(), LiveFeed(personal=True), exact=True)
        for word, say in words.items():

            async def tell(
                question: Mapping[str, Any],
                say: Callable[[Mapping[str, Any]], Mapping[str, Any]] = say,
            ) -> Mapping[str, Any]:
                return say(question)

            window.answer(word, tell)
        await window.open()
        opened.set()
        await asyncio.to_thread(left.wait)
        await window.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert opened.wait(10)
        yield
    finally:
        left.set()
        thread.join()


@contextmanager
def simulated_time(state: StateDir, now: Instant) -> Iterator[None]:
    """Whoever asks `state`'s socket for the clock hears that it is `now`."""
    with answering(state, clock=lambda _question: {"now_us": now}):
        yield
