"""The MQTT door over loopback sockets: who comes in, and what each is told at the greeting."""

import pytest

from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import ConnAck
from tests.fakes.mqtt_door import House, connect, publish, until


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
        fields.RECEIVE_MAXIMUM: 7,
        fields.MAXIMUM_PACKET_SIZE: 999,
        fields.TOPIC_ALIAS_MAXIMUM: 64,
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
