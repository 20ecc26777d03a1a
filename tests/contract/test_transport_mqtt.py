"""The MQTT door over loopback sockets: who comes in, and what becomes of what they say."""

import pytest

from gateway.model.reason import Reason
from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Ack, ConnAck, Disconnect
from tests.fakes.mqtt_door import UP, Client, House, connect, publish, settled, until

# -- CONNECT ----------------------------------------------------------------------------------


async def test_mqtt_3_1_1_is_let_in_with_four_bytes() -> None:
    """3.1.1 §3.2: no properties, whatever the client asked for. The CONNECT is written by hand."""
    async with House() as house:
        client = await house.arrive()
        client.say(
            bytes.fromhex("10 26 0004") + b"MQTT" + bytes.fromhex("04 c2 003c 0001") + b"c"
            b"\x00\x05meter\x00\x100123456789abcdef"
        )  # fmt: skip
        assert await client.reader.readexactly(4) == bytes.fromhex("20 02 00 00")


async def test_mqtt_5_is_told_what_this_door_does_not_do() -> None:
    """§3.2.2.3: everything a client must know to stay out of trouble."""
    async with House(pending=7, packet_bytes=999, keep_alive_s=90) as house:
        client = await house.arrive()
        client.say(connect(5, keep_alive_s=60))
        (answer,) = await client.hear()

    assert isinstance(answer, ConnAck)
    assert (answer.reason, answer.session_present) == (0, False)
    del answer.properties[fields.USER_PROPERTY]
    assert answer.properties == {
        fields.SESSION_EXPIRY: 0,
        fields.RECEIVE_MAXIMUM: 7,
        fields.MAXIMUM_QOS: 1,
        fields.RETAIN_AVAILABLE: 0,
        fields.MAXIMUM_PACKET_SIZE: 999,
        fields.TOPIC_ALIAS_MAXIMUM: 0,
        fields.WILDCARD_AVAILABLE: 0,
        fields.SUBSCRIPTION_ID_AVAILABLE: 0,
        fields.SHARED_AVAILABLE: 0,
    }


@pytest.mark.parametrize(("asked_s", "granted"), [(0, 90), (91, 90), (90, None), (1, None)])
async def test_mqtt_5_is_told_a_shorter_keep_alive(asked_s: int, granted: int | None) -> None:
    async with House(keep_alive_s=90) as house:
        client = await house.arrive()
        client.say(connect(5, keep_alive_s=asked_s))
        (answer,) = await client.hear()
    assert answer.properties.get(fields.SERVER_KEEP_ALIVE) == granted


async def test_a_client_without_an_id_is_given_one_of_its_own() -> None:
    async with House() as house:
        names = set()
        for _ in range(2):
            client = await house.arrive()
            client.say(connect(5, client_id=""))
            (answer,) = await client.hear()
            names.add(answer.properties[fields.ASSIGNED_CLIENT_ID])
    assert len(names) == 2


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize(
    ("username", "password"),
    [("meter", b"wrong"), ("nobody", b"x"), (None, None), ("meter", None), ("", b"")],
)
async def test_who_proves_nothing_stays_outside(
    version: int, username: str | None, password: bytes | None
) -> None:
    """One answer for all of them: it must not say which names exist."""
    async with House() as house:
        client = await house.arrive()
        client.say(connect(version, username=username, password=password), publish(1))
        said = await client.rest()

        assert said == bytes.fromhex("20 02 00 04" if version == 4 else "20 03 00 86 00")
        assert house.receiver.payloads == []


async def test_anonymous_clients_come_in_from_loopback_where_it_is_configured() -> None:
    async with House(anonymous=True) as house:
        client = await house.guest(username=None, password=None)
        client.say(publish(1, b"x", b"sekisho/v1/child-1/up"))
        await until(lambda: house.receiver.payloads == [b"x"])


async def test_extended_authentication_is_refused() -> None:
    """§4.12: no authentication method is offered."""
    async with House() as house:
        client = await house.arrive()
        method = fields.put_properties({fields.AUTH_METHOD: "SCRAM"})
        body = b"\x00\x04MQTT\x05\x02\x00\x3c" + method + b"\x00\x01c"
        client.say(b"\x10" + fields.put_varint(len(body)) + body)
        assert await client.rest() == bytes.fromhex("20 03 00 8c 00")


@pytest.mark.parametrize(
    "hello",
    ["10 0e 0006 4d5149736470 03 02 003c 0000", "10 0d 0004 4d515454 06 02 003c 00 0000"],
    ids=["MQTT 3.1", "MQTT 6"],
)
async def test_a_version_nobody_speaks_here_is_told_so(hello: str) -> None:
    """Return code 1 in the form of 3.1.1, which any client can read (§3.1.2.2)."""
    async with House() as house:
        client = await house.arrive()
        client.say(bytes.fromhex(hello))
        assert await client.rest() == bytes.fromhex("20 02 00 01")


async def test_mqtt_3_1_1_cannot_resume_a_session_without_a_name() -> None:
    """3.1.1 §3.1.3.1: empty client id and clean session 0 is return code 2."""
    async with House() as house:
        client = await house.arrive()
        client.say(b"\x10\x21\x00\x04MQTT\x04\xc0\x00\x3c\x00\x00\x00\x05meter\x00\x0cxxxxxxxxxxxx")
        assert await client.rest() == bytes.fromhex("20 02 00 02")


async def test_one_too_many_is_told_so_and_room_returns() -> None:
    async with House(connections=1) as house:
        first = await house.guest()
        second = await house.arrive()
        second.say(connect())
        assert (await second.hear())[0].reason == Code.QUOTA_EXCEEDED

        first.say(encode.disconnect(5))
        assert await first.rest() == b""
        await house.guest()


@pytest.mark.parametrize(
    "first",
    [
        publish(1),
        encode.PINGREQ,
        encode.subscribe(5, 1, ["a"]),
        b"\xc0\x01\x00",
        b"GET / HTTP/1.1\r\n" + b"Accept: */*\r\n" * 9,
    ],
    ids=["PUBLISH", "PINGREQ", "SUBSCRIBE", "malformed", "a browser"],
)
async def test_whoever_does_not_begin_with_connect_is_shut_out(first: bytes) -> None:
    """§3.1: without a word, for there is no version to say it in."""
    async with House() as house:
        client = await house.arrive()
        client.say(first)
        assert await client.rest() == b""
        assert house.receiver.payloads == []


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
        (encode.publish(5, UP, b"x", 2, 1), 0x9B),
        (publish(1, topic=b"sekisho/v1/+/up"), 0x90),
        (publish(1, topic=b"sekisho/#"), 0x90),
        (publish(1, topic=b""), 0x90),
        (publish(1, topic=b"\xff\xfe"), 0x90),
        (b"\x30\xff\xff\x7f" + bytes(9), 0x95),
        (connect(), 0x82),
        (b"\xf0\x00", 0x82),
        (b"\x36\x00", 0x81),
        (b"\xc0\x01\x00", 0x81),
        (b"\x20\x03\x00\x00\x00", 0x82),
    ],
    ids=[
        "QoS 2", "a wildcard", "another wildcard", "no topic", "no UTF-8", "too large",
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
        client.say(encode.publish(4, UP, b"x", 2, 1))
        assert await client.rest() == b""


# -- everything else --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "suback", "unsuback"),
    [(4, "90 04 0009 80 80", "b0 02 000a"), (5, "90 05 0009 00 87 87", "b0 04 000a 00 11")],
)
async def test_nothing_can_be_subscribed_to(version: int, suback: str, unsuback: str) -> None:
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
