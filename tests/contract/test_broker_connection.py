"""One connection to a broker, played byte by byte: acknowledgements, their order, people, codecs, pressure."""

import asyncio
from dataclasses import replace

import pytest

from gateway.model.device import Device, Directory
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.model.uplink import Route
from gateway.transports.mqtt_client.connection import DROPPED
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code, Type
from gateway.wire.mqtt.packets import Ack
from tests.fakes.broker import JOIN, Played, event, join
from tests.fakes.readings import child, gauge
from tests.fakes.scripts import Slow, scripted

EUI, OTHER = "0101010101010101", "0202020202020202"
OWN = b"sekisho/v1/river-1/up"


def with_eui(device: Device, eui: str = EUI, **more: str) -> Device:
    return replace(device, attributes={**device.attributes, "dev_eui": eui, **more})


def routes(played: Played) -> list[Route | Reason]:
    return [route for _, uplinks in played.worker.waiting for route, _ in uplinks.items]


@pytest.mark.parametrize("version", [4, 5])
def test_nothing_is_acknowledged_before_its_commit_and_everything_in_order(version: int) -> None:
    """Uplinks are acknowledged when their commit is done, not before; a join behind what came before it;
    what is none of the format or nobody's, too, since a broker would only bring it again."""
    played = Played(with_eui(gauge()), version=version)

    played.say(
        played.publish(7, event(EUI, 1)),
        played.publish(3, join(EUI), JOIN),
        played.publish(9, b"{"),
        played.publish(4, event(OTHER, 1)),
        played.publish(5, b"{}", topic=OWN),
    )
    before = played.acknowledged()
    found = routes(played)
    played.worker.settle({1: Reason.UNDECODABLE})

    assert before == []
    assert found[1:3] == [Reason.UNDECODABLE, Reason.UNKNOWN_DEVICE]
    assert isinstance(found[0], Route)
    assert isinstance(found[3], Route)
    assert played.acknowledged() == [7, 3, 9, 4, 5]


def test_what_is_no_uplink_is_acknowledged_at_once_where_nothing_waits() -> None:
    """A join, a retained message and one at QoS 0 hand nothing over that could be waited for."""
    played = Played(with_eui(gauge()))
    retained = bytearray(played.publish(12, event(EUI, 1)))
    retained[0] |= 1

    played.say(played.publish(11, join(EUI), JOIN), bytes(retained))

    assert played.acknowledged() == [11, 12]
    assert played.worker.waiting == []
    played.say(played.publish(0, event(EUI, 2), qos=0))
    played.worker.settle()
    assert played.acknowledged() == []


def test_a_broken_line_takes_its_acknowledgements_along() -> None:
    """What is committed after its connection ended is acknowledged nowhere: it comes again, and is known."""
    played = Played(with_eui(gauge()))
    played.say(played.publish(1, event(EUI, 1)))

    played.connection.connection_lost(None)
    played.worker.settle()

    assert played.heard() == []
    assert played.connection.ended.is_set()


def test_people_are_refused_unless_somebody_said_why_not() -> None:
    """Somebody else's broker sees raw positions: a child's uplink that comes by it is rejected, forwarded or
    on our own topic, unless the configuration accepts it in words."""
    kid = with_eui(child())
    own = b"sekisho/v1/child-1/up"
    refusing, accepting = Played(kid), Played(kid, raw_on_broker_accepted="our own rack")
    for played in (refusing, accepting):
        played.say(played.publish(1, event(EUI, 1)), played.publish(2, b"{}", topic=own))

    assert routes(refusing) == [Reason.RAW_ON_BROKER] * 2
    assert all(isinstance(route, Route) for route in routes(accepting))


async def turns() -> None:
    """Let every task go as far as it can."""
    for _ in range(8):
        await asyncio.sleep(0)


async def test_a_slow_codec_holds_up_acknowledgements_and_nothing_else() -> None:
    """What came behind a message whose codec takes its time is handed over and committed meanwhile; only its
    acknowledgement waits, so that their order is the order of arrival. Two of one device stay in order."""
    scripts = Slow()
    other = replace(with_eui(gauge(), OTHER), device=DeviceId("river-2"))
    played = Played(with_eui(gauge()), other, scripts=scripts)
    played.sorter.sort = scripted(played.sorter.sort, OTHER)  # type: ignore[method-assign]

    played.say(
        played.publish(1, event(EUI, 1)),
        played.publish(2, event(OTHER, 1)),
        played.publish(3, event(EUI, 2)),
        played.publish(4, event(OTHER, 2)),
        played.publish(5, event(EUI, 3)),
    )
    await turns()
    handed = len(routes(played))
    played.worker.settle()
    at_first = played.acknowledged()
    scripts.waiting[1].set_result(Reason.UNDECODABLE)  # the second of that device ends first
    await turns()
    early = routes(played)
    scripts.waiting[0].set_result(None)
    await turns()
    made = played.worker.payloads[0]
    refused = routes(played)[1]
    played.worker.settle()

    assert handed == 3
    assert at_first == [1]
    assert early == []
    assert isinstance(made, Forwarded)
    assert made.object == {"distance": 2.0}
    assert refused is Reason.UNDECODABLE
    assert played.acknowledged() == [2, 3, 4, 5]


async def test_a_codec_that_nobody_runs_is_no_codec() -> None:
    """Without an engine a message that needs one is rejected, and acknowledged in its turn."""
    played = Played(with_eui(gauge(), OTHER))
    played.sorter.sort = scripted(played.sorter.sort, OTHER)  # type: ignore[method-assign]
    played.say(played.publish(1, event(OTHER, 1)), played.publish(2, join(OTHER), JOIN))

    assert routes(played) == [Reason.NO_CODEC]
    played.worker.settle()
    assert played.acknowledged() == [1, 2]


def test_at_qos_2_a_message_is_received_when_it_is_on_disk() -> None:
    """PUBREC takes the place of PUBACK; PUBREL is answered at once."""
    played = Played(with_eui(gauge()))
    played.say(played.publish(8, event(EUI, 1), qos=2))
    nothing = played.heard()
    played.worker.settle()
    received = played.heard()
    played.say(encode.pubrel(5, 8))

    assert nothing == []
    assert received == [Ack(Type.PUBREC, 8, 0)]
    assert played.heard() == [Ack(Type.PUBCOMP, 8, 0)]


def test_a_flood_is_not_read_further_than_it_may_wait() -> None:
    """Reading stops when `pending` messages wait for their commit, and goes on when half of them are gone."""
    played = Played(with_eui(gauge()), pending=4)
    played.say(*[played.publish(n, event(EUI, n)) for n in (1, 2, 3)])
    first = played.wire.reading
    played.say(played.publish(4, event(EUI, 4)))
    full = played.wire.reading
    played.worker.settle()

    assert (first, full, played.wire.reading) == (True, False, True)


def test_a_stop_reads_no_more_and_still_acknowledges() -> None:
    """While the gateway stops, what it has is committed and acknowledged, and nothing else is read."""
    played = Played(with_eui(gauge()))
    played.say(played.publish(1, event(EUI, 1)))
    played.connection.hush()
    played.worker.settle()

    assert not played.wire.reading
    assert played.acknowledged() == [1]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (encode.disconnect(5, Code.SESSION_TAKEN_OVER), "the broker said session taken over"),
        (b"\x36\x05\x00\x01a\x00\x00", "it broke MQTT (QoS 3)"),
        (b"\x30\xff\xff\x7f", "it broke MQTT (a packet larger than announced: raise packet"),
    ],
)
def test_an_end_says_why(said: bytes, why: str) -> None:
    """What the broker said last, or did wrong, is what people are told."""
    played = Played()
    played.say(said)

    assert played.connection.why.startswith(why)
    assert played.wire.closing


def test_a_message_before_the_connack_is_no_message() -> None:
    """A peer that sends before it accepted us is no broker."""
    played = Played(with_eui(gauge()), greeted=False)
    played.say(played.publish(1, event(EUI, 1)))

    assert played.worker.waiting == []
    assert played.wire.closing


def test_what_the_broker_threw_away_is_heard() -> None:
    """Mosquitto's own count of lost messages is read, and nothing else on that topic is believed."""
    played = Played()
    for said in (b"3", b"many", b"9" * 40):
        played.say(played.publish(0, said, topic=DROPPED.encode(), qos=0))

    assert played.thrown_away == [3]


def test_the_registry_is_asked_anew_after_a_change() -> None:
    """A device that is registered while the connection stands is heard from then on."""
    played = Played()
    played.say(played.publish(1, b"{}", topic=OWN), played.publish(2, event(EUI, 1)))
    played.sorter.renew(Directory({DeviceId("river-1"): with_eui(gauge())}, {}))
    played.say(played.publish(3, b"{}", topic=OWN), played.publish(4, event(EUI, 1)))

    found = routes(played)
    assert found[:2] == [Reason.UNKNOWN_DEVICE] * 2
    assert all(isinstance(route, Route) for route in found[2:])
