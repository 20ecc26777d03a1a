"""The control socket of a gateway in simulated time, without the gateway."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gateway.control.feed import LiveFeed
from gateway.control.window import Window
from gateway.model.instant import Instant
from gateway.statedir import StateDir
from gateway.telemetry import Facts, Tally


@contextmanager
def simulated_time(state: StateDir, now: Instant) -> Iterator[None]:
    """Whoever asks `state`'s socket for the clock hears that it is `now`."""
    opened, left = threading.Event(), threading.Event()

    async def serve() -> None:
        async def tell(_question: Mapping[str, Any]) -> Mapping[str, Any]:
            return {"now_us": now}

        window = Window(state.socket, Tally(), Facts(), LiveFeed(personal=True), exact=True)
        window.answer("clock", tell)
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
