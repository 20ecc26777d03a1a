"""The MQTT door over loopback sockets: what becomes of what clients say."""

import pytest

from gateway.model.reason import Reason
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.packets import Ack, Disconnect
from tests.fakes.mqtt_door import UP, Client, House, connect, publish, settled, until

# -- PUBLISH ----------------------------------------------------------------------------------


async def bytes_after_settling(house: House, client: Client, *refused: dict[int, Reason]) -> bytes:
    """What the client hears when the worker acknowledges what waits."""
    house.receiver.settle(*refused)
    await settled()
    return await client.reader.read(1000)


@pytest.mark.parametrize("version", [4, 5])
async def test_an_uplink_is_acknowledged_when_it_is_settled_and_not_before(version: int) -> None:
    async with House() as house:
        client = await house.guest(version)
        client.say(publish(0x1234, b"payload", version=version), encode.PINGREQ)
        assert await client.reader.readexactly(2) == encode.PINGRESP
        assert house.receiver.payloads == [b"payload"]

        assert await bytes_after_settling(house, client) == bytes.fromhex("40 02 12 34")


async def test_every_reason_has_its_code_in_mqtt_5() -> None:
    """Decisions 2: undecodable 0x99, not this credential's device 0x87, no topic 0x90; else success."""
    async with House() as house:
        client = await house.guest()
        client.say(
            publish(1),
            publish(2),
            publish(3, topic=b"sekisho/v1/child-1/up"),
            publish(4, topic=b"sekisho/v1/nobody/up"),
            publish(5, topic=b"home/kitchen"),
            publish(6),
            publish(7),
            publish(8),
        )
        await until(lambda: len(house.receiver.payloads) == 8)
        routes = [route for _, uplinks in house.receiver.waiting for route, _ in uplinks.items]
        known = {at: route for at, route in enumerate(routes) if isinstance(route, Reason)}
        late = {1: Reason.UNDECODABLE, 5: Reason.OUT_OF_RANGE, 6: Reason.UNDATED}
        house.receiver.settle(known | late | {7: Reason.UNSTORABLE})
        answers = await client.hear(packets=8)

    assert known == {2: Reason.NOT_ALLOWED, 3: Reason.UNKNOWN_DEVICE, 4: Reason.UNKNOWN_TOPIC}
    assert [(ack.packet_id, ack.reason) for ack in answers if isinstance(ack, Ack)] == [
        (1, 0), (2, 0x99), (3, 0x87), (4, 0x87), (5, 0x90), (6, 0x99), (7, 0x99), (8, 0x80),
    ]  # fmt: skip


async def test_mqtt_3_1_1_knows_no_refusal() -> None:
    """Its PUBACK carries no reason: whatever was refused must not come again for ever."""
    async with House() as house:
        client = await house.guest(4)
        client.say(publish(1, version=4), publish(2, version=4, topic=b"sekisho/v1/nobody/up"))
        await until(lambda: len(house.receiver.payloads) == 2)
        refused = {0: Reason.UNDECODABLE, 1: Reason.UNKNOWN_DEVICE}

        heard = await bytes_after_settling(house, client, refused)
        assert heard == bytes.fromhex("40020001 40020002")


async def test_acknowledgements_leave_in_order_of_arrival() -> None:
    """§4.6, across chunks: refused ones stand in line with the others."""
    async with House() as house:
        client = await house.guest()
        numbers = [7, 3, *range(100, 700), 5]
        client.say(*(publish(n) for n in numbers))
        await until(lambda: len(house.receiver.payloads) == len(numbers))
        assert len(house.receiver.waiting) > 2
        house.receiver.settle({1: Reason.UNDECODABLE})
        answers = await client.hear(packets=len(numbers))
    assert [ack.packet_id for ack in answers] == numbers


async def test_qos_0_is_taken_and_not_answered() -> None:
    async with House() as house:
        client = await house.guest()
        client.say(encode.publish(5, UP, b"x", 0, None), encode.PINGREQ)
        assert await client.reader.readexactly(2) == encode.PINGRESP
        assert house.receiver.payloads == [b"x"]

        house.receiver.settle({0: Reason.UNDECODABLE})
        client.say(encode.PINGREQ)
        assert await client.reader.readexactly(2) == encode.PINGRESP


async def test_a_retained_publish_is_taken_as_a_plain_one_and_counted() -> None:
    async with House() as house:
        client = await house.guest(4)
        retained = bytearray(publish(1, b"kept", version=4))
        retained[0] |= 1
        client.say(bytes(retained), publish(2, b"plain", version=4))
        await until(lambda: house.receiver.payloads == [b"kept", b"plain"])

        assert house.facts.counts["retain ignored"] == 1
        assert await bytes_after_settling(house, client) == bytes.fromhex("40020001 40020002")


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (publish(1, topic=b"sekisho/v1/+/up"), 0x90),
        (publish(1, topic=b"sekisho/#"), 0x90),
        (publish(1, topic=b""), 0x82),
        (publish(1, topic=b"\xff\xfe"), 0x90),
        (b"\x30\xff\xff\x7f" + bytes(9), 0x95),
        (connect(), 0x82),
        (b"\xf0\x00", 0x82),
        (b"\x36\x00", 0x81),
        (b"\xc0\x01\x00", 0x81),
        (b"\x20\x03\x00\x00\x00", 0x82),
    ],
    ids=[
        "a wildcard", "another wildcard", "no topic", "no UTF-8", "too large",
        "a second CONNECT", "AUTH", "QoS 3", "malformed", "a server's packet",
    ],
)  # fmt: skip
async def test_a_broken_rule_ends_the_connection_with_its_reason(
    packet: bytes, reason: int
) -> None:
    """§4.13: DISCONNECT with the reason in MQTT 5; what came whole before it was taken."""
    async with House() as house:
        client = await house.guest()
        client.say(publish(1, b"before"), packet, publish(2, b"behind"))
        (goodbye,) = await client.hear()

        assert goodbye == Disconnect(reason)
        assert await client.rest() == b""
        assert house.receiver.payloads == [b"before"]


async def test_a_broken_rule_ends_mqtt_3_1_1_without_a_word() -> None:
    """3.1.1 knows no DISCONNECT from the server."""
    async with House() as house:
        client = await house.guest(4)
        client.say(publish(1, topic=b"sekisho/#", version=4))
        assert await client.rest() == b""


# -- everything else --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "suback", "unsuback"),
    [(4, "90 04 0009 80 80", "b0 02 000a"), (5, "90 05 0009 00 a2 87", "b0 04 000a 00 11")],
)
async def test_nobody_else_s_topic_can_be_subscribed_to(
    version: int, suback: str, unsuback: str
) -> None:
    """Refused per filter, the connection stays (§3.9.3, §3.11.3)."""
    unsubscribe = "a2 05 000a 0001 23" if version == 4 else "a2 06 000a 00 0001 23"
    expected = bytes.fromhex(suback + unsuback) + encode.PINGRESP
    async with House() as house:
        client = await house.guest(version)
        client.say(
            encode.subscribe(version, 9, ["#", "a/b"]), bytes.fromhex(unsubscribe), encode.PINGREQ
        )
        assert await client.reader.readexactly(len(expected)) == expected


async def test_disconnect_ends_it_quietly() -> None:
    async with House() as house:
        client = await house.guest()
        client.say(publish(1, b"last"), encode.disconnect(5))
        assert await client.rest() == b""
        assert house.receiver.payloads == [b"last"]
        house.receiver.settle()  # nobody is there any more: no fault
