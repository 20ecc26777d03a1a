"""A byte stream → MQTT packets, however the bytes are cut (§2.1: fixed header, remaining length)."""

from gateway.wire.mqtt.bodies import READERS, V5
from gateway.wire.mqtt.codes import FLAGS, Code, Type
from gateway.wire.mqtt.fields import OF_PUBLISH, TOPIC_ALIAS, Body, Broken
from gateway.wire.mqtt.packets import Connect, Packet, Publish, Violation

_PUBLISH = Type.PUBLISH << 4
_LONGEST = 1024
"""Bytes of a topic that an alias may stand for: what aliases hold in memory has a bound."""

_new = tuple.__new__


class Framer:
    """Reads one direction of one connection.

    Args:
        limit: largest packet accepted, in bytes without its fixed header.
        version: 4 or 5 where it is known already (client side); a server learns it from CONNECT.
        aliases: topic aliases that the peer may use, 0 for none (§3.3.2.3.4); each stands for a topic
            as long as this stream lasts.

    `feed` never raises. A broken rule is the last packet of its list, a `Violation`, and the stream
    is dead from there on: what came whole before it has been returned.
    """

    __slots__ = ("_aliases", "_dead", "_limit", "_most", "_rest", "version")

    def __init__(self, limit: int, version: int = 0, aliases: int = 0) -> None:
        self.version = version
        self._limit = limit
        self._most = aliases
        self._aliases: dict[int, bytes] | None = None
        self._rest = b""
        self._dead = False

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that `data` completes."""
        out: list[Packet] = []
        if self._dead:
            return out
        buf = self._rest + data if self._rest else data
        pos = 0
        end = len(buf)
        limit = self._limit
        is_v5 = self.version == V5
        publish = self._publish
        try:
            while end - pos >= 2:
                first = buf[pos]
                length = buf[pos + 1]
                body = pos + 2
                if length >= 0x80:
                    length, body = _remaining_length(buf, pos + 1, end)
                    if body == 0:
                        break
                if length > limit:
                    raise Broken("a packet larger than announced", Code.PACKET_TOO_LARGE)
                stop = body + length
                if stop > end:
                    break
                if first & 0xF0 == _PUBLISH:
                    out.append(publish(buf, body, stop, first, is_v5))
                else:
                    packet = _other(first, buf[body:stop], self.version)
                    out.append(packet)
                    if type(packet) is Connect:
                        self.version = packet.version
                        is_v5 = packet.version == V5
                pos = stop
        except Broken as broken:
            self._dead = True
            self._rest = b""
            out.append(Violation(broken.reason, str(broken)))
            return out
        self._rest = buf[pos:] if pos else buf
        return out

    def _publish(self, buf: bytes, pos: int, stop: int, first: int, is_v5: bool) -> Publish:
        """PUBLISH, §3.3, straight from the buffer: this is the hot path."""
        qos = first >> 1 & 3
        if stop - pos < 2:
            raise Broken("a PUBLISH without a topic")
        topic_end = pos + 2 + (buf[pos] << 8 | buf[pos + 1])
        topic = buf[pos + 2 : topic_end]
        packet_id: int | None = None
        at = topic_end
        if qos:
            at += 2
            if at > stop or qos == 3:
                raise Broken("QoS 3" if qos == 3 else "the packet ends inside a field")
            packet_id = buf[topic_end] << 8 | buf[topic_end + 1]
            if not packet_id:
                raise Broken("packet identifier 0")
        elif at > stop:
            raise Broken("the packet ends inside a field")
        elif first & 0x08:
            raise Broken("a duplicate flag at QoS 0")
        if is_v5:
            if at < stop and not buf[at]:
                at += 1
            else:
                at, topic = self._with_properties(buf, at, stop, topic)
        # tuple.__new__ spares the keyword machinery of a NamedTuple call, once per uplink
        publish: Publish = _new(
            Publish, (topic, buf[at:stop], qos, packet_id, first & 8 != 0, first & 1 != 0)
        )
        return publish

    def _with_properties(self, buf: bytes, pos: int, stop: int, topic: bytes) -> tuple[int, bytes]:
        """Check the properties of a PUBLISH; none but an alias acts. Where the payload begins, and the topic."""
        body = Body(
            buf[pos:stop]
        )  # from here on: a burst's earlier packets are not copied each time
        alias = body.properties(OF_PUBLISH).get(TOPIC_ALIAS)
        if alias is not None:
            topic = self._meant(alias, topic)
        return pos + body.pos, topic

    def _meant(self, alias: int, topic: bytes) -> bytes:
        """The topic that an alias stands for; a topic beside it gives the alias that meaning."""
        if not 0 < alias <= self._most:
            raise Broken("a topic alias beyond those offered", Code.TOPIC_ALIAS_INVALID)
        if len(topic) > _LONGEST:
            raise Broken("a topic alias for a topic longer than 1 KiB", Code.QUOTA_EXCEEDED)
        if self._aliases is None:
            self._aliases = {}
        if topic:
            self._aliases[alias] = topic
        elif alias not in self._aliases:
            raise Broken("a topic alias that stands for nothing", Code.TOPIC_ALIAS_INVALID)
        return self._aliases[alias]


def _remaining_length(buf: bytes, pos: int, end: int) -> tuple[int, int]:
    """Remaining length (§2.1.4) of more than one byte and where the body begins; (0, 0) = more bytes."""
    value = 0
    for n in range(4):
        if pos + n >= end:
            return 0, 0
        byte = buf[pos + n]
        value |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            if byte == 0:
                raise Broken("a remaining length longer than it need be")
            return value, pos + n + 1
    raise Broken("a remaining length of more than four bytes")


def _other(first: int, data: bytes, version: int) -> Packet:
    """Every packet but PUBLISH."""
    number = first >> 4
    if number == 0:
        raise Broken("packet type 0")
    type_ = Type(number)
    if first & 0x0F != FLAGS.get(type_, 0):
        raise Broken(f"reserved flags of {type_.name}")
    if type_ is Type.AUTH and version != V5:
        raise Broken("packet type 15 before MQTT 5")
    body = Body(data)
    packet = READERS[type_](body, version, type_)
    if body.left:
        raise Broken(f"bytes after the end of {type_.name}")
    return packet
