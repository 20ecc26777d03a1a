"""A network server publishes to the devices' own door as to any broker: what it forwards, and what it tells of else."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.model.device import Directory
from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.transports.mqtt_listener.forwarding import ServerTopic
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.packets import PingResp
from tests.fakes.mqtt_door import House, directory, publish, until
from tests.fakes.readings import gauge

EUI = "0004a30b001c0530"
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
