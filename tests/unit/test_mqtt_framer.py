"""The MQTT codec against bytes worked by hand from the standards."""

import pytest

from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code, Type
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import (
    Ack,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    Publish,
    Subscribe,
    Unsubscribe,
    Violation,
)

HELLO_311 = bytes.fromhex("101a 0004 4d515454 04 c2 003c 0002 6131 0003 626f62 0005 746f6b656e")
HELLO_5 = bytes.fromhex("1019 0004 4d515454 05 82 003c 05 11 0000000a 0002 6131 0003 626f62")
"""CONNECT of client "a1", user "bob": 3.1.1 with password "token"; 5 with a session expiry of 10 s."""

WHOLE = [
    (HELLO_311, Connect(4, "a1", True, 60, "bob", b"token", False, {})),
    (HELLO_5, Connect(5, "a1", True, 60, "bob", None, False, {0x11: 10})),
    (
        bytes.fromhex("320b 0003 612f62 000a 68656c6c"),
        Publish(b"a/b", b"hell", 1, 10, False, False),
    ),
    (bytes.fromhex("3007 0003 612f62 6869"), Publish(b"a/b", b"hi", 0, None, False, False)),
    (bytes.fromhex("3b07 0003 612f62 0001"), Publish(b"a/b", b"", 1, 1, True, True)),
    (bytes.fromhex("4002 1234"), Ack(Type.PUBACK, 0x1234, 0)),
    (bytes.fromhex("6202 0001"), Ack(Type.PUBREL, 1, 0)),
    (bytes.fromhex("8206 0001 0001 23 01"), Subscribe(1, (("#", 1),))),
    (bytes.fromhex("a205 0001 0001 23"), Unsubscribe(1, ("#",))),
    (bytes.fromhex("c000"), PingReq()),
    (bytes.fromhex("e000"), Disconnect(0)),
]

BROKEN = [
    ("0000", Code.MALFORMED, "packet type 0"),
    ("3080808080", Code.MALFORMED, "five length bytes"),
    ("308000", Code.MALFORMED, "a length longer than it need be"),
    ("3601 00", Code.MALFORMED, "a PUBLISH without a topic"),
    ("3607 0003 612f62 0001", Code.MALFORMED, "QoS 3"),
    ("3207 0003 612f62 0000", Code.MALFORMED, "packet identifier 0"),
    ("3205 0003 612f62", Code.MALFORMED, "no packet identifier"),
    ("3805 0003 612f62", Code.MALFORMED, "DUP at QoS 0"),
    ("3004 0003 612f", Code.MALFORMED, "a topic longer than its packet"),
    ("8006 0001 0001 23 01", Code.MALFORMED, "reserved flags of SUBSCRIBE"),
    ("8202 0001", Code.PROTOCOL_ERROR, "SUBSCRIBE without a filter"),
    ("c001 00", Code.MALFORMED, "PINGREQ with a body"),
    ("4001 00", Code.MALFORMED, "half a packet identifier"),
    ("100c 0004 4d515454 04 03 003c 0000", Code.MALFORMED, "the reserved connect flag"),
    ("100c 0004 4d515454 04 42 003c 0000", Code.MALFORMED, "3.1.1 password without a user name"),
    ("100c 0004 4d515454 04 08 003c 0000", Code.MALFORMED, "will QoS without a will"),
    ("100c 0004 4d515454 03 02 003c 0000", Code.UNSUPPORTED_VERSION, "protocol level 3"),
    ("100e 0006 4d5149736470 03 02 003c 0000", Code.UNSUPPORTED_VERSION, "MQTT 3.1"),
    ("100e 0004 4d515454 05 02 003c 00 0001 ff", Code.MALFORMED, "a client id that is not UTF-8"),
    ("1013 0004 4d515454 05 02 003c 06 210001210001 0000", Code.PROTOCOL_ERROR, "a property twice"),
    ("1010 0004 4d515454 05 02 003c 03 210000 0000", Code.PROTOCOL_ERROR, "receive maximum 0"),
    ("100f 0004 4d515454 05 02 003c 02 7f00 0000", Code.MALFORMED, "a property that is none"),
    ("100f 0004 4d515454 05 02 003c 02 2401 0000", Code.PROTOCOL_ERROR, "a CONNACK's property"),
    ("1012 0004 4d515454 05 02 003c 05 2700000000 0000", Code.PROTOCOL_ERROR, "packet size 0"),
    ("1011 0004 4d515454 05 02 003c 04 16000161 0000", Code.PROTOCOL_ERROR, "proof, no method"),
    ("8206 0001 0001 23 03", Code.PROTOCOL_ERROR, "SUBSCRIBE at QoS 3"),
    ("8206 0001 0001 23 04", Code.PROTOCOL_ERROR, "MQTT 5 options in 3.1.1"),
    ("8205 0001 0000 01", Code.MALFORMED, "an empty filter"),
]


def feed(data: bytes, version: int = 4) -> list[Packet]:
    return Framer(limit=65_536, version=version).feed(data)


@pytest.mark.parametrize(("data", "packet"), WHOLE, ids=lambda v: type(v).__name__)
def test_whole_byte_by_byte_and_with_junk_behind(data: bytes, packet: Packet) -> None:
    """Every packet is read whole, byte by byte, and before whatever follows it."""
    version = 0 if type(packet) is Connect else 4

    assert feed(data, version) == [packet]
    framer = Framer(65_536, version)
    assert [p for n in range(len(data)) for p in framer.feed(data[n : n + 1])] == [packet]
    assert feed(data + b"\x00\x00", version)[0] == packet


@pytest.mark.parametrize(("hexed", "reason", "why"), BROKEN, ids=[b[2] for b in BROKEN])
def test_a_broken_packet_is_one_violation_and_the_end(hexed: str, reason: Code, why: str) -> None:
    """What breaks the standard ends the stream with the standard's reason, and nothing raises."""
    framer = Framer(65_536, 4)
    packets = framer.feed(bytes.fromhex("c000" + hexed))

    assert packets[0] == PingReq(), why
    assert isinstance(packets[1], Violation)
    assert packets[1].reason is reason
    assert framer.feed(bytes.fromhex("c000")) == []


def test_properties_of_a_publish_are_checked_and_skipped() -> None:
    """MQTT 5: a content type before the payload is no part of the payload."""
    data = bytes.fromhex("320e 0001 61 0007 06 03 0003 782f79 6869")

    assert feed(data, 5) == [Publish(b"a", b"hi", 1, 7, False, False)]


@pytest.mark.parametrize(
    "properties",
    ["02 0102", "03 0b 8001", "04 0200000001", "02 2600"],
    ids=["a payload format of 2", "a client's subscription identifier", "cut short", "half a pair"],
)
def test_a_publish_with_broken_properties_is_a_violation(properties: str) -> None:
    """§3.3.2.3: values out of their range, and properties that a client may not send."""
    body = bytes.fromhex("0001 61 0007") + bytes.fromhex(properties) + b"payload"
    (packet,) = feed(bytes((0x32, len(body))) + body, 5)

    assert isinstance(packet, Violation)


@pytest.mark.parametrize("number", [0x17, 0x19])
@pytest.mark.parametrize(("value", "fine"), [(0, True), (1, True), (2, False), (255, False)])
def test_what_is_yes_or_no_is_nothing_else(number: int, value: int, fine: bool) -> None:
    """§3.1.2.11.6, §3.1.2.11.7: other values than 0 and 1 are a protocol error."""
    hello = encode.connect(5, "c", None, None, 9, properties={number: value})
    (packet,) = feed(hello, 0)

    assert isinstance(packet, Connect) is fine
    assert fine or (isinstance(packet, Violation) and packet.reason is Code.PROTOCOL_ERROR)


def test_a_topic_alias_is_refused_because_none_was_offered() -> None:
    """§3.3.2.3.4: with a Topic Alias Maximum of 0 no alias may be used."""
    (packet,) = feed(bytes.fromhex("3209 0001 61 0007 03 23 0001"), 5)

    assert isinstance(packet, Violation)
    assert packet.reason is Code.TOPIC_ALIAS_INVALID


def test_a_packet_beyond_the_limit_is_refused_before_its_body_comes() -> None:
    """Nobody makes us hold more than the limit: the header alone is enough to say no."""
    (packet,) = Framer(limit=100, version=5).feed(bytes.fromhex("30e507"))

    assert isinstance(packet, Violation)
    assert packet.reason is Code.PACKET_TOO_LARGE


def test_answers_by_hand() -> None:
    """What the door writes is what the standard draws, in both versions."""
    assert encode.puback(4, 0x1234) == bytes.fromhex("4002 1234")
    assert encode.puback(5, 0x1234) == bytes.fromhex("4002 1234")
    assert encode.puback(5, 1, Code.PAYLOAD_FORMAT_INVALID) == bytes.fromhex("4003 0001 99")
    assert encode.puback(4, 1, Code.PAYLOAD_FORMAT_INVALID) == bytes.fromhex("4002 0001")
    assert encode.connack(4, Code.BAD_CREDENTIALS, {}) == bytes.fromhex("2002 00 04")
    assert encode.connack(5, Code.SUCCESS, {0x24: 1}) == bytes.fromhex("2005 0000 02 2401")
    assert encode.suback(4, 1, [Code.NOT_AUTHORIZED]) == bytes.fromhex("9003 0001 80")
    assert encode.suback(5, 1, [Code.NOT_AUTHORIZED]) == bytes.fromhex("9004 0001 00 87")
    assert encode.connack(4, Code.SUCCESS, {}, present=True) == bytes.fromhex("2002 01 00")
    assert encode.connack(5, Code.SUCCESS, {}, present=True) == bytes.fromhex("2003 01 00 00")
    assert encode.pubrec(4, 0x1234, Code.UNSPECIFIED) == bytes.fromhex("5002 1234")
    assert encode.pubrec(5, 1, Code.UNSPECIFIED) == bytes.fromhex("5003 0001 80")
    assert encode.pubrel(5, 1) == bytes.fromhex("6202 0001")
    assert encode.pubcomp(5, 9, Code.PACKET_ID_NOT_FOUND) == bytes.fromhex("7003 0009 92")
    assert encode.suback(4, 1, [Code.GRANTED_QOS_1]) == bytes.fromhex("9003 0001 01")
    assert encode.unsubscribe(5, 2, ["a"]) == bytes.fromhex("a206 0002 00 0001 61")
    assert encode.publish(5, b"a", b"x", 1, 1, properties={2: 60}) == bytes.fromhex(
        "320c 0001 61 0001 05 02 0000003c 78"
    )
    assert encode.disconnect(5, Code.SUCCESS, {0x11: 5}) == bytes.fromhex("e007 00 05 11 00000005")
    assert encode.disconnect(5, Code.SHUTTING_DOWN) == bytes.fromhex("e001 8b")
