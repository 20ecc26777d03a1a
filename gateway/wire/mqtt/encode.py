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
) -> bytes:
    """CONNECT with clean start, no will."""
    flags = 0x02 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    body = put_binary(b"MQTT") + bytes((version, flags)) + keep_alive_s.to_bytes(2, "big")
    if version == V5:
        body += put_properties({})
    body += put_binary(client_id.encode())
    if username is not None:
        body += put_binary(username.encode())
    if password is not None:
        body += put_binary(password)
    return _packet(Type.CONNECT, body)


def connack(version: int, reason: Code, properties: Properties) -> bytes:
    """CONNACK without a session; MQTT 3.1.1 has its own few codes and no properties."""
    if version == V5:
        return _packet(Type.CONNACK, bytes((0, reason)) + put_properties(properties))
    return _packet(Type.CONNACK, bytes((0, CONNACK_311.get(reason, 3))))


def publish(
    version: int,
    topic: bytes,
    payload: bytes,
    qos: int,
    packet_id: int | None,
    dup: bool = False,
) -> bytes:
    """PUBLISH without retain and without properties."""
    first = Type.PUBLISH << 4 | qos << 1 | (8 if dup else 0)
    body = put_binary(topic)
    if packet_id is not None:
        body += packet_id.to_bytes(2, "big")
    if version == V5:
        body += b"\0"
    body += payload
    return bytes((first,)) + put_varint(len(body)) + body


def puback(version: int, packet_id: int, reason: Code = Code.SUCCESS) -> bytes:
    """PUBACK; success is the two-byte form in both versions, and MQTT 3.1.1 knows nothing else."""
    if reason and version == V5:
        return bytes((Type.PUBACK << 4, 3)) + packet_id.to_bytes(2, "big") + bytes((reason,))
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


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


def subscribe(version: int, packet_id: int, filters: Iterable[str]) -> bytes:
    """SUBSCRIBE at QoS 1."""
    body = packet_id.to_bytes(2, "big") + (put_properties({}) if version == V5 else b"")
    return _packet(
        Type.SUBSCRIBE, body + b"".join(put_binary(f.encode()) + b"\x01" for f in filters)
    )


def disconnect(version: int, reason: Code = Code.SUCCESS) -> bytes:
    """DISCONNECT; MQTT 3.1.1 carries no reason."""
    return _packet(Type.DISCONNECT, bytes((reason,)) if version == V5 and reason else b"")
