"""One client's session in memory: what MQTT calls its state (§4.1), and who is connected as it now."""

from typing import Protocol


class Holder(Protocol):
    """The connection that goes on with a session."""

    def give_way(self) -> None:
        """Another connection of the same client has come: end this one."""
        ...

    def answer_received(self, answers: bytes, ended: int) -> None:
        """Send what is due for publishes that came on an earlier connection; `ended` exchanges are over."""
        ...


class Session:
    """What is kept of one client, across connections.

    Attributes:
        name, owner: its keyed name, and its credential's.
        holder: the connection that is in as this client; None while there is none.
        expiry_s: how long it outlives its connection; 0 = not at all.
        until: when it ends, on the monotonic clock; None while somebody holds it, or while only its
            day on disk is known.
        day: the day since 1970 (UTC) on which it may be forgotten, as it stands on disk; 0 = not there.
        unsure: writes about it that are on their way to the disk.
        subscriptions: keyed name of a subscription → QoS granted.
        receiving: packet identifier → whether it is committed, of each QoS 2 publish without its PUBREL.
    """

    __slots__ = (
        "day",
        "expiry_s",
        "holder",
        "name",
        "owner",
        "receiving",
        "subscriptions",
        "unsure",
        "until",
    )

    def __init__(self, name: bytes, owner: bytes, day: int = 0) -> None:
        self.name = name
        self.owner = owner
        self.day = day
        self.holder: Holder | None = None
        self.expiry_s = 0
        self.until: float | None = None
        self.unsure = 0
        self.subscriptions: dict[bytes, int] = {}
        self.receiving: dict[int, bool] = {}

    def __repr__(self) -> str:
        return "<session>"
