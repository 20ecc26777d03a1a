"""Vendors' scripts before the queue, for doors where many devices speak on one connection."""

import asyncio
from collections.abc import Callable
from functools import partial

from gateway.interfaces import Scripts
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Route
from gateway.pipeline.sorting import Item


class Scripting:
    """The scripts of one connection's uplinks: each runs beside everything else, one device's in order.

    Args:
        scripts: runs them; None where no codec is one.
    """

    __slots__ = ("_running", "_scripts")

    def __init__(self, scripts: Scripts | None) -> None:
        self._scripts = scripts
        self._running: dict[DeviceId, asyncio.Task[None]] = {}

    def start(
        self,
        route: Route,
        uplink: Payload,
        then: Callable[[Item], None],
        failed: Callable[[], None],
    ) -> None:
        """Run a route's script.

        Args:
            then: gets the item with what it made of the uplink, or why it is rejected.
            failed: told that the run ended in an error of ours: the uplink must not be acknowledged.
        """
        if self._scripts is None or not isinstance(uplink, Forwarded):
            then((Reason.NO_CODEC, uplink))
            return
        device = route.device.device
        running = self._run(self._scripts, route, uplink, then, self._running.get(device))
        task = asyncio.create_task(running, name="script of a forwarded uplink")
        self._running[device] = task
        task.add_done_callback(partial(self._ran, device, failed))

    @property
    def busy(self) -> bool:
        """Whether any runs just now."""
        return bool(self._running)

    def cancel(self) -> None:
        """Nobody waits for them any more."""
        for task in self._running.values():
            task.cancel()

    async def _run(
        self,
        scripts: Scripts,
        route: Route,
        uplink: Forwarded,
        then: Callable[[Item], None],
        before: "asyncio.Task[None] | None",
    ) -> None:
        """Run it at once, and go on behind what came from the same device before."""
        made = await scripts.run(route.script, uplink)
        if before is not None:
            await before
        then((made, uplink) if isinstance(made, Reason) else (route, made))

    def _ran(
        self, device: DeviceId, failed: Callable[[], None], task: "asyncio.Task[None]"
    ) -> None:
        if self._running.get(device) is task:
            del self._running[device]
        if not task.cancelled() and task.exception() is not None:
            failed()
