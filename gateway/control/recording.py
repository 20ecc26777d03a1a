"""Recordings of what arrives, for whoever asks over the control socket; one at a time, and never in the way."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from secrets import token_bytes
from typing import Any

from gateway.clock import Clock
from gateway.devices.catalog import catalog
from gateway.model.device import Device
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.pipeline.process import Process
from gateway.pipeline.tape import Tape
from gateway.wire import cassette

_KEPT = 8 << 20
"""Bytes that whoever records may lag behind before lines are left out, and counted."""

_AT_ONCE = 1 << 18
"""Bytes handed out at a time, about."""

_ACCEPTED = json.dumps({"cassette": cassette.VERSION}).encode() + b"\n"
"""The first answer: the recording runs, and the lines of a cassette of this version follow."""


class Recordings:
    """Answers → {"ask": "record", "kinds": [...], "devices": [...], "refused": false}.

    Args:
        devices: those that are registered now.
        people: whether rows about people are written: in SIM directories alone. Elsewhere a row that appears
            says that its uplink was not suppressed (decisions 3), and no guardian has agreed to a cassette.
    """

    def __init__(
        self,
        process: Process,
        clock: Clock,
        devices: Callable[[], Mapping[DeviceId, Device]],
        people: bool,
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
        self._refuse_nothing(kinds, devices)
        queue = _Queue()

        def wanted(device: Device) -> bool:
            return (not kinds or device.kind in kinds) and (not devices or device.device in devices)

        tape = Tape(
            queue.put,
            token_bytes(32),
            self._clock.now(),
            people=self._people,
            refused=question.get("refused") is True,
            wanted=wanted,
        )
        self._process.tape = tape
        return Recording(self._process, tape, queue)

    def _refuse_nothing(self, kinds: frozenset[str], devices: frozenset[str]) -> None:
        """Raises `Refusal` where the question names what is not here, or what is never recorded."""
        known, registered = catalog(), self._devices()
        unknown = kinds - set(known)
        if unknown:
            raise Refusal(f"This gateway knows no kind {min(unknown)}.")
        strangers = devices - set(registered)
        if strangers:
            raise Refusal(f"No device {min(strangers)} is registered here: sekisho devices list.")
        theirs = {registered[DeviceId(name)].kind for name in devices}
        meant = theirs & kinds if theirs and kinds else theirs | kinds
        if theirs and not meant:
            raise Refusal(
                "Nothing would be recorded: none of these devices is of these kinds. Leave --kind or --device out."
            )
        if meant and not self._people and all(_personal(kind) for kind in meant):
            raise Refusal(
                f"Nothing would be recorded of {', '.join(sorted(meant))}: of people it is in SIM "
                "directories alone, where nobody is real. Name things of the city, or record there."
            )


class _Queue:
    """Lines that wait to be handed out, `_KEPT` bytes at most."""

    def __init__(self) -> None:
        self._lines = deque((_ACCEPTED,))
        self._bytes = len(_ACCEPTED)
        self._filled = asyncio.Event()
        self._filled.set()

    def put(self, line: bytes) -> bool:
        """Take a line; False where there is no room."""
        size = len(line) + 1
        if self._bytes + size > _KEPT:
            return False
        self._lines.append(line + b"\n")
        self._bytes += size
        self._filled.set()
        return True

    async def next(self) -> bytes:
        """What is there, as soon as there is something: `_AT_ONCE` bytes and the rest of a line at most."""
        await self._filled.wait()
        return self.taken(_AT_ONCE)

    def taken(self, size: int = _KEPT) -> bytes:
        """The first lines, until they have so many bytes."""
        before, lines = self._bytes, []
        while self._lines and before - self._bytes < size:
            lines.append(self._lines.popleft())
            self._bytes -= len(lines[-1])
        if not self._lines:
            self._filled.clear()
        return b"".join(lines)


class Recording:
    """A recording that runs; see `gateway.control.window.Stream`."""

    def __init__(self, process: Process, tape: Tape, queue: _Queue) -> None:
        self._process = process
        self._tape = tape
        self._queue = queue

    async def next(self) -> bytes:
        return await self._queue.next()

    def end(self) -> bytes:
        """What was not handed out yet, and the last line."""
        self._process.tape = None
        return self._queue.taken() + self._tape.end() + b"\n"


def _personal(kind: str) -> bool:
    known = catalog().get(kind)
    return known is None or known.personal


def _names(given: object) -> frozenset[str]:
    """Raises `Refusal` where this is no list of names."""
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise Refusal("A list of names is expected.")
    return frozenset(given)
