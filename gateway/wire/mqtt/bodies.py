"""Readers of packet bodies: one function per packet type, body in, packet out, or `Broken`."""

from collections.abc import Callable

from gateway.wire.mqtt import fields
from gateway.wire.mqtt.codes import Code, Type
from gateway.wire.mqtt.fields import Body, Broken
from gateway.wire.mqtt.packets import (
    Ack,
    Auth,
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    Properties,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)

V311, V5 = 4, 5

_CLEAN, _WILL, _WILL_QOS, _WILL_RETAIN, _PASSWORD, _USERNAME = 0x02, 0x04, 0x18, 0x20, 0x40, 0x80


def connect(body: Body, _version: int, _type: Type) -> Connect:
    """CONNECT, §3.1 (3.1.1 §3.1): protocol name and version, flags, keep-alive, payload."""
    name, version = body.text(), body.u8()
    if name != "MQTT" or version not in (V311, V5):
        raise Broken("only MQTT 3.1.1 and 5 are spoken here", Code.UNSUPPORTED_VERSION)
    flags, keep_alive_s = body.u8(), body.u16()
    _check_connect_flags(flags, version)
    properties: Properties = body.properties(fields.OF_CONNECT) if version == V5 else {}
    if fields.AUTH_DATA in properties and fields.AUTH_METHOD not in properties:
        raise Broken("authentication data without a method", Code.PROTOCOL_ERROR)
    client_id = body.text()
    if flags & _WILL:
        if version == V5:
            body.properties(fields.OF_WILL)
        body.text()
        body.binary()
    username = body.text() if flags & _USERNAME else None
    password = body.binary() if flags & _PASSWORD else None
    return Connect(
        version,
        client_id,
        bool(flags & _CLEAN),
        keep_alive_s,
        username,
        password,
        bool(flags & _WILL),
        properties,
    )


def _check_connect_flags(flags: int, version: int) -> None:
    """§3.1.2.3: the reserved bit, and will and password bits that must not stand alone."""
    if flags & 0x01:
        raise Broken("the reserved connect flag is set")
    if flags & _WILL_QOS == _WILL_QOS or (not flags & _WILL and flags & (_WILL_QOS | _WILL_RETAIN)):
        raise Broken("will flags that contradict each other")
    if version == V311 and flags & _PASSWORD and not flags & _USERNAME:
        raise Broken("a password without a user name (3.1.1 §3.1.2.9)")


def connack(body: Body, version: int, _type: Type) -> ConnAck:
    """CONNACK, §3.2."""
    flags, reason = body.u8(), body.u8()
    if flags & 0xFE:
        raise Broken("reserved acknowledge flags are set")
    return ConnAck(bool(flags), reason, body.properties(fields.OF_CONNACK) if version == V5 else {})


def ack(body: Body, version: int, type_: Type) -> Ack:
    """PUBACK, PUBREC, PUBREL, PUBCOMP, §3.4 to §3.7; MQTT 5 may add reason and properties."""
    packet_id = _packet_id(body)
    reason = body.u8() if version == V5 and body.left else Code.SUCCESS
    if version == V5 and body.left:
        body.properties(fields.OF_ACK)
    return Ack(type_, packet_id, reason)


def subscribe(body: Body, version: int, _type: Type) -> Subscribe:
    """SUBSCRIBE, §3.8: at least one filter."""
    packet_id = _packet_id(body)
    properties = body.properties(fields.OF_SUBSCRIBE) if version == V5 else {}
    filters = []
    while body.left:
        filters.append((_filter(body), _options(body, version)))
    if not filters:
        raise Broken("a SUBSCRIBE without a filter", Code.PROTOCOL_ERROR)
    return Subscribe(packet_id, tuple(filters), properties.get(fields.SUBSCRIPTION_ID))


def unsubscribe(body: Body, version: int, _type: Type) -> Unsubscribe:
    """UNSUBSCRIBE, §3.10: at least one filter."""
    packet_id = _packet_id(body)
    if version == V5:
        body.properties(fields.OF_UNSUBSCRIBE)
    filters = []
    while body.left:
        filters.append(_filter(body))
    if not filters:
        raise Broken("an UNSUBSCRIBE without a filter", Code.PROTOCOL_ERROR)
    return Unsubscribe(packet_id, tuple(filters))


def suback(body: Body, version: int, type_: Type) -> SubAck | UnsubAck:
    """SUBACK and UNSUBACK, §3.9, §3.11."""
    packet_id = _packet_id(body)
    if version == V5:
        body.properties(fields.OF_ACK)
    reasons = tuple(body.take(body.left))
    return SubAck(packet_id, reasons) if type_ is Type.SUBACK else UnsubAck(packet_id, reasons)


def ping(_body: Body, _version: int, type_: Type) -> PingReq | PingResp:
    """PINGREQ and PINGRESP, §3.12, §3.13."""
    return PingReq() if type_ is Type.PINGREQ else PingResp()


def disconnect(body: Body, version: int, type_: Type) -> Disconnect | Auth:
    """DISCONNECT and AUTH, §3.14, §3.15: an empty body means reason 0."""
    reason = body.u8() if version == V5 and body.left else Code.SUCCESS
    properties: Properties = {}
    if version == V5 and body.left:
        allowed = fields.OF_DISCONNECT if type_ is Type.DISCONNECT else fields.OF_AUTH
        properties = body.properties(allowed)
    if type_ is Type.AUTH:
        return Auth(reason)
    return Disconnect(reason, properties.get(fields.SESSION_EXPIRY))


def _filter(body: Body) -> str:
    text = body.text()
    if not text:
        raise Broken("an empty topic filter")
    return text


def _options(body: Body, version: int) -> int:
    """Subscription options, §3.8.3.1 (3.1.1 §3.8.3: a QoS alone)."""
    options = body.u8()
    reserved = 0xC0 if version == V5 else 0xFC
    if options & reserved or options & 0x03 == 0x03 or options & 0x30 == 0x30:
        raise Broken("subscription options that do not exist", Code.PROTOCOL_ERROR)
    return options


def _packet_id(body: Body) -> int:
    packet_id = body.u16()
    if packet_id == 0:
        raise Broken("packet identifier 0")
    return packet_id


READERS: dict[Type, Callable[[Body, int, Type], Packet]] = {
    Type.CONNECT: connect,
    Type.CONNACK: connack,
    Type.PUBACK: ack,
    Type.PUBREC: ack,
    Type.PUBREL: ack,
    Type.PUBCOMP: ack,
    Type.SUBSCRIBE: subscribe,
    Type.SUBACK: suback,
    Type.UNSUBSCRIBE: unsubscribe,
    Type.UNSUBACK: suback,
    Type.PINGREQ: ping,
    Type.PINGRESP: ping,
    Type.DISCONNECT: disconnect,
    Type.AUTH: disconnect,
}
