"""A client that obeys MQTT 5 where common ones do not: on Session Present 0 it throws its state away.

§3.2.2.1.1, §4.1, §4.4: on Session Present 1 it sends what was not acknowledged again, in order: PUBLISH with
DUP, or PUBREL where PUBREC had come. It keeps to the server's Receive Maximum.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Ack, ConnAck, Packet
from tests.e2e.crowd import Uplink

_AGAIN_S = 0.02


@dataclass(slots=True)
class _InFlight:
    uplink: Uplink
    released: bool = False


class _Line(asyncio.Protocol):
    def __init__(self, client: "ConformingClient") -> None:
        self._client = client
        self._framer = Framer(1 << 16, 5)
        self.transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._client.hello)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.transport = None
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        answers = b"".join([self._client.take(packet) for packet in self._framer.feed(data)])
        if self.transport is not None:
            self.transport.write(answers + self._client.more())


class ConformingClient:
    """One client and its session.

    Args:
        uplinks: what to send; taken as there is room.
        qos: 1 or 2.
        window: most in flight.

    Attributes:
        handed: what was sent at least once.
        told: what was acknowledged to the end.
        discarded: what it had to throw away because its session was gone.
        present: Session Present of each CONNACK.
    """

    def __init__(
        self, name: str, credential: tuple[str, str], uplinks: Iterator[Uplink], qos: int, window: int = 50
    ) -> None:  # fmt: skip
        user, token = credential
        kept = {fields.SESSION_EXPIRY: 3600}
        self.hello = encode.connect(5, name, user, token.encode(), 60, clean=False, properties=kept)
        self.handed: list[Uplink] = []
        self.told: list[Uplink] = []
        self.discarded: list[Uplink] = []
        self.present: list[bool] = []
        self._uplinks = uplinks
        self._qos = qos
        self._window = window
        self._room = 0
        self._session: dict[int, _InFlight] = {}
        self._number = 0
        self._online = False
        self._ending = False

    def take(self, packet: Packet) -> bytes:
        """What a packet is answered with."""
        if isinstance(packet, ConnAck):
            return self._resume(packet)
        if not isinstance(packet, Ack):
            return b""
        waiting = self._session.get(packet.packet_id)
        if packet.type is Type.PUBREC and packet.reason < 0x80 and waiting is not None:
            waiting.released = True
            return encode.pubrel(5, packet.packet_id)
        if waiting is not None:
            assert packet.reason in (0, 0x92), f"refused: 0x{packet.reason:02x}"
            self.told.append(self._session.pop(packet.packet_id).uplink)
            self._room += 1
        return b""

    def _resume(self, greeting: ConnAck) -> bytes:
        assert greeting.reason == 0, f"CONNACK 0x{greeting.reason:02x}"
        self.present.append(greeting.session_present)
        if not greeting.session_present:
            self.discarded += [waiting.uplink for waiting in self._session.values()]
            self._session.clear()
        self._room = min(self._window, greeting.properties[fields.RECEIVE_MAXIMUM])
        self._room -= len(self._session)
        self._online = True
        again = [
            encode.pubrel(5, number)
            if waiting.released
            else self._publish(number, waiting, dup=True)
            for number, waiting in self._session.items()
        ]
        return b"".join(again)

    def more(self) -> bytes:
        """PUBLISH packets for which there is room."""
        parts = []
        while self._online and not self._ending and self._room > 0:
            uplink = next(self._uplinks)
            self._number = self._number % 0xFFFF + 1
            waiting = self._session[self._number] = _InFlight(uplink)
            self.handed.append(uplink)
            parts.append(self._publish(self._number, waiting, dup=False))
            self._room -= 1
        return b"".join(parts)

    def _publish(self, number: int, waiting: _InFlight, *, dup: bool) -> bytes:
        uplink = waiting.uplink
        return encode.publish(5, uplink.topic, uplink.payload, self._qos, number, dup)

    def finish(self) -> None:
        """Begin nothing new; `run` ends when everything is acknowledged."""
        self._ending = True

    async def run(self, port: int, patience_s: float = 120.0) -> None:
        """Send until told to finish, across as many connections as it takes."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(patience_s):
            while not (self._ending and not self._session):
                try:
                    _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(_AGAIN_S)
                    continue
                while not line.lost.is_set() and not (self._ending and not self._session):
                    await asyncio.sleep(_AGAIN_S)
                self._online = False
                if line.transport is not None:
                    line.transport.write(encode.disconnect(5))
                    line.transport.close()
                    await line.lost.wait()
