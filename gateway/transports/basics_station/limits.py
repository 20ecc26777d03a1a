"""How much a station may ask of the door."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StationLimits:
    """Bounds of one door.

    Attributes:
        message_bytes: largest message taken; stations stay below 1 KiB.
        rate: messages a second of one station before it is read more slowly; as many may come at once.
        asking: connections at a time that ask where to go.
        asking_s: within which they must have asked, and within which a station must say what it is.
        heartbeat_s: between two pings on a silent line; one that answers none is dead.
        waiting: downlinks of one station that it has not told of yet.
        patience_s: how long after RX2 a station is waited for to tell.
        connections: at a time.
        silent: of those, whose request has not come, which has `asking_s`.
    """

    message_bytes: int = 16_384
    rate: float = 200.0
    asking: int = 512
    asking_s: float = 10.0
    heartbeat_s: float = 30.0
    waiting: int = 64
    patience_s: float = 3.0
    connections: int = 8192
    silent: int = 256
