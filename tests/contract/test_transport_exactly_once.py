"""The MQTT door over loopback sockets: QoS 2, the receive maximum and topic aliases, byte for byte."""

from typing import Any

import pytest

from gateway.model.reason import Reason
from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.codes import Code, Type
from gateway.wire.mqtt.packets import Ack, Disconnect
from tests.fakes.mqtt_door import UP, Client, House, connect, publish, remembered, settled, until


async def handed_over(house: House, *payloads: bytes) -> None:
    """Wait until exactly these wait for their commit."""
    await until(lambda: len(house.receiver.payloads) >= len(payloads))
    assert house.receiver.payloads == list(payloads)


def twice(n: int, payload: bytes = b"x", **more: Any) -> bytes:
    """A PUBLISH at QoS 2."""
    return publish(n, payload, qos=2, **more)


async def nothing_said(client: Client) -> None:
    """Nothing has been sent to the client."""
    client.say(encode.PINGREQ)
    assert await client.reader.readexactly(2) == encode.PINGRESP


# -- QoS 2 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [4, 5])
async def test_pubrec_leaves_after_the_commit_and_pubcomp_after_pubrel(version: int) -> None:
    """§4.3.3: PUBLISH, commit, PUBREC, PUBREL, PUBCOMP; each two bytes of success in both versions."""
    async with House() as house:
        client = await house.guest(version)
        client.say(twice(0x1234, version=version))
        await handed_over(house, b"x")
        await nothing_said(client)

        house.receiver.settle()
        assert await client.reader.readexactly(4) == bytes.fromhex("50 02 12 34")
        client.say(encode.pubrel(version, 0x1234))
        assert await client.reader.readexactly(4) == bytes.fromhex("70 02 12 34")


async def test_qos_2_is_not_said_to_be_missing() -> None:
    """§3.2.2.3.4: without a Maximum QoS in CONNACK, 2 is offered."""
    async with House() as house:
        client = await house.arrive()
        client.say(connect())
        (answer,) = await client.hear()
        assert fields.MAXIMUM_QOS not in answer.properties


async def test_a_refused_publish_ends_its_exchange_in_mqtt_5() -> None:
    """§4.3.3: PUBREC with 0x80 and above; the identifier is free again at once."""
    async with House() as house:
        client = await house.guest()
        client.say(twice(1, b"bad"), twice(2, b"good"))
        await handed_over(house, b"bad", b"good")
        house.receiver.settle({0: Reason.UNDECODABLE})
        refused, taken = await client.hear(packets=2)
        assert refused == Ack(Type.PUBREC, 1, Code.PAYLOAD_FORMAT_INVALID)
        assert taken == Ack(Type.PUBREC, 2, Code.SUCCESS)

        client.say(twice(1, b"new"))
        await handed_over(house, b"new")


async def test_a_refused_publish_goes_the_whole_way_in_mqtt_3_1_1() -> None:
    """Its PUBREC carries no reason: what was refused must not come again for ever."""
    async with House() as house:
        client = await house.guest(4)
        client.say(twice(1, b"bad", version=4))
        await handed_over(house, b"bad")
        house.receiver.settle({0: Reason.UNDECODABLE})
        assert await client.reader.readexactly(4) == bytes.fromhex("50 02 00 01")
        client.say(encode.pubrel(4, 1))
        assert await client.reader.readexactly(4) == bytes.fromhex("70 02 00 01")


async def test_a_publish_that_comes_again_is_answered_and_not_handed_over_again() -> None:
    """§4.3.3, method B: until its PUBREL came, the identifier names one application message."""
    async with House() as house:
        client = await house.guest(4)
        client.say(twice(7, version=4))
        await handed_over(house, b"x")
        client.say(twice(7, version=4, dup=True))
        await nothing_said(client)
        house.receiver.settle()
        assert await client.reader.readexactly(4) == bytes.fromhex("50 02 00 07")

        client.say(twice(7, version=4, dup=True))
        assert await client.reader.readexactly(4) == bytes.fromhex("50 02 00 07")
        client.say(encode.pubrel(4, 7))
        await client.reader.readexactly(4)
        assert house.receiver.payloads == []

        client.say(twice(7, b"another", version=4))
        await handed_over(house, b"another")


async def test_a_device_that_forgot_its_session_loses_no_uplink() -> None:
    """§3.3.1.1: without DUP it is another message, though an exchange of that identifier was left open."""
    async with House() as house:
        first = await house.arrive()
        first.say(remembered(), twice(1, b"before the reboot"))
        await handed_over(house, b"before the reboot")
        house.receiver.settle()
        await first.hear(packets=2)
        first.close()
        await settled()

        second = await house.arrive()
        second.say(remembered(), twice(1, b"after it"))
        await handed_over(house, b"after it")
        house.receiver.settle()
        second.say(encode.pubrel(5, 1))
        _, taken, complete = await second.hear(packets=3)
        assert (taken, complete) == (Ack(Type.PUBREC, 1, 0), Ack(Type.PUBCOMP, 1, 0))


async def test_answers_of_both_kinds_leave_in_order_of_arrival() -> None:
    """§4.6: PUBACK and PUBREC of one connection, in one write; and one that came again takes its turn."""
    async with House() as house:
        client = await house.guest(4)
        client.say(twice(1, version=4))
        await handed_over(house, b"x")
        house.receiver.settle()
        await client.reader.readexactly(4)

        client.say(
            publish(2, version=4),
            twice(3, version=4),
            twice(1, version=4, dup=True),
            publish(4, version=4),
        )
        await until(lambda: len(house.receiver.payloads) == 3)
        house.receiver.settle()
        answers = await client.hear(4, packets=4)
    assert [(ack.type, ack.packet_id) for ack in answers] == [
        (Type.PUBACK, 2), (Type.PUBREC, 3), (Type.PUBREC, 1), (Type.PUBACK, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(("version", "answer"), [(4, "70 02 00 09"), (5, "70 03 00 09 92")])
async def test_a_pubrel_that_nobody_waits_for_is_answered_by_the_book(
    version: int, answer: str
) -> None:
    """§3.7.2.1: 0x92 in MQTT 5, which after a restart is no fault; 3.1.1 just completes."""
    expected = bytes.fromhex(answer)
    async with House() as house:
        client = await house.guest(version)
        client.say(encode.pubrel(version, 9))
        assert await client.reader.readexactly(len(expected)) == expected
        await nothing_said(client)


async def test_a_pubrel_before_its_pubrec_is_a_broken_rule() -> None:
    """Nothing is released that is not on disk yet."""
    async with House() as house:
        client = await house.guest()
        client.say(twice(1))
        await handed_over(house, b"x")
        client.say(encode.pubrel(5, 1))
        assert await client.hear() == [Disconnect(Code.PROTOCOL_ERROR)]


async def test_an_exchange_goes_on_over_a_reconnect() -> None:
    """A remembered session keeps its identifiers: no second hand-over, and PUBREL is known."""
    async with House() as house:
        first = await house.arrive()
        first.say(remembered(), twice(5))
        await handed_over(house, b"x")
        house.receiver.settle()
        await first.hear(packets=2)
        first.close()
        await settled()

        second = await house.arrive()
        second.say(remembered(), twice(5, dup=True), encode.pubrel(5, 5))
        _, again, complete = await second.hear(packets=3)
        assert again == Ack(Type.PUBREC, 5, 0)
        assert complete == Ack(Type.PUBCOMP, 5, 0)
        assert house.receiver.payloads == []


@pytest.mark.parametrize(("refused", "reason"), [({}, 0), ({0: Reason.UNDECODABLE}, 0x99)])
async def test_a_commit_that_ends_after_the_reconnect_is_told_to_the_new_connection(
    refused: dict[int, Reason], reason: int
) -> None:
    """The first connection handed it over, the second one asked again: one uplink, one PUBREC."""
    async with House() as house:
        first = await house.arrive()
        first.say(remembered(), twice(5))
        await handed_over(house, b"x")
        first.close()
        await settled()

        second = await house.arrive()
        second.say(remembered(), twice(5, dup=True))
        await second.hear()
        await settled()
        assert house.receiver.payloads == [b"x"]
        house.receiver.settle(refused)
        assert await second.hear() == [Ack(Type.PUBREC, 5, reason)]


async def test_nothing_is_said_before_connack() -> None:
    """§3.2: a commit that ends while the new connection waits for the disk is told after its CONNACK."""
    async with House() as house:
        first = await house.arrive()
        first.say(remembered(), twice(5))
        await handed_over(house, b"x")
        house.kept.pen.slow = True
        second = await house.arrive()
        second.say(remembered(expiry_s=9 * 86_400), twice(5, dup=True))
        await settled()
        house.receiver.settle()
        house.kept.pen.slow = False
        house.kept.pen.catch_up()
        greeting, answer = await second.hear(packets=2)
        assert greeting.session_present
        assert answer == Ack(Type.PUBREC, 5, 0)
        await nothing_said(second)


async def test_a_clean_start_forgets_every_exchange() -> None:
    """§3.1.2.4: state and identifiers are discarded with the session."""
    async with House() as house:
        first = await house.arrive()
        first.say(remembered(), twice(5))
        await handed_over(house, b"x")
        house.receiver.settle()
        await first.hear(packets=2)

        second = await house.arrive()
        second.say(remembered(clean=True), twice(5, b"anew"))
        await handed_over(house, b"anew")


# -- receive maximum --------------------------------------------------------------------------


@pytest.mark.parametrize("qos", [1, 2])
async def test_more_publishes_than_the_receive_maximum_end_the_connection(qos: int) -> None:
    """§3.3.4: 0x93 to a client that goes beyond what was announced."""
    async with House(pending=3) as house:
        client = await house.guest()
        client.say(*(publish(n, qos=qos) for n in range(1, 5)))
        assert await client.hear() == [Disconnect(Code.RECEIVE_MAXIMUM_EXCEEDED)]


async def test_a_qos_2_publish_counts_until_its_pubcomp() -> None:
    """§4.9: PUBREC gives no room back, PUBCOMP does, and so does a PUBREC that refuses."""
    async with House(pending=2) as house:
        client = await house.guest()
        client.say(twice(1), twice(2))
        await until(lambda: len(house.receiver.payloads) == 2)
        house.receiver.settle({1: Reason.UNDECODABLE})
        await client.hear(packets=2)
        client.say(twice(3, b"third"))  # the refused one made room
        await handed_over(house, b"third")
        house.receiver.settle()
        await client.hear()

        client.say(encode.pubrel(5, 1))
        await client.hear()
        client.say(twice(4, b"fourth"))
        await handed_over(house, b"fourth")
        client.say(twice(5))
        assert await client.hear() == [Disconnect(Code.RECEIVE_MAXIMUM_EXCEEDED)]


async def test_mqtt_3_1_1_has_agreed_to_no_receive_maximum() -> None:
    """Its flood stays in its socket instead."""
    async with House(pending=3) as house:
        client = await house.guest(4)
        client.say(*(twice(n, version=4) for n in range(1, 9)))
        await until(lambda: len(house.receiver.payloads) == 8)
        house.receiver.settle()
        assert len(await client.hear(4, packets=8)) == 8


# -- topic aliases ----------------------------------------------------------------------------


async def test_a_client_that_never_releases_is_ended_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MQTT 3.1.1 knows no receive maximum, and each open exchange is remembered."""
    monkeypatch.setattr("gateway.transports.mqtt_listener.exchange.MOST", 20)
    async with House() as house:
        client = await house.guest(version=4)
        client.say(*(twice(n, version=4) for n in range(1, 22)))
        assert await client.rest() == b""
        assert house.facts.counts["protocol broken"] == 1


def aliased(alias: int, topic: bytes = b"", n: int = 1, payload: bytes = b"x") -> bytes:
    """A PUBLISH of MQTT 5 with a topic alias."""
    return encode.publish(5, topic, payload, 1, n, properties={fields.TOPIC_ALIAS: alias})


async def test_an_alias_stands_for_its_topic_until_it_is_given_another() -> None:
    """§3.3.2.3.4: set with a topic, used without, replaced with another topic."""
    other = b"sekisho/v1/nobody/up"
    async with House() as house:
        client = await house.guest()
        client.say(aliased(64, UP, 1), aliased(64, n=2), aliased(64, other, 3), aliased(64, n=4))
        await until(lambda: len(house.receiver.payloads) == 4)
        routes = [route for _, uplinks in house.receiver.waiting for route, _ in uplinks.items]
    names = [route if isinstance(route, Reason) else route.device.device for route in routes]
    assert names == ["river-1", "river-1", Reason.UNKNOWN_DEVICE, Reason.UNKNOWN_DEVICE]


@pytest.mark.parametrize("alias", [0, 9, 65_535])
async def test_an_alias_that_was_not_offered_ends_the_connection(alias: int) -> None:
    """§3.3.2.3.4: 0 and everything beyond the Topic Alias Maximum is 0x94."""
    async with House(topic_aliases=8) as house:
        client = await house.guest()
        client.say(aliased(alias, UP))
        assert await client.hear() == [Disconnect(Code.TOPIC_ALIAS_INVALID)]


async def test_an_alias_lasts_as_long_as_its_connection() -> None:
    """§3.3.2.3.4: also where the session goes on."""
    async with House() as house:
        first = await house.arrive()
        first.say(remembered(), aliased(1, UP))
        await handed_over(house, b"x")
        second = await house.arrive()
        second.say(remembered(), aliased(1))
        _, goodbye = await second.hear(packets=2)
        assert goodbye == Disconnect(Code.TOPIC_ALIAS_INVALID)


async def test_where_no_alias_is_offered_none_may_be_used() -> None:
    """Setting topic_aliases: 0."""
    async with House(topic_aliases=0) as house:
        client = await house.arrive()
        client.say(connect(), aliased(1, UP))
        greeting, goodbye = await client.hear(packets=2)
        assert greeting.properties[fields.TOPIC_ALIAS_MAXIMUM] == 0
        assert goodbye == Disconnect(Code.TOPIC_ALIAS_INVALID)


async def test_an_alias_cannot_hold_a_topic_without_measure() -> None:
    """What aliases keep in memory has a bound."""
    async with House() as house:
        client = await house.guest()
        client.say(aliased(1, b"t" * 1025))
        assert await client.hear() == [Disconnect(Code.QUOTA_EXCEEDED)]
