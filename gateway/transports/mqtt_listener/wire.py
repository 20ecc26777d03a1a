"""The socket's side of a connection: whether it is read, how long it may be silent, what is written."""

import asyncio
from typing import Protocol, cast

from gateway.clock import Clock
from gateway.transports.mqtt_listener.limits import Limits
from gateway.transports.mqtt_listener.pressure import Pressure
from gateway.wire.mqtt.codes import Code


class House(Protocol):
    """What the socket's side asks of the door."""

    limits: Limits
    clock: Clock

    @property
    def crowded(self) -> bool:
        """Whether so much waits in all that nobody is to be read."""
        ...


class Wire(asyncio.Protocol):
    """One TCP or TLS connection.

    Attributes:
        last_heard: on the door's monotonic clock, seconds.
        silence_s: how long it may say nothing.
    """

    __slots__ = ("_clock", "_house", "_pressure", "_transport", "last_heard", "silence_s")

    def __init__(self, house: House) -> None:
        self._house = house
        self._clock = house.clock
        self._transport: asyncio.Transport | None = None
        self._pressure = Pressure(house.limits)
        self.last_heard = house.clock.monotonic()
        self.silence_s = house.limits.connect_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None

    def pause_writing(self) -> None:
        self._pressure.writable = False
        self.throttle()

    def resume_writing(self) -> None:
        self._pressure.writable = True
        self.throttle()

    def throttle(self) -> None:
        """Read, or stop reading, this connection alone, by what weighs on it."""
        pressure = self._pressure
        wanted = pressure.may_read(self._house.crowded)
        if wanted is pressure.reading or self._transport is None or self._transport.is_closing():
            return
        pressure.reading = wanted
        if wanted:
            self.last_heard = self._clock.monotonic()  # it could not be heard meanwhile
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def expire(self) -> None:
        """It was silent too long (§3.1.2.10): end it, unless it is we who do not read.

        A peer that does not read its answers is not read either; its silence is its own, and so it is where
        it does not even take its goodbye.
        """
        ours = self.is_open() and self._pressure.is_ours(self._house.crowded)
        if ours:
            return
        if self._pressure.writable and self.is_open():
            self.end(Code.KEEP_ALIVE_TIMEOUT)
        elif self._transport is not None:
            self._transport.abort()

    def hush(self) -> None:
        """Read nothing more; what was read is still acknowledged."""
        self._pressure.hushed = True
        self.throttle()

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def shut(self) -> None:
        """Close once what was written has left."""
        if self._transport is not None:
            self._transport.close()

    def is_open(self) -> bool:
        """Whether anything that is written still leaves."""
        return self._transport is not None and not self._transport.is_closing()

    def end(self, reason: Code) -> None:
        """Say why, where the other side can be told, and close."""
        raise NotImplementedError
