"""The MQTT outlet against a small broker of ours: window, resending, goodbye."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.model.errors import Refusal
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Connect, Disconnect, Publish
from simulators.outlets.endpoint import Endpoint
from simulators.outlets.mqtt import MqttOutlet
from simulators.streams import stream
from simulators.uplink import SimUplink


class Broker:
    """Acknowledges what it is told to; drops its first connections after so many uplinks."""

    def __init__(self, hold: bool = False, cut_after: int | None = None) -> None:
        self.got: list[tuple[bytes, bool]] = []
        self.hold = hold
        self.cut_after = cut_after
        self.code = Code.SUCCESS
        self.goodbyes = 0
        self.connected = 0
        self.left = 0
        self.held: list[tuple[asyncio.StreamWriter, int]] = []
        self.arrived = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer(1 << 16)
        self.connected += 1
        try:
            while data := await reader.read(1 << 16):
                for packet in framer.feed(data):
                    if isinstance(packet, Connect):
                        writer.write(encode.connack(5, self.code, {0x21: 4}))
                    elif isinstance(packet, Publish):
                        if self.take(packet, writer):
                            return
                    elif isinstance(packet, Disconnect):
                        self.goodbyes += 1
                async with self.arrived:
                    self.arrived.notify_all()
        except ConnectionResetError:
            pass
        finally:
            writer.close()
            self.left += 1
            async with self.arrived:
                self.arrived.notify_all()

    async def empty(self) -> None:
        """Until everybody has left."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.left == self.connected)

    def take(self, packet: Publish, writer: asyncio.StreamWriter) -> bool:
        """Note one uplink; whether to hang up now."""
        assert packet.packet_id is not None
        if self.cut_after is not None and len(self.got) >= self.cut_after:
            self.cut_after = None
            return True
        self.got.append((packet.payload, packet.dup))
        if self.hold or self.cut_after is not None:
            self.held.append((writer, packet.packet_id))
        else:
            writer.write(encode.puback(5, packet.packet_id))
        return False

    def release(self) -> None:
        for writer, packet_id in self.held:
            writer.write(encode.puback(5, packet_id))
        self.held.clear()


@asynccontextmanager
async def outlet_to(broker: Broker, **more: object) -> AsyncIterator[MqttOutlet]:
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outlet = MqttOutlet(Endpoint("127.0.0.1", port, **more), stream(1, "test"))  # type: ignore[arg-type]
    try:
        yield outlet
    finally:
        await outlet.close()
        server.close()
        await server.wait_closed()


def uplink(number: int) -> SimUplink:
    return SimUplink(number, "child-0001", "child_tracker", "json", b"%d" % number, 0, number, {})


async def test_everything_sent_is_acknowledged() -> None:
    """After `drain`, nothing is in flight; then it says goodbye."""
    broker = Broker()
    async with outlet_to(broker) as outlet:
        await outlet.open()
        for number in range(50):
            await outlet.send(uplink(number))
        await outlet.drain()

        assert outlet.sent == outlet.acked == 50
        assert broker.got == [(b"%d" % n, False) for n in range(50)]
        await outlet.close()
        async with broker.arrived:
            await broker.arrived.wait_for(lambda: broker.goodbyes == 1)


async def test_the_window_holds_it_back() -> None:
    """No more is in flight than the other side's receive maximum, and sending waits for room."""
    broker = Broker(hold=True)
    async with outlet_to(broker) as outlet:
        await outlet.open()
        sending = asyncio.create_task(send_all(outlet, 6))
        async with broker.arrived:
            await broker.arrived.wait_for(lambda: len(broker.got) == 4)

        assert outlet.in_flight == 4
        assert not sending.done()

        broker.hold = False
        broker.release()
        await sending
        await outlet.drain()
        assert outlet.acked == 6


async def test_a_lost_connection_loses_nothing() -> None:
    """What was not acknowledged goes out again, in order, marked as a duplicate."""
    broker = Broker(cut_after=3)
    async with outlet_to(broker) as outlet:
        await outlet.open()
        await send_all(outlet, 8)
        await outlet.drain()

        assert outlet.connects == 2
        assert outlet.acked == 8
        again = [entry for entry in broker.got[3:] if entry[1]]
        assert [payload for payload, _ in again] == sorted(payload for payload, _ in again)
        assert {payload for payload, _ in again} >= {b"0", b"1", b"2"}
        assert {payload for payload, _ in broker.got} == {b"%d" % n for n in range(8)}


async def test_a_refused_credential_is_final() -> None:
    """The other side does not know us: say so at once, and what to do."""
    broker = Broker()
    broker.code = Code.BAD_CREDENTIALS
    async with outlet_to(broker) as outlet:
        with pytest.raises(Refusal, match="refuses this credential"):
            await outlet.open()


async def test_a_new_credential_may_take_a_moment() -> None:
    """Registered this moment, it is refused once and then known."""
    broker = Broker()
    broker.code = Code.BAD_CREDENTIALS
    async with outlet_to(broker, just_issued=True) as outlet:
        opening = asyncio.create_task(outlet.open())
        async with broker.arrived:
            await broker.arrived.wait()
        broker.code = Code.SUCCESS

        await opening
        assert outlet.connects == 1


async def send_all(outlet: MqttOutlet, count: int) -> None:
    for number in range(count):
        await outlet.send(uplink(number))


async def test_a_half_open_connection_gets_half_an_uplink_and_is_left_alone() -> None:
    """Beside the living one, on which the same uplink then goes out whole; it is closed with the outlet."""
    broker = Broker()
    async with outlet_to(broker) as outlet:
        await outlet.open()
        await outlet.send(uplink(1)._replace(harm="half_open"))
        await outlet.drain()
        assert broker.got == [(uplink(1).payload, False)]
        assert (broker.connected, broker.left) == (2, 0)
        await outlet.close()
        await asyncio.wait_for(broker.empty(), 10)
