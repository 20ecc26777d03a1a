"""A client that shows every packet: for tests of what the door answers."""

import asyncio
from collections.abc import Sequence
from itertools import count

from gateway.wire.mqtt import encode
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Ack, ConnAck, Packet

_serial = count()


class Caller:
    """One MQTT 5 connection, packet by packet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._framer = Framer(1 << 16, 5)
        self._number = 0
        self.writer = writer
        self.heard: list[Packet] = []

    @classmethod
    async def call(
        cls, port: int, user: str | None, token: str | None, keep_alive_s: int = 60
    ) -> "Caller":
        """Connect and read what is answered first."""
        caller = cls(*await asyncio.open_connection("127.0.0.1", port))
        password = None if token is None else token.encode()
        name = f"caller-{next(_serial)}"  # two of one name would end each other
        caller.writer.write(encode.connect(5, name, user, password, keep_alive_s))
        await caller.listen()
        return caller

    async def listen(self) -> bool:
        """Read once; False at the end."""
        data = await asyncio.wait_for(self._reader.read(1 << 16), 60)
        self.heard += self._framer.feed(data)
        return bool(data)

    @property
    def greeting(self) -> int:
        """Reason of the CONNACK."""
        first = self.heard[0]
        assert isinstance(first, ConnAck)
        return first.reason

    async def publish(self, device: str, body: bytes) -> int:
        """Publish at QoS 1 and wait; the reason of the PUBACK."""
        self._number += 1
        topic = f"sekisho/v1/{device}/up".encode()
        self.writer.write(encode.publish(5, topic, body, 1, self._number))
        while True:
            last = self.heard[-1]
            if isinstance(last, Ack) and last.packet_id == self._number:
                return last.reason
            assert await self.listen(), "hung up on"

    async def publish_all(self, devices: Sequence[str], body: bytes) -> list[int]:
        """Publish once for each device without waiting between; the reasons of the PUBACKs, in order."""
        first, self._number = self._number + 1, self._number + len(devices)
        heard = len(self.heard)
        self.writer.writelines(
            encode.publish(5, f"sekisho/v1/{device}/up".encode(), body, 1, number)
            for number, device in enumerate(devices, first)
        )
        while len(self.heard) - heard < len(devices):
            assert await self.listen(), "hung up on"
        answers = self.heard[heard:]
        del self.heard[heard + 1 :]
        assert [a.packet_id for a in answers if isinstance(a, Ack)] == [
            *range(first, self._number + 1)
        ]
        return [answer.reason for answer in answers if isinstance(answer, Ack)]

    async def leave(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()
