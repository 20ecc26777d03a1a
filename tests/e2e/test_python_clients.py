"""paho-mqtt and aiomqtt over MQTT 5: what each acknowledgement says, and how much may be in flight."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tests.e2e.conftest import House
from tests.e2e.judgement import stored_rows
from tests.e2e.processes import Gateway, until
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


class Client:
    """A paho client that keeps what it is told.

    Attributes:
        greeting: properties of the CONNACK.
        reasons: message number → reason code of its PUBACK.
    """

    def __init__(self) -> None:
        self.greeting: Any = None
        self.reasons: dict[int, int] = {}
        self.ended: int | None = None
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.paho.on_connect = self._connected
        self.paho.on_publish = self._published
        self.paho.on_disconnect = self._disconnected
        self._lock = threading.Lock()

    def _connected(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, said: Properties | None
    ) -> None:
        if not reason.is_failure:
            self.greeting = said

    def _published(
        self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _said: Properties | None
    ) -> None:
        with self._lock:
            self.reasons[mid] = reason.value

    def _disconnected(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _said: Properties | None
    ) -> None:
        self.ended = reason.value

    def send(self, device: str, body: bytes, qos: int = 1, *, retain: bool = False) -> int:
        """Publish; the message's number."""
        return self.paho.publish(f"sekisho/v1/{device}/up", body, qos, retain).mid

    def reason_of(self, mid: int) -> int:
        """Wait for a message's acknowledgement; its reason code."""
        until(lambda: mid in self.reasons, f"the acknowledgement of message {mid}")
        return self.reasons[mid]


@contextmanager
def client(port: int, token: str, in_flight: int = 20) -> Iterator[Client]:
    """A connected client."""
    made = Client()
    made.paho.max_inflight_messages_set(in_flight)
    made.paho.username_pw_set("pilot", token)
    made.paho.connect("127.0.0.1", port)
    made.paho.loop_start()
    try:
        until(lambda: made.greeting is not None, "CONNACK")
        yield made
    finally:
        made.paho.disconnect()
        made.paho.loop_stop()


def stored(town: Town, device: str) -> int:
    """How many rows of a gauge are stored."""
    return sum(row[0] == "river_gauge" and row[2] == device for row in stored_rows(town.state))


@pytest.mark.parametrize(("qos", "undecodable", "foreign"), [(1, 0x99, 0x87), (2, 0x92, 0x92)])
def test_each_acknowledgement_says_what_became_of_its_uplink(
    house: House, qos: int, undecodable: int, foreign: int
) -> None:
    """PUBACK: 0 for a good uplink, 0x99 for one that cannot be decoded or is out of range, 0x87 for a
    device that the credential does not speak for or nobody registered; the connection lives on. At
    QoS 2 paho sends PUBREL after a PUBREC that refuses, too, and shows what PUBCOMP says to that: 0x92."""
    good, broken, beyond = (
        b'{"seq":%d,"stage_m":2.5}' % qos,
        b'{"seq":1,"stage',
        b'{"seq":2,"stage_m":1e9}',
    )
    with client(house.port, house.token) as speaking:

        def told(device: str, body: bytes) -> int:
            return speaking.reason_of(speaking.send(device, body, qos))

        before = stored(house.town, "river-1")
        assert told("river-1", good) == 0
        assert stored(house.town, "river-1") == before + 1
        assert told("river-1", broken) == undecodable
        assert told("river-1", beyond) == undecodable
        assert told("river-2", good) == foreign
        assert told("river-77", good) == foreign
        assert told("river-1", good) == 0
        assert stored(house.town, "river-1") == before + 1
    assert stored(house.town, "river-2") == 0


def test_what_the_door_does_not_do_is_said_at_the_greeting(house: House) -> None:
    """CONNACK: every QoS, no wildcards, aliases and publishes in flight up to a number."""
    with client(house.port, house.token) as speaking:
        said = speaking.greeting
        assert said is not None
        assert not hasattr(said, "MaximumQoS")
        assert said.WildcardSubscriptionAvailable == 0
        assert said.TopicAliasMaximum == 64
        assert said.ReceiveMaximum == 1024


def test_a_retained_publish_over_mqtt_5_is_taken_as_a_plain_one(house: House) -> None:
    """Retain means nothing here and costs nobody an uplink: it is acknowledged and stored."""
    with client(house.port, house.token) as speaking:
        before = stored(house.town, "river-1")
        body = b'{"seq":900,"stage_m":2.25}'
        assert speaking.reason_of(speaking.send("river-1", body, retain=True)) == 0
        assert stored(house.town, "river-1") == before + 1


def test_the_receive_maximum_is_announced_and_held(tmp_path: Path) -> None:
    """A door that takes 8 at a time announces it: a client that keeps to it gets 400 acknowledged and
    stored, one that does not is disconnected."""
    town = Town(tmp_path, pending=8)
    token = town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        with client(gateway.port, token, in_flight=8) as speaking:
            assert speaking.greeting is not None
            assert speaking.greeting.ReceiveMaximum == 8
            sent = [
                speaking.send("river-1", json.dumps({"seq": n, "stage_m": 1.5}).encode())
                for n in range(400)
            ]
            assert {speaking.reason_of(mid) for mid in sent} == {0}
            assert stored(town, "river-1") == 400
        with client(gateway.port, token, in_flight=400) as speaking:
            for n in range(400, 2400):
                speaking.send("river-1", json.dumps({"seq": n, "stage_m": 1.5}).encode())
            until(lambda: speaking.ended is not None, "the end of the connection")
        assert "more publishes without an answer than the receive maximum" in gateway.said()
        assert gateway.stop() == 0


@pytest.mark.parametrize("qos", [1, 2])
async def test_aiomqtt_can_send(house: House, qos: int) -> None:
    """aiomqtt over MQTT 5: a publish returns when the row is on disk."""
    before = stored(house.town, "river-1")
    async with aiomqtt.Client(
        "127.0.0.1",
        house.port,
        username="pilot",
        password=house.token,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as speaking:
        for n in range(20):
            body = json.dumps({"seq": 1000 * qos + n, "stage_m": 1.5})
            await speaking.publish("sekisho/v1/river-1/up", body, qos=qos)
            assert stored(house.town, "river-1") == before + n + 1
