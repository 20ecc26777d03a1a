"""A broker that is played by a test: what it says to a connection of ours, and what it hears."""

import asyncio
import json
from base64 import b64encode
from typing import Any

from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.model.device import Device, Directory
from gateway.model.uplink import Receiver as UplinkReceiver
from gateway.telemetry import Facts
from gateway.transports.mqtt_client.broker import Broker, Subscription
from gateway.transports.mqtt_client.connection import Connection
from gateway.transports.mqtt_client.sorter import Sorter
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Ack, ConnAck, Packet, SubAck
from tests.fakes.clock import ManualClock
from tests.fakes.receiver import Receiver

EVENTS = "application/+/device/+/event/+"
TOPIC = b"application/1/device/0101010101010101/event/up"
JOIN = b"application/1/device/0101010101010101/event/join"
GAUGE_BYTES = b"\x00\x00\x60\x09\x80\x00\xff"
"""A river gauge's own seven bytes, or near enough for a test that decodes nothing."""


def event(eui: str, f_cnt: int, data: bytes = GAUGE_BYTES) -> bytes:
    """An uplink as ChirpStack v4 writes it, as short as it goes."""
    document = {
        "deviceInfo": {"devEui": eui},
        "devAddr": "01020304",
        "fPort": 4,
        "fCnt": f_cnt,
        "data": b64encode(data).decode(),
        "rxInfo": [{"gatewayId": "0016c001f153a14c"}],
    }
    return json.dumps(document).encode()


def join(eui: str) -> bytes:
    """A join, which is no uplink."""
    return json.dumps({"deviceInfo": {"devEui": eui}, "devAddr": "01020304"}).encode()


class _Wire(asyncio.Transport):
    """What is written, and whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading = True
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True


class Played:
    """One connection of ours to a broker that the test plays; it was accepted.

    Attributes:
        worker: what was handed over waits there.
    """

    def __init__(
        self, *devices: Device, scripts: Scripts | None = None, greeted: bool = True, **more: Any
    ) -> None:
        wanted = (Subscription(EVENTS, "chirpstack_v4"), Subscription("sekisho/v1/#", "sekisho"))
        self.broker = Broker("city", "127.0.0.1", 1883, wanted, **more)
        self.worker = Receiver()
        self.receiver: UplinkReceiver = self.worker
        self.hands = ManualClock()
        self.clock: Clock = self.hands
        self.facts = Facts()
        self.scripts = scripts
        directory = Directory({device.device: device for device in devices}, {})
        self.sorter = Sorter(self.broker, directory, self.facts, self.clock)
        self.answers: list[ConnAck | SubAck] = []
        self.thrown_away: list[int] = []
        self.wire = _Wire()
        self.connection = Connection(self, b"CONNECT")
        self.connection.connection_made(self.wire)
        self.wire.written = b""
        self._framer = Framer(1 << 16, version=self.broker.version)
        if greeted:
            self.say(encode.connack(self.broker.version, Code.SUCCESS, {}))

    def greeted(self, connection: Connection, answer: ConnAck) -> None:
        assert connection is self.connection
        self.answers.append(answer)

    def granted(self, answer: SubAck) -> None:
        self.answers.append(answer)

    def dropped(self, total: int) -> None:
        self.thrown_away.append(total)

    def say(self, *packets: bytes) -> None:
        """The broker writes, all in one piece."""
        self.connection.data_received(b"".join(packets))

    def publish(self, n: int, payload: bytes, topic: bytes = TOPIC, qos: int = 1) -> bytes:
        """A message as it comes from there."""
        return encode.publish(self.broker.version, topic, payload, qos, n if qos else None)

    def heard(self) -> list[Packet]:
        """What we wrote since."""
        written, self.wire.written = self.wire.written, b""
        return self._framer.feed(written)

    def acknowledged(self) -> list[int]:
        """The packet identifiers that we acknowledged since, in order."""
        return [packet.packet_id for packet in self.heard() if isinstance(packet, Ack)]
