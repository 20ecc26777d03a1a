"""A network server publishes to the devices' own door as to any broker: what it forwards, and what it tells of else."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.interfaces import Scripts
from gateway.model.device import Directory
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.transports.mqtt_listener.forwarding import ServerTopic
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.packets import PingResp
from tests.fakes.mqtt_door import UP as OWN_UP
from tests.fakes.mqtt_door import House, directory, publish, settled, until
from tests.fakes.readings import gauge
from tests.fakes.scripts import Slow, scripted

EUI, OTHER = "0004a30b001c0530", "0004a30b001c0531"
TOPICS = (ServerTopic("application/+/device/+/event/+", "chirpstack_v4"),)
UP = f"application/a/device/{EUI}/event/up".encode()
STATUS = f"application/a/device/{EUI}/event/status".encode()


def document(**more: Any) -> bytes:
    said = {"deviceInfo": {"devEui": EUI}, "devAddr": "00189440", "fCnt": 7, "fPort": 4}
    return json.dumps({**said, "data": "AAlqgAC0AA==", **more}).encode()


def known() -> Directory:
    """The gauge has an EUI; the credential speaks for it."""
    found = directory()
    river = replace(gauge(), attributes={**gauge().attributes, "dev_eui": EUI})
    return replace(found, devices={**found.devices, river.device: river})


def house() -> House:
    return House(server_topics=TOPICS, known=known())


def with_codecs(scripts: Scripts | None = None, **limits: Any) -> House:
    """A second gauge, whose codec is a vendor's script."""
    found = known()
    other = replace(gauge(), device=DeviceId("river-2"), attributes={"dev_eui": OTHER})
    meter = found.credentials["meter"]
    both = replace(meter, devices=meter.devices | {other.device})
    there = replace(
        found, devices={**found.devices, other.device: other}, credentials={"meter": both}
    )
    place = House(server_topics=TOPICS, known=there, scripts=scripts, **limits)
    place.door.forwarding.sort = scripted(place.door.forwarding.sort, OTHER)  # type: ignore[method-assign]
    return place


def others(f_cnt: int) -> bytes:
    """An uplink of the second gauge."""
    return document(deviceInfo={"devEui": OTHER}, fCnt=f_cnt)


async def test_a_server_s_uplink_waits_for_its_commit_like_any_other() -> None:
    async with house() as place:
        client = await place.guest()
        client.say(publish(1, document(), UP))
        await until(lambda: bool(place.receiver.waiting))
        (uplink,) = place.receiver.payloads
        assert isinstance(uplink, Forwarded)
        assert (uplink.f_port, uplink.f_cnt) == (4, 7)
        client.say(encode.PINGREQ)
        assert isinstance((await client.hear())[0], PingResp)  # and no PUBACK before it
        place.receiver.settle()
        (answer,) = await client.hear()
        assert (answer.type, answer.packet_id, answer.reason) == (Type.PUBACK, 1, 0)


@pytest.mark.parametrize("qos", [1, 2])
async def test_what_is_no_uplink_is_answered_behind_what_came_before(qos: int) -> None:
    """§4.6: acknowledgements in the order of arrival; a status is nobody's uplink and is counted."""
    async with house() as place:
        client = await place.guest()
        client.say(publish(1, document(), UP) + publish(2, document(), STATUS, qos=qos))
        client.say(publish(3, document(fCnt=8), UP))
        await until(lambda: len(place.receiver.payloads) == 2)
        assert place.facts.counts["forwarded status"] == 1
        place.receiver.settle()
        answers = await client.hear(packets=3)
        assert [answer.packet_id for answer in answers] == [1, 2, 3]


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_status_alone_is_answered_at_once(qos: int) -> None:
    """And at QoS 2 its exchange goes on to the end."""
    async with house() as place:
        client = await place.guest()
        client.say(publish(5 if qos else None, document(), STATUS, qos=qos))  # type: ignore[arg-type]
        await until(lambda: place.facts.counts["forwarded status"] == 1)
        if qos:
            (answer,) = await client.hear()
            assert (answer.type, answer.packet_id) == (Type.PUBACK if qos == 1 else Type.PUBREC, 5)
        if qos == 2:
            client.say(bytes.fromhex("62 02 0005"))
            (done,) = await client.hear()
            assert (done.type, done.packet_id, done.reason) == (Type.PUBCOMP, 5, 0)
        assert place.receiver.waiting == []


async def test_a_device_that_is_not_this_credential_s_is_a_stranger() -> None:
    async with house() as place:
        client = await place.guest()
        client.say(publish(1, document(deviceInfo={"devEui": "f" * 16}), UP))
        await until(lambda: bool(place.receiver.waiting))
        ((_, uplinks),) = place.receiver.waiting
        assert uplinks.items[0][0] is Reason.UNKNOWN_DEVICE


async def test_a_door_without_server_topics_knows_none() -> None:
    async with House(known=known()) as place:
        client = await place.guest()
        client.say(publish(1, document(), UP))
        await until(lambda: bool(place.receiver.waiting))
        ((_, uplinks),) = place.receiver.waiting
        assert uplinks.items[0][0] is Reason.UNKNOWN_TOPIC


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_slow_codec_holds_up_acknowledgements_and_nothing_else(qos: int) -> None:
    """What came behind an uplink whose codec takes its time is handed over and committed meanwhile, the device's
    own and forwarded; only its answer waits, a status' too. Two of one device stay in order; a refusal keeps its
    reason (MQTT 5)."""
    scripts = Slow()
    async with with_codecs(scripts) as place:
        client = await place.guest()
        client.say(
            publish(1, document(), UP, qos=qos),
            publish(2, others(1), UP, qos=qos),
            publish(3, b"x", OWN_UP, qos=qos),
            publish(4, others(2), UP, qos=qos),
            publish(5, document(), STATUS, qos=qos),
            publish(6, document(fCnt=8), UP, qos=qos),
            encode.PINGREQ,
        )
        await until(lambda: len(place.receiver.payloads) == 3 and len(scripts.waiting) == 2)
        place.receiver.settle()
        first, ping = await client.hear(packets=2)
        scripts.waiting[1].set_result(Reason.UNDECODABLE)  # the second of that device ends first
        await settled()
        early = place.receiver.payloads
        scripts.waiting[0].set_result(None)
        await until(lambda: len(place.receiver.payloads) == 2)
        made = place.receiver.payloads[0]
        place.receiver.settle({}, {0: Reason.UNDECODABLE})
        rest = await client.hear(packets=5)

    assert isinstance(ping, PingResp) or isinstance(first, PingResp)
    assert {getattr(one, "packet_id", 1) for one in (first, ping)} == {1}
    assert early == []
    assert isinstance(made, Forwarded)
    assert made.object == {"distance": 2.0}
    assert [answer.packet_id for answer in rest] == [2, 3, 4, 5, 6]
    assert [answer.reason for answer in rest] == [0, 0, 0x99, 0, 0]


async def test_a_codec_that_nobody_runs_is_no_codec() -> None:
    """Without an engine an uplink that needs one is rejected, and answered in its turn."""
    async with with_codecs() as place:
        client = await place.guest()
        client.say(publish(1, others(1), UP), publish(2, document(), STATUS))
        await until(lambda: bool(place.receiver.waiting))
        ((_, uplinks),) = place.receiver.waiting
        place.receiver.settle({0: Reason.NO_CODEC})
        answers = await client.hear(packets=2)

    assert uplinks.items[0][0] is Reason.NO_CODEC
    assert [answer.packet_id for answer in answers] == [1, 2]


async def test_what_a_codec_makes_is_kept_though_its_connection_is_gone() -> None:
    """At QoS 0 nobody sends it again."""
    scripts = Slow()
    async with with_codecs(scripts) as place:
        client = await place.guest()
        client.say(publish(None, others(1), UP, qos=0))  # type: ignore[arg-type]
        await until(lambda: bool(scripts.waiting))
        client.close()
        await settled()
        scripts.waiting[0].set_result(None)
        await until(lambda: bool(place.receiver.waiting))
        place.receiver.settle()


async def test_a_run_that_ends_in_our_own_error_ends_the_connection() -> None:
    """What was not acknowledged comes again; nothing of it weighs on the door any more, which would read nobody."""
    scripts = Slow()
    async with with_codecs(scripts, door_bytes=200) as place:
        client = await place.guest()
        client.say(publish(1, others(1), UP))
        await until(lambda: bool(scripts.waiting))
        scripts.waiting[0].set_exception(RuntimeError)
        await client.rest()
        again = await place.guest()
        again.say(publish(1, document(), UP))
        await until(lambda: bool(place.receiver.waiting))
        place.receiver.settle()
        (answer,) = await again.hear()

    assert answer.packet_id == 1
    assert place.facts.counts["protocol broken"] == 1
