"""The client door against a broker that a test plays over a real socket: what it asks, and how it stays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gateway.clock import SystemClock
from gateway.model.device import Directory
from gateway.telemetry import Facts
from gateway.transports.mqtt_client.broker import Broker, Subscription
from gateway.transports.mqtt_client.connection import DROPPED
from gateway.transports.mqtt_client.door import ClientDoor
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.fields import RECEIVE_MAXIMUM, SESSION_EXPIRY
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Connect, Disconnect, Packet, Subscribe
from tests.fakes.readings import child, gauge
from tests.fakes.receiver import Receiver

WANTED = (Subscription("sekisho/v1/#", "sekisho", 1), Subscription("a/+", "chirpstack_v4", 2, "us"))


class Side:
    """The broker's side: what each connection said, and what it was answered."""

    def __init__(self, version: int, answer: Callable[[Packet], bytes | None]) -> None:
        self.heard: list[list[Packet]] = []
        self._version = version
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said: list[Packet] = []
        self.heard.append(said)
        framer = Framer(1 << 16)
        while data := await reader.read(4096):
            for packet in framer.feed(data):
                said.append(packet)
                answer = self._answer(packet)
                if answer is None:
                    writer.close()
                    return
                writer.write(answer)
        writer.close()

    def subscribed(self) -> list[Subscribe]:
        return [packet for said in self.heard for packet in said if isinstance(packet, Subscribe)]


@asynccontextmanager
async def standing(side: Side, version: int) -> AsyncIterator[ClientDoor]:
    """A door that connects there."""
    server = await asyncio.start_server(side.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    broker = Broker("city", "127.0.0.1", port, WANTED, version=version, pending=77)
    around = (Receiver(), Directory({}, {}), Facts(), SystemClock(), lambda: 0.0)
    door = ClientDoor(broker, "sekisho-test", *around)
    door.open()
    try:
        yield door
    finally:
        door.stop_listening()
        await door.close()
        server.close()
        await asyncio.sleep(0.05)


async def come_true(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


def kind(version: int, refuses: str = "") -> Callable[[Packet], bytes | None]:
    """A broker that grants everything, and hangs up on whoever subscribes to what it `refuses`."""

    def answer(packet: Packet) -> bytes | None:
        match packet:
            case Connect():
                return encode.connack(version, Code.SUCCESS, {}, present=True)
            case Subscribe():
                if refuses and any(refuses in text for text, _ in packet.filters):
                    return None
                granted = [Code.GRANTED_QOS_1 for _ in packet.filters]
                return encode.suback(version, packet.packet_id, granted)
            case _:
                return b""

    return answer


@pytest.mark.parametrize("version", [4, 5])
async def test_it_asks_for_a_session_that_outlives_it_and_says_goodbye(version: int) -> None:
    """CONNECT goes on with the session; MQTT 5 is told how long to keep it, and how much may be in flight;
    each subscription has its own QoS and group. A stop unsubscribes nothing and ends with DISCONNECT."""
    side = Side(version, kind(version))
    async with standing(side, version) as door:
        await come_true(lambda: bool(side.subscribed()))
        await come_true(lambda: door.status()["error"] == "")
    (said,) = side.heard
    hello, asked, bye = said[0], said[1], said[-1]
    assert isinstance(hello, Connect)
    assert isinstance(asked, Subscribe)
    more = 0x20 if version == 5 else 0
    assert (hello.client_id, hello.clean_start, hello.version) == ("sekisho-test", False, version)
    if version == 5:
        assert hello.properties[SESSION_EXPIRY] == 7 * 86_400
        assert hello.properties[RECEIVE_MAXIMUM] == 77
    assert asked.filters == (
        ("sekisho/v1/#", 1 | more),
        ("$share/us/a/+", 2 | more),
        (DROPPED, 0),
    )
    assert bye == Disconnect(0)
    assert len(said) == 3


async def test_a_broker_that_hangs_up_on_sys_is_asked_for_less() -> None:
    """Some end the connection of whoever subscribes to $SYS: the next one does without."""
    side = Side(5, kind(5, refuses="$SYS"))
    async with standing(side, 5) as door:
        await come_true(lambda: len(side.subscribed()) == 2)
        await come_true(lambda: door.status()["connected"])

    first, second = side.subscribed()
    assert [text for text, _ in first.filters][:-1] == [text for text, _ in second.filters]


async def test_a_refusal_is_named_and_tried_again() -> None:
    """CONNACK with a reason is told with the settings to look at; the next try may succeed."""
    refusals = iter([Code.BAD_CREDENTIALS])

    def answer(packet: Packet) -> bytes | None:
        if isinstance(packet, Connect):
            return encode.connack(4, next(refusals, Code.SUCCESS), {})
        return kind(4)(packet)

    side = Side(4, answer)
    async with standing(side, 4) as door:
        await come_true(lambda: "password_file" in door.status()["error"])
        await come_true(lambda: door.status()["connected"])

    assert door.facts.counts["broker refused"] == 1
    assert door.facts.counts["broker session new"] == 1


def test_people_are_named_at_a_start_and_after_a_change() -> None:
    """A child's tracker with a DevEUI is counted in a fact, by no name; without one nothing is said."""
    with_eui = replace(child(), attributes={"dev_eui": "01" * 8})
    facts = Facts()
    broker = Broker("city", "127.0.0.1", 1, WANTED)
    around = (facts, SystemClock(), lambda: 0.0)
    door = ClientDoor(broker, "x", Receiver(), Directory({gauge().device: gauge()}, {}), *around)
    before = facts.counts["people behind a broker"]
    door.renew(Directory({with_eui.device: with_eui}, {}))

    assert (before, facts.counts["people behind a broker"]) == (0, 1)


def test_the_brokers_count_of_losses_starts_anew_with_it() -> None:
    """What is more than last time was lost since; a smaller number is a broker that began again."""
    facts = Facts()
    broker = Broker("city", "127.0.0.1", 1, WANTED)
    around = (Receiver(), Directory({}, {}), facts, SystemClock(), lambda: 0.0)
    door = ClientDoor(broker, "x", *around)
    told = []
    for total in (0, 5, 5, 7, 0, 1):
        door.dropped(total)
        told.append(facts.counts["broker dropped"])

    assert told == [0, 1, 1, 2, 2, 3]
