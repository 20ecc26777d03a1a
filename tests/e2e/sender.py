"""A client that gives nothing up: what is not acknowledged goes out again, in order, marked DUP."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from gateway.wire.mqtt import encode
from tests.e2e.crowd import Uplink

_AGAIN_S = 0.02
_CHUNK = 64


class Segment(NamedTuple):
    """One connection: uplinks `first` to before `sent` went out on it, those before `acked` were acknowledged."""

    life: int
    first: int
    acked: int
    sent: int


class _Line(asyncio.Protocol):
    """One connection of a sender."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._rest = b""
        self._greeted = False
        self.transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._sender.hello)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.transport = None
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._greeted:
            if len(data) < 4:
                self._rest = data
                return
            assert data[:4] == b"\x20\x02\x00\x00", f"refused: {data[:4]!r}"
            data = data[4:]
            self._greeted = True
        acks, rest = divmod(len(data), 4)
        self._rest = data[len(data) - rest :] if rest else b""
        releases = [self._sender.acknowledge(data[at : at + 4]) for at in range(0, acks * 4, 4)]
        if self.transport is not None and any(releases):
            self.transport.write(b"".join(releases))
        self.fill()

    def fill(self) -> None:
        """Keep the window full."""
        if self.transport is not None and self._greeted:
            parts = self._sender.next_parts()
            if parts:
                self.transport.write(b"".join(parts))


class Sender:
    """One credential's connection to a gateway that may die, over MQTT 3.1.1.

    At QoS 2 an uplink counts as acknowledged with its PUBREC: from then on it is on disk.

    Args:
        uplinks: what to send, without end or not; taken as the window has room.
        window: most uplinks in flight.
        qos: 1 or 2.
        life: which life the gateway is in, asked when a connection is made.

    Attributes:
        handed: every uplink that went out at least once, in order.
        acked: how many of them, from the first on, are acknowledged.
        segments: one entry for each connection.
    """

    def __init__(
        self,
        name: str,
        credential: tuple[str, str],
        uplinks: Iterator[Uplink],
        window: int = 400,
        life: Callable[[], int] = lambda: 0,
        qos: int = 1,
    ) -> None:
        user, token = credential
        self.hello = encode.connect(4, name, user, token.encode(), 60)
        self.handed: list[Uplink] = []
        self.acked = 0
        self.segments: list[Segment] = []
        self._uplinks = uplinks
        self._window = window
        self._life = life
        self._qos = qos
        self._sent = 0
        self._ending = False

    def acknowledge(self, packet: bytes) -> bytes:
        """Take one PUBACK or PUBREC, which come in the order of sending, or PUBCOMP; what it asks for."""
        if packet[:2] == b"\x70\x02" and self._qos == 2:
            return b""
        number = (self.acked % 65_535 + 1).to_bytes(2, "big")
        due = (b"\x50\x02" if self._qos == 2 else b"\x40\x02") + number
        assert packet == due, f"{packet!r} where {due!r} was due"
        assert self.acked < self._sent, "an acknowledgement for what was not sent"
        self.acked += 1
        return b"\x62\x02" + number if self._qos == 2 else b""

    def next_parts(self) -> list[bytes]:
        """PUBLISH packets to fill the window, some at a time."""
        parts: list[bytes] = []
        room = self._window - (self._sent - self.acked)
        if room < min(_CHUNK, self._window) and not self._ending:
            return parts
        for _ in range(room):
            dup = self._sent < len(self.handed)
            if not dup:
                uplink = None if self._ending else next(self._uplinks, None)
                if uplink is None:
                    self._ending = True
                    break
                self.handed.append(uplink)
            uplink = self.handed[self._sent]
            number = self._sent % 65_535 + 1
            # what went out on an earlier connection is marked DUP (§3.3.1.1)
            packet = encode.publish(4, uplink.topic, uplink.payload, self._qos, number, dup=dup)
            parts.append(packet)
            self._sent += 1
        return parts

    def finish(self) -> None:
        """Hand over nothing new; `run` ends when everything is acknowledged."""
        self._ending = True

    def runs(self) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
        """Each connection: the gateway's life, and the numbers of what went out, each with whether it was acknowledged."""
        for one in self.segments:
            yield one.life, [(n, n < one.acked) for n in range(one.first, one.sent)]

    @property
    def done(self) -> bool:
        return self._ending and self.acked == len(self.handed)

    async def run(self, port: int, patience_s: float = 60.0) -> None:
        """Send until done, across as many connections as it takes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while not self.done:
            assert loop.time() < deadline, f"not done after {patience_s:g} s"
            try:
                _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", port)
            except OSError:
                await asyncio.sleep(_AGAIN_S)
                continue
            await self._live(line, deadline)

    async def _live(self, line: _Line, deadline: float) -> None:
        life, first = self._life(), self.acked
        self._sent = first
        loop = asyncio.get_running_loop()
        try:
            while not line.lost.is_set() and not self.done and loop.time() < deadline:
                line.fill()
                try:
                    await asyncio.wait_for(line.lost.wait(), 0.02)
                except TimeoutError:
                    continue
            if line.transport is not None:
                line.transport.write(encode.disconnect(4))
                line.transport.close()
                await line.lost.wait()
        finally:  # whoever is cancelled has a history too
            self.segments.append(Segment(life, first, self.acked, self._sent))
