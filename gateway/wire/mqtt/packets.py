"""MQTT packets as values. `Violation` is how a framer says that the peer broke the rules."""

from typing import Any, NamedTuple, TypeAlias

from gateway.wire.mqtt.codes import Code, Type

Properties: TypeAlias = dict[int, Any]
"""Property identifier → value, §2.2.2.2; user properties (0x26) are a list of pairs."""


class Connect(NamedTuple):
    """§3.1. `version` is 4 (MQTT 3.1.1) or 5; `keep_alive_s` 0 means none."""

    version: int
    client_id: str
    clean_start: bool
    keep_alive_s: int
    username: str | None
    password: bytes | None
    has_will: bool
    properties: Properties

    def __repr__(self) -> str:
        return f"<Connect v{self.version}>"


class ConnAck(NamedTuple):
    """§3.2."""

    session_present: bool
    reason: int
    properties: Properties


class Publish(NamedTuple):
    """§3.3. `packet_id` is None at QoS 0; `topic` is whole, also where an alias stood for it."""

    topic: bytes
    payload: bytes
    qos: int
    packet_id: int | None
    dup: bool
    retain: bool

    def __repr__(self) -> str:
        return f"<Publish qos {self.qos}, {len(self.payload)} bytes>"


class Ack(NamedTuple):
    """PUBACK, PUBREC, PUBREL or PUBCOMP, §3.4 to §3.7."""

    type: Type
    packet_id: int
    reason: int


class Subscribe(NamedTuple):
    """§3.8; each filter with its options byte, and the subscription identifier if there is one."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]
    identifier: int | None = None


class SubAck(NamedTuple):
    """§3.9."""

    packet_id: int
    reasons: tuple[int, ...]


class Unsubscribe(NamedTuple):
    """§3.10."""

    packet_id: int
    filters: tuple[str, ...]


class UnsubAck(NamedTuple):
    """§3.11; MQTT 3.1.1 carries no reasons."""

    packet_id: int
    reasons: tuple[int, ...]


class PingReq(NamedTuple):
    """§3.12."""


class PingResp(NamedTuple):
    """§3.13."""


class Disconnect(NamedTuple):
    """§3.14; MQTT 3.1.1 carries no reason. `expiry_s`: another session expiry, seconds."""

    reason: int
    expiry_s: int | None = None


class Auth(NamedTuple):
    """§3.15; Sekisho offers no extended authentication."""

    reason: int


class Violation(NamedTuple):
    """The peer's fault; nothing more will be read from this stream."""

    reason: Code
    sentence: str


Packet: TypeAlias = (
    Connect
    | ConnAck
    | Publish
    | Ack
    | Subscribe
    | SubAck
    | Unsubscribe
    | UnsubAck
    | PingReq
    | PingResp
    | Disconnect
    | Auth
    | Violation
)
