"""One command as it waits: its record on disk, what may become of it, and who may hear it."""

import struct
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, Self

from gateway.model.identity import DeviceId
from gateway.model.instant import Instant
from gateway.sessions.file import PUT_COMMAND, Change
from gateway.sessions.names import SIZE, Names

LARGEST = 1024
"""Bytes of a command."""

_RECORD = struct.Struct(f">{SIZE}s{SIZE}sQQH{LARGEST}s")
"""Device, session it was sent to, made, expires, length, payload: the same size for every command."""

NOBODY = bytes(SIZE)
"""In place of a session: it was sent to none yet."""


BY_RADIO = b"\1" * SIZE
"""In place of a session: for a LoRaWAN device, which takes it along with its next uplink."""

ASKED_BY_RADIO = b"\2" * SIZE
"""The same, once it was sent and the device was asked to confirm it."""


class Outcome(StrEnum):
    """What became of a command that waits no more; the words that `sekisho command` prints."""

    ACKNOWLEDGED = "acknowledged by the device"
    SENT = "handed to the device, which subscribed without acknowledgements (QoS 0)"
    REFUSED = "refused by the device"
    BROADCAST = "sent by a forwarder, to a device that was not asked to confirm it"
    UNTOLD = "handed to a forwarder that did not tell whether it was sent; it is not sent again"
    TOO_LARGE = "refused because the device takes no packet of that size"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Command:
    """One command that waits.

    Attributes:
        number: its row; the packet identifier follows from it, so that it is the same on each connection.
        made, expires: our clock.
        sent_to: keyed name of the session that it was sent to; zeros = to none yet.
        ready: whether it is on disk.
        listener: the connection on which it is just now.
        settled: who wants to know what becomes of it.
    """

    __slots__ = (
        *("device", "expires", "listener", "made", "number", "payload", "ready", "sent_to"),
        "settled",
    )

    def __init__(
        self,
        number: int,
        device: bytes,
        made: Instant,
        expires: Instant,
        payload: bytes,
        sent_to: bytes = NOBODY,
    ) -> None:
        self.number = number
        self.device = device
        self.made = made
        self.expires = expires
        self.payload = payload
        self.sent_to = sent_to
        self.ready = False
        self.listener: Listener | None = None
        self.settled: list[Callable[[Outcome], None]] = []

    def __repr__(self) -> str:
        return f"<command {self.number}, {len(self.payload)} bytes>"

    @classmethod
    def unsealed(cls, names: Names, number: int, sealed: bytes) -> Self | None:
        """A command from its row; None if it was sealed under another key."""
        record = names.unseal(sealed, _place(number))
        if record is None:
            return None
        device, sent_to, made, expires, length, payload = _RECORD.unpack(record)
        command = cls(number, device, made, expires, payload[:length], sent_to)
        command.ready = True
        return command

    def put(self, names: Names) -> Change:
        """Its row as it is to be written."""
        fixed = (self.device, self.sent_to, self.made, self.expires)
        record = _RECORD.pack(*fixed, len(self.payload), self.payload)
        return PUT_COMMAND, (self.number, names.seal(record, _place(self.number)))

    @property
    def by_radio(self) -> bool:
        """Whether it is for a LoRaWAN device."""
        return self.sent_to in (BY_RADIO, ASKED_BY_RADIO)

    @property
    def packet_id(self) -> int:
        """§2.2.1: 1 to 65535."""
        return (self.number - 1) % 0xFFFF + 1


class Listener(Protocol):
    """A connection that subscribed to commands of a device."""

    @property
    def session(self) -> bytes:
        """The keyed name of its session."""
        ...

    @property
    def remembered(self) -> bool:
        """Whether its session outlives it."""
        ...

    def fits(self, device: DeviceId, payload: bytes) -> bool:
        """Whether it takes a packet of that size (§3.1.2.11.4)."""
        ...

    def reserve(self, command: Command) -> bool:
        """Keep room for it among those that are on their way (§3.3.4); False where there is none."""
        ...

    def release(self, command: Command) -> None:
        """It is not sent after all."""

    def acknowledges(self, device: DeviceId) -> bool:
        """Whether it subscribed at QoS 1."""
        ...

    def send(self, device: DeviceId, command: Command, expires_s: int, *, again: bool) -> None:
        """Publish it."""
        ...


def _place(number: int) -> bytes:
    return b"command" + number.to_bytes(8, "big")
