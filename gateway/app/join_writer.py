"""Joins on their way into `registry.db`: beside the event loop, one after another."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from gateway.lorawan.joining import Root
from gateway.pipeline.attempt import attempt
from gateway.pipeline.notebook import Done
from gateway.telemetry import Facts

Write = Callable[[str, list[int], int], None]
"""device, its DevNonces, its last JoinNonce → on disk; raises where they are not."""


class JoinWriter:
    """Those of one run.

    Args:
        write: what does it; in a thread.
    """

    def __init__(self, write: Write, facts: Facts) -> None:
        self._write = write
        self._facts = facts
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def remember(self, root: Root, done: Done) -> None:
        """Write a join down; `done` is told whether it is on disk, whatever happens."""
        task = asyncio.create_task(self._carry(root, done), name="join")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for those that are on their way."""
        await asyncio.gather(*self._tasks)

    async def _carry(self, root: Root, done: Done) -> None:
        nonces, join_nonce = sorted(root.nonces), root.join_nonce
        try:
            async with self._turn:
                await asyncio.to_thread(self._write, root.device, nonces, join_nonce)
        except Exception:  # noqa: BLE001 the disk, or a fault of ours: its text may hold a nonce
            self._facts.note(
                "lorawan: join not written",
                "A LoRaWAN device's join could not be written into registry.db: it is not answered, and asks again",
                logging.ERROR,
            )
            written = False
        else:
            written = True
        attempt(self._facts, partial(done, written))
