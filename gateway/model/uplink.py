"""What a door hands over: uplinks of known senders, still in bytes, and the receipts they wait for."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias

from gateway.model.device import Device
from gateway.model.forwarded import Forwarded
from gateway.model.instant import Instant
from gateway.model.reason import Reason

Payload: TypeAlias = bytes | Forwarded
"""What a device of ours sent itself, or what somebody else's network server passed on."""

Decode: TypeAlias = Callable[[Any, Device], tuple[Any, Instant | None, int | None]]
"""payload (of the one form that its route takes), device → the kind's document, the device's own time,
its counter."""


def weight(payload: Payload) -> int:
    """Bytes that it weighs on a queue: of a forwarded uplink, the whole document it came in."""
    return len(payload) if isinstance(payload, bytes) else payload.size


class Route:
    """Where a topic or an EUI leads: the device that speaks there, and how its payloads are decoded.

    Attributes:
        script: the vendor's codec that a forwarded uplink goes through first; "" for none.
    """

    __slots__ = ("decode", "device", "kind", "script")

    def __init__(self, device: Device, kind: str, decode: Decode, script: str = "") -> None:
        self.device = device
        self.kind = kind
        self.decode = decode
        self.script = script


class Uplinks:
    """Uplinks of one sender that arrived together, and the way to acknowledge them.

    Attributes:
        origin: the credential's origin, "own" or "simulated".
        received_at: our clock when the chunk arrived.
        items: (route, payload); or (Reason, payload) where the door already knows that the sender
            may not speak there.
        settle: called once, after the commit and not before, with item index → reason of every
            rejected item; acknowledges all of them in order of arrival.
    """

    __slots__ = ("items", "origin", "received_at", "settle")

    def __init__(
        self,
        origin: str,
        received_at: Instant,
        items: Sequence[tuple[Route | Reason, Payload]],
        settle: Callable[[dict[int, Reason]], None],
    ) -> None:
        self.origin = origin
        self.received_at = received_at
        self.items = items
        self.settle = settle

    def __repr__(self) -> str:
        return f"<{len(self.items)} uplinks>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("raw uplinks are never serialised")


class Receiver(Protocol):
    """Where doors put uplinks: the intake."""

    def put(self, sender: object, uplinks: Uplinks) -> None:
        """Queue the uplinks of `sender`; order is kept per sender, senders take turns."""
        ...
