"""A TCP tunnel to a broker that can be stopped half-way, and remembers what went through."""

import asyncio
from contextlib import suppress
from typing import NamedTuple, Self

from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Ack, Publish


class Passed(NamedTuple):
    """One connection: the messages that the broker sent through, in order, and those acknowledged of them.

    Attributes:
        life: which life the gateway was in.
        messages: topic and payload.
        acked: positions in `messages`.
    """

    life: int
    messages: list[tuple[bytes, bytes]]
    acked: set[int]


class Tunnel:
    """Listens on a free port and forwards to another; for one client of MQTT 5.

    Attributes:
        life: set by the test, noted with each connection.
        passed: every connection so far.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self.life = 0
        self.passed: list[Passed] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._arrived, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def strand(self) -> None:
        """Whoever is connected now stays so, and nothing passes any more; the next one is served."""
        self._flowing.clear()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        self._writers += [writer, to]
        passed = Passed(self.life, [], set())
        self.passed.append(passed)
        flowing, waiting = self._flowing, dict[int, int]()
        pumps = [
            asyncio.create_task(self._down(there, writer, flowing, passed, waiting)),
            asyncio.create_task(self._up(reader, to, flowing, passed, waiting)),
        ]
        self._pumps.update(pumps)
        for pump in pumps:
            pump.add_done_callback(self._pumps.discard)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event, passed: Passed, waiting: dict[int, int]) -> None:  # fmt: skip
        framer = Framer(1 << 20, version=5)
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await flowing.wait()
                for packet in framer.feed(data):
                    if isinstance(packet, Publish) and packet.packet_id is not None:
                        waiting[packet.packet_id] = len(passed.messages)
                        passed.messages.append((packet.topic, packet.payload))
                writer.write(data)
                await writer.drain()
            await flowing.wait()
            writer.write_eof()  # all that came through is read before the end is

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event, passed: Passed, waiting: dict[int, int]) -> None:  # fmt: skip
        framer = Framer(1 << 20, version=5)
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await flowing.wait()
                for packet in framer.feed(data):
                    if isinstance(packet, Ack) and packet.type is Type.PUBACK:
                        passed.acked.add(waiting.pop(packet.packet_id))
                if not writer.is_closing():
                    writer.write(data)
        await flowing.wait()
        writer.close()
