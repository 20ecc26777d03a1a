"""The MQTT door over loopback sockets: a device subscribes to its own commands, and gets them."""

from pathlib import Path
from typing import Any

import pytest

from gateway.model.identity import DeviceId
from gateway.sessions.command import Outcome
from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import ConnAck, Disconnect, Publish, SubAck, UnsubAck
from tests.fakes.mqtt_door import (
    Client,
    House,
    connect,
    directory,
    publish,
    remembered,
    settled,
    until,
)

DEVICE = DeviceId("river-1")
TOPIC = "sekisho/v1/river-1/command"
HOUR_US = 3_600_000_000


def give(house: House, payload: bytes = b"open", device: DeviceId = DEVICE) -> list[Outcome]:
    """Give a command that lasts an hour; where its outcome will stand."""
    outcomes: list[Outcome] = []
    expires = house.clock.now() + HOUR_US
    given = house.kept.commands.give(device, payload, expires, lambda _ok: None, outcomes.append)
    assert given is not None
    return outcomes


async def heard(client: Client, version: int = 5) -> Any:
    """The next packet."""
    (packet,) = await client.hear(version)
    return packet


async def subscribed(house: House, hello: bytes | None = None, qos: int = 1) -> Client:
    """A client that hears its device's commands."""
    client = await house.arrive()
    client.say(hello or connect(), encode.subscribe(5, 9, [TOPIC], qos))
    greeting, suback = await client.hear(packets=2)
    assert greeting.reason == 0
    assert suback == SubAck(9, (min(qos, 1),))
    return client


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("version", [4, 5])
async def test_a_device_may_subscribe_to_its_own_commands(version: int, qos: int) -> None:
    """QoS as asked for, 1 at most (§3.9.3)."""
    async with House() as house:
        client = await house.guest(version)
        client.say(encode.subscribe(version, 7, [TOPIC], qos))
        assert await heard(client, version) == SubAck(7, (min(qos, 1),))


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        (0xA2, "#"), (0xA2, "sekisho/v1/+/command"), (0xA2, "sekisho/v1/river-1/#"),
        (0x9E, "$share/g/" + TOPIC), (0x9E, "$share/g/#"), (0x87, "sekisho/v1/river-1/up"),
        (0x87, "sekisho/v1/child-1/command"), (0x87, "sekisho/v1/nobody/command"),
        (0x87, TOPIC + "/"), (0x87, "/" + TOPIC), (0x87, "sekisho/v1/river-1/command/command"),
    ],
)  # fmt: skip
async def test_nothing_else_can_be_subscribed_to(reason: int, topic: str) -> None:
    """Each filter is judged by itself (§3.9.3); the connection stays."""
    async with House() as house:
        for version, refused in ((4, 0x80), (5, reason)):
            client = await house.guest(version)
            client.say(encode.subscribe(version, 7, [topic, TOPIC]), encode.PINGREQ)
            answer, _ = await client.hear(version, 2)
            assert answer == SubAck(7, (refused, 1))


async def test_a_subscription_identifier_ends_the_connection() -> None:
    """§3.8.2.1.2: none were offered, 0xA1."""
    async with House() as house:
        client = await house.guest()
        identified = b"\x00\x07\x02\x0b\x05\x00\x01a\x01"
        client.say(b"\x82" + bytes([len(identified)]) + identified)
        assert await heard(client) == Disconnect(Code.SUBSCRIPTION_IDS_NOT_SUPPORTED)


@pytest.mark.parametrize("version", [4, 5])
async def test_a_command_comes_at_once_and_goes_with_its_acknowledgement(version: int) -> None:
    """PUBLISH at QoS 1 with the time it has left; PUBACK takes it from the disk."""
    async with House() as house:
        client = await house.guest(version)
        client.say(encode.subscribe(version, 9, [TOPIC]))
        await client.hear(version)
        outcomes = give(house)
        expiry = {fields.MESSAGE_EXPIRY: 3600}
        expected = encode.publish(version, TOPIC.encode(), b"open", 1, 1, properties=expiry if version == 5 else None)  # fmt: skip
        assert await client.reader.readexactly(len(expected)) == expected
        assert outcomes == []
        client.say(encode.puback(version, 1))
        await until(lambda: outcomes == [Outcome.ACKNOWLEDGED])
        assert house.kept.commands.waiting(DEVICE) == []


async def test_a_command_waits_for_whoever_is_not_there(tmp_path: Path) -> None:
    """Over lives of the gateway; delivered at the next subscription, in order."""
    path = tmp_path / "sessions.db"
    async with House(path=path) as house:
        give(house, b"first")
        give(house, b"second")
    async with House(path=path) as house:
        client = await subscribed(house)
        said = await client.hear(packets=2)
        assert [(p.payload, p.packet_id, p.dup) for p in said] == [
            (b"first", 1, False),
            (b"second", 2, False),
        ]


async def test_an_unacknowledged_command_comes_again_marked_so(tmp_path: Path) -> None:
    """§4.4: the same identifier and DUP, at the reconnect of its session, without another SUBSCRIBE; also
    in the gateway's next life."""
    path = tmp_path / "sessions.db"
    async with House(path=path) as house:
        client = await subscribed(house, remembered())
        give(house)
        first = await heard(client)
        client.close()
        await settled()
        client = await house.arrive()
        client.say(remembered())
        greeting, second = await client.hear(packets=2)
        assert greeting.session_present
        assert (first.dup, second) == (False, first._replace(dup=True))
    async with House(path=path) as house:
        client = await house.arrive()
        client.say(remembered())
        greeting, third = await client.hear(packets=2)
        assert greeting.session_present
        assert third == second
        client.say(encode.puback(5, third.packet_id))
        await until(lambda: not house.kept.commands.waiting(DEVICE))
    async with House(path=path) as house:
        assert house.kept.commands.waiting(DEVICE) == []


async def test_a_session_begun_anew_gets_it_as_new(tmp_path: Path) -> None:
    """With the session the delivery is forgotten, not the command."""
    async with House(path=tmp_path / "sessions.db") as house:
        client = await subscribed(house, remembered())
        give(house)
        await client.hear()
        again = await subscribed(house, remembered(clean=True))
        said = await heard(again)
        assert isinstance(said, Publish)
        assert not said.dup


async def test_at_qos_0_a_command_is_handed_out_once() -> None:
    """Nobody acknowledges it, so it waits no longer."""
    async with House() as house:
        outcomes = give(house)
        client = await subscribed(house, qos=0)
        said = await heard(client)
        assert (said.payload, said.qos, said.packet_id) == (b"open", 0, None)
        assert outcomes == [Outcome.SENT]


async def test_a_refusing_puback_takes_the_command_away_too() -> None:
    """§3.4.2.1: a reason of 0x80 and above is the device's no."""
    async with House() as house:
        client = await subscribed(house)
        outcomes = give(house)
        await client.hear()
        client.say(encode.puback(5, 1, Code.UNSPECIFIED))
        await until(lambda: outcomes == [Outcome.REFUSED])


async def test_the_client_s_own_receive_maximum_holds() -> None:
    """§3.3.4: not more on their way than it takes; the next leaves with the acknowledgement."""
    async with House() as house:
        client = await subscribed(house, connect(properties={fields.RECEIVE_MAXIMUM: 2}))
        for n in range(4):
            give(house, b"%d" % n)
        first, second = await client.hear(packets=2)
        client.say(encode.PINGREQ)
        assert await client.reader.readexactly(2) == encode.PINGRESP
        client.say(encode.puback(5, first.packet_id))
        assert (await heard(client)).payload == b"2"
        client.say(encode.puback(5, second.packet_id))
        assert (await heard(client)).payload == b"3"


async def test_a_packet_too_large_for_the_client_is_not_sent() -> None:
    """§3.1.2.11.4: it is dropped, and whoever gave the command is told."""
    async with House() as house:
        client = await subscribed(house, connect(properties={fields.MAXIMUM_PACKET_SIZE: 300}))
        outcomes = give(house, bytes(300))
        assert outcomes == [Outcome.TOO_LARGE]
        give(house, b"short")
        assert (await heard(client)).payload == b"short"


async def test_an_expired_command_is_not_delivered() -> None:
    """§3.3.2.3.3."""
    async with House() as house:
        outcomes = give(house)
        house.clock.advance(3601)
        client = await subscribed(house)
        client.say(encode.PINGREQ)
        assert await client.reader.readexactly(2) == encode.PINGRESP
        assert outcomes == [Outcome.EXPIRED]


async def test_whoever_unsubscribed_hears_nothing_more() -> None:
    """§3.11.3: success where there was a subscription, 0x11 where there was none."""
    async with House() as house:
        client = await subscribed(house, remembered())
        client.say(encode.unsubscribe(5, 3, [TOPIC, TOPIC, "#"]))
        assert await heard(client) == UnsubAck(3, (0, 0, 0x11))
        give(house)
        client.say(encode.PINGREQ)
        assert await client.reader.readexactly(2) == encode.PINGRESP
        client.close()
        await settled()
        client = await house.arrive()
        client.say(remembered(), encode.PINGREQ)
        greeting, pong = await client.hear(packets=2)
        assert isinstance(greeting, ConnAck)
        assert not isinstance(pong, Publish)


async def test_who_unsubscribes_before_the_disk_answers_is_not_subscribed() -> None:
    """§3.10.4: the packets are answered in their order, and the last one holds."""
    async with House() as house:
        client = await house.arrive()
        client.say(remembered())
        await client.hear()
        house.kept.pen.slow = True
        client.say(encode.subscribe(5, 3, [TOPIC]), encode.unsubscribe(5, 4, [TOPIC]))
        await settled()
        house.kept.pen.slow = False
        house.kept.pen.catch_up()
        assert await client.hear(packets=2) == [SubAck(3, (1,)), UnsubAck(4, (0,))]
        assert not house.kept.commands.is_heard(DEVICE)


async def test_the_newest_subscriber_gets_it_and_the_one_before_when_it_leaves() -> None:
    """Two clients of one device: a command is done once, by the one that is there."""
    async with House() as house:
        older = await subscribed(house, connect(client_id="a"))
        newer = await subscribed(house, connect(client_id="b"))
        give(house)
        assert (await heard(newer)).payload == b"open"
        newer.close()
        await settled()
        said = await heard(older)
        assert (said.payload, said.dup) == (b"open", False)


async def test_a_device_that_was_taken_away_hears_nothing_more() -> None:
    """The registry changes while it is connected; and hears again when it may."""
    async with House() as house:
        client = await subscribed(house)
        house.door.renew(directory(devices=("stop-1",)))
        give(house)
        client.say(encode.PINGREQ)
        assert await client.reader.readexactly(2) == encode.PINGRESP
        house.door.renew(directory())
        assert (await heard(client)).payload == b"open"


async def test_a_change_of_the_registry_tries_no_names_where_all_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fleet of ten thousand connections under one credential would stand still for minutes."""
    async with House() as house:
        await subscribed(house)
        tried: list[str] = []
        monkeypatch.setattr(house.kept.names, "subscription", lambda _session, d: tried.append(d))
        house.door.renew(directory())
        assert tried == []
        assert house.kept.commands.is_heard(DEVICE)


async def test_a_disk_that_refuses_a_subscription_says_so() -> None:
    """SUBACK 0x80, and no command is promised."""
    async with House() as house:
        client = await house.arrive()
        client.say(remembered())
        await client.hear()
        house.kept.pen.broken = True
        client.say(encode.subscribe(5, 4, [TOPIC, "#"]))
        assert await heard(client) == SubAck(4, (0x80, 0xA2))


async def test_acknowledgements_of_nothing_are_ignored() -> None:
    """A late PUBACK after a cancelled command is no fault; what only a server sends is."""
    async with House() as house:
        client = await subscribed(house)
        client.say(encode.puback(5, 77), publish(1, b"still here"))
        await until(lambda: house.receiver.payloads == [b"still here"])
        client.say(encode.pubrec(5, 77))
        assert await heard(client) == Disconnect(Code.PROTOCOL_ERROR)
