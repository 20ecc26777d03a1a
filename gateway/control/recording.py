"""Recordings of what arrives, for whoever asks over the control socket; one at a time, and never in the way."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from secrets import token_bytes
from typing import Any

from gateway.clock import Clock
from gateway.devices.catalog import catalog
from gateway.model.device import Device
from gateway.model.errors import Refusal
from gateway.pipeline.process import Process
from gateway.pipeline.tape import Tape

_KEPT = 100_000
"""Lines that whoever records may lag behind before some are left out, and counted."""


class Recordings:
    """Answers → {"ask": "record", "kinds": [...], "devices": [...], "refused": false}.

    Args:
        devices: those that are registered now.
        people: whether rows about people are written: in SIM and REPLAY directories alone. Elsewhere a row
            that appears says that its uplink was not suppressed (decisions 3), and no guardian has
            agreed to a cassette.
    """

    def __init__(
        self, process: Process, clock: Clock, devices: Callable[[], Iterable[str]], people: bool
    ) -> None:
        self._process = process
        self._clock = clock
        self._devices = devices
        self._people = people

    def open(self, question: Mapping[str, Any]) -> "Recording":
        """Begin to record.

        Raises:
            Refusal: another recording runs, or the question names what is not here.
        """
        if self._process.tape is not None:
            raise Refusal("Another recording runs on this gateway: let it end first.")
        kinds, devices = (_names(question.get(word, [])) for word in ("kinds", "devices"))
        unknown = kinds - set(catalog())
        if unknown:
            raise Refusal(f"This gateway knows no kind {min(unknown)}.")
        strangers = devices - set(self._devices())
        if strangers:
            raise Refusal(f"No device {min(strangers)} is registered here: sekisho devices list.")
        queue: asyncio.Queue[bytes] = asyncio.Queue(_KEPT)

        def put(line: bytes) -> bool:
            if queue.full():
                return False
            queue.put_nowait(line + b"\n")
            return True

        def wanted(device: Device) -> bool:
            return (not kinds or device.kind in kinds) and (not devices or device.device in devices)

        tape = Tape(
            put,
            token_bytes(32),
            self._clock.now(),
            people=self._people,
            refused=question.get("refused") is True,
            wanted=wanted,
        )
        self._process.tape = tape
        return Recording(self._process, tape, queue)


class Recording:
    """A recording that runs; see `gateway.control.window.Stream`."""

    def __init__(self, process: Process, tape: Tape, queue: asyncio.Queue[bytes]) -> None:
        self._process = process
        self._tape = tape
        self._queue = queue

    async def next(self) -> bytes:
        return await self._queue.get()

    def end(self) -> list[bytes]:
        """What was not handed out yet, and the last line."""
        self._process.tape = None
        left = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        return [*left, self._tape.end() + b"\n"]


def _names(given: object) -> frozenset[str]:
    """Raises `Refusal` where this is no list of names."""
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise Refusal("A list of names is expected.")
    return frozenset(given)
