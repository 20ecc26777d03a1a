"""MQTT packets as bytes, both directions; section numbers in `packets`."""

from collections.abc import Iterable

from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import CONNACK_311, FLAGS, Code, Type
from gateway.wire.mqtt.fields import put_binary, put_properties, put_varint
from gateway.wire.mqtt.packets import Properties

PINGREQ = bytes((Type.PINGREQ << 4, 0))
PINGRESP = bytes((Type.PINGRESP << 4, 0))


def _packet(type_: Type, body: bytes) -> bytes:
    return bytes((type_ << 4 | FLAGS.get(type_, 0),)) + put_varint(len(body)) + body


def connect(
    version: int,
    client_id: str,
    username: str | None,
    password: bytes | None,
    keep_alive_s: int,
    *,
    clean: bool = True,
    properties: Properties | None = None,
) -> bytes:
    """CONNECT without a will; `properties` for MQTT 5 alone."""
    flags = (
        (0x02 if clean else 0)
        | (0x80 if username is not None else 0)
        | (0x40 if password is not None else 0)
    )
    body = put_binary(b"MQTT") + bytes((version, flags)) + keep_alive_s.to_bytes(2, "big")
    if version == V5:
        body += put_properties(properties or {})
    body += put_binary(client_id.encode())
    if username is not None:
        body += put_binary(username.encode())
    if password is not None:
        body += put_binary(password)
    return _packet(Type.CONNECT, body)


def connack(version: int, reason: Code, properties: Properties, *, present: bool = False) -> bytes:
    """CONNACK; `present`: there is a session to go on with. MQTT 3.1.1 has its own few codes."""
    if version == V5:
        return _packet(Type.CONNACK, bytes((present, reason)) + put_properties(properties))
    return _packet(Type.CONNACK, bytes((present, CONNACK_311.get(reason, 3))))


def publish(
    version: int,
    topic: bytes,
    payload: bytes,
    qos: int,
    packet_id: int | None,
    dup: bool = False,
    properties: Properties | None = None,
    *,
    retain: bool = False,
) -> bytes:
    """PUBLISH; `properties` for MQTT 5 alone."""
    first = Type.PUBLISH << 4 | qos << 1 | (8 if dup else 0) | retain
    body = put_binary(topic)
    if packet_id is not None:
        body += packet_id.to_bytes(2, "big")
    if version == V5:
        body += put_properties(properties) if properties else b"\0"
    body += payload
    return bytes((first,)) + put_varint(len(body)) + body


def _answer(type_: Type, version: int, packet_id: int, reason: Code) -> bytes:
    """Success is the two-byte form in both versions, and MQTT 3.1.1 knows nothing else."""
    more = bytes((reason,)) if reason and version == V5 else b""
    return _packet(type_, packet_id.to_bytes(2, "big") + more)


def puback(version: int, packet_id: int, reason: Code = Code.SUCCESS) -> bytes:
    """PUBACK (§3.4)."""
    return _answer(Type.PUBACK, version, packet_id, reason)


def pubrec(version: int, packet_id: int, reason: Code = Code.SUCCESS) -> bytes:
    """PUBREC; a reason of 0x80 and above ends the exchange, and MQTT 3.1.1 knows none (§3.5)."""
    return _answer(Type.PUBREC, version, packet_id, reason)


def pubrel(version: int, packet_id: int, reason: Code = Code.SUCCESS) -> bytes:
    """PUBREL (§3.6)."""
    return _answer(Type.PUBREL, version, packet_id, reason)


def pubcomp(version: int, packet_id: int, reason: Code = Code.SUCCESS) -> bytes:
    """PUBCOMP (§3.7)."""
    return _answer(Type.PUBCOMP, version, packet_id, reason)


def suback(version: int, packet_id: int, reasons: Iterable[Code]) -> bytes:
    """SUBACK; MQTT 3.1.1 has 0x80 for every refusal."""
    body = packet_id.to_bytes(2, "big")
    if version == V5:
        return _packet(Type.SUBACK, body + put_properties({}) + bytes(reasons))
    return _packet(Type.SUBACK, body + bytes(0x80 if r >= 0x80 else r for r in reasons))


def unsuback(version: int, packet_id: int, reasons: Iterable[Code]) -> bytes:
    """UNSUBACK; MQTT 3.1.1 carries no reasons."""
    body = packet_id.to_bytes(2, "big")
    if version == V5:
        body += put_properties({}) + bytes(reasons)
    return _packet(Type.UNSUBACK, body)


def subscribe(version: int, packet_id: int, filters: Iterable[str], qos: int = 1) -> bytes:
    """SUBSCRIBE, every filter at the same QoS."""
    return subscribe_each(version, packet_id, [(text, qos) for text in filters])


def subscribe_each(version: int, packet_id: int, filters: Iterable[tuple[str, int]]) -> bytes:
    """SUBSCRIBE, each filter with its options (§3.8.3.1): the QoS, and above it what MQTT 5 alone knows."""
    body = packet_id.to_bytes(2, "big") + (put_properties({}) if version == V5 else b"")
    asked = b"".join(put_binary(text.encode()) + bytes((options,)) for text, options in filters)
    return _packet(Type.SUBSCRIBE, body + asked)


def unsubscribe(version: int, packet_id: int, filters: Iterable[str]) -> bytes:
    """UNSUBSCRIBE."""
    body = packet_id.to_bytes(2, "big") + (put_properties({}) if version == V5 else b"")
    return _packet(Type.UNSUBSCRIBE, body + b"".join(put_binary(f.encode()) for f in filters))


def disconnect(
    version: int, reason: Code = Code.SUCCESS, properties: Properties | None = None
) -> bytes:
    """DISCONNECT; MQTT 3.1.1 carries neither reason nor properties."""
    if version != V5 or not (reason or properties):
        return _packet(Type.DISCONNECT, b"")
    more = put_properties(properties) if properties else b""
    return _packet(Type.DISCONNECT, bytes((reason,)) + more)
