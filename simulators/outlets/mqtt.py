"""Uplinks over MQTT at QoS 1, as hardware would: a window, acknowledgements, reconnects with DUP; or at QoS 0."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from gateway.model.errors import Refusal
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.packets import Ack, Disconnect, Packet, PingResp, Violation
from simulators.outlets.endpoint import Endpoint
from simulators.outlets.handshake import LIMIT, Line, Lost, hang_up, shake_hands
from simulators.outlets.stranded import Stranded

_FIRST_PATIENCE_S = 3.0  # long enough for a gateway that is started in the same breath


class Message(Protocol):
    """What an outlet asks of a message: a `SimUplink` is one."""

    @property
    def topic(self) -> str:
        """Where it is published."""

    @property
    def payload(self) -> bytes:
        """The bytes."""

    @property
    def harm(self) -> str | None:
        """Harm done on purpose: "half_open" leaves it on a connection that nobody hears."""


@dataclass(slots=True)
class _Entry:
    """One uplink that waits for its acknowledgement."""

    topic: bytes
    payload: bytes
    tried: bool = False


class MqttOutlet:
    """One MQTT client for the whole fleet.

    `send` returns when the uplink is on its way, waiting while the window is full. Whatever was not
    acknowledged when a connection broke goes out again, in order and marked DUP, on the next one.
    At QoS 0 an uplink counts as acknowledged when a PINGREQ behind it is answered (`drain` sends one), and
    what was on its way when a connection broke is lost.

    Args:
        endpoint: where to.
        dice: jitter of reconnects; a named stream.

    Attributes:
        sent: uplinks handed over by `send`.
        acked: of those, acknowledged.
        refused: acknowledged with an MQTT 5 reason code of 0x80 and above; reason → count.
        connects: connections made.
    """

    def __init__(self, endpoint: Endpoint, dice: Random) -> None:
        self._endpoint = endpoint
        self._dice = dice
        self._waiting: dict[int, _Entry] = {}  # packet identifier → entry, in order of `send`
        self._window = endpoint.window
        self._packet_id = 0
        self._writer: asyncio.StreamWriter | None = None
        self._written: list[bytes] = []  # goes out in one piece when the loop has its turn
        self._room = asyncio.Condition()
        self._failure: BaseException | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._online = asyncio.Event()
        self._stranded = Stranded(endpoint)
        self._unconfirmed = 0  # sent at QoS 0 since the last PINGREQ …
        self._pings: deque[int] = deque()  # … and between those that wait for their answer
        self.sent = 0
        self.acked = 0
        self.refused: dict[int, int] = {}
        self.connects = 0

    @property
    def in_flight(self) -> int:
        """Sent and not yet acknowledged."""
        return len(self._waiting)

    async def open(self) -> None:
        """Connect for the first time; keeps itself connected from then on.

        Raises:
            Refusal: nobody listens there, or the credential is not accepted.
        """
        self._keeper = asyncio.create_task(self._keep(), name="mqtt-outlet")
        await self._until(self._online.is_set)

    async def send(self, uplink: Message) -> None:
        """Publish one uplink.

        Raises:
            Refusal: the other side refuses for good, or stayed away longer than `patience_s`.
        """
        if self._endpoint.qos == 0:
            await self._send_unacknowledged(uplink)
            return
        if len(self._waiting) >= self._window or self._failure is not None:
            await self._until(lambda: len(self._waiting) < self._window)
        packet_id = self._next_id()
        entry = self._waiting[packet_id] = _Entry(uplink.topic.encode(), uplink.payload)
        self.sent += 1
        if uplink.harm == "half_open":
            await self._stranded.strand(self._packet(packet_id, entry))
            entry.tried = False  # nobody has it
        if self._writer is not None:
            self._put(self._packet(packet_id, entry))

    async def drain(self) -> None:
        """Return when everything sent is acknowledged, or was lost with its connection."""
        if self._endpoint.qos == 0 and self._unconfirmed:
            self._put(encode.PINGREQ)
            self._pings.append(self._unconfirmed)
            self._unconfirmed = 0
        await self._until(lambda: not self._waiting and not self._pings)

    async def close(self) -> None:
        """Say goodbye; what is still unacknowledged is given up."""
        self._stranded.close()
        if self._writer is not None:
            self._writer.write(encode.disconnect(self._endpoint.version))
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    # -- inside ------------------------------------------------------------------------------

    def _next_id(self) -> int:
        while True:
            self._packet_id = self._packet_id % 0xFFFF + 1
            if self._packet_id not in self._waiting:
                return self._packet_id

    async def _send_unacknowledged(self, uplink: Message) -> None:
        """QoS 0: as fast as the wire takes it, and not at all without one."""
        await self._until(lambda: self._writer is not None)
        self.sent += 1
        self._unconfirmed += 1
        topic = uplink.topic.encode()
        self._put(encode.publish(self._endpoint.version, topic, uplink.payload, 0, None))
        if self._unconfirmed % self._window == 0:
            await self.drain()

    def _put(self, packet: bytes) -> None:
        if not self._written:
            asyncio.get_running_loop().call_soon(self._flush)
        self._written.append(packet)

    def _flush(self) -> None:
        if self._writer is not None and self._written:
            self._writer.write(b"".join(self._written))
        self._written.clear()

    def _packet(self, packet_id: int, entry: _Entry) -> bytes:
        """One PUBLISH; marked DUP (§3.3.1.1) if it went out on an earlier connection."""
        version, again = self._endpoint.version, entry.tried
        entry.tried = True
        return encode.publish(version, entry.topic, entry.payload, 1, packet_id, dup=again)

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with self._room:
            await self._room.wait_for(lambda: reached() or self._failure is not None)
        if self._failure is not None:
            raise self._failure

    async def _tell(self) -> None:
        async with self._room:
            self._room.notify_all()

    async def _keep(self) -> None:
        """Stay connected: connect, live on that connection until it breaks, wait, again."""
        loop, end = asyncio.get_running_loop(), self._endpoint
        away_since, tries = loop.time(), 0
        try:
            while True:
                try:
                    patient = end.just_issued and self.connects == 0
                    line = await shake_hands(end, patient=patient)
                except (OSError, Lost, TimeoutError) as error:
                    tries += 1
                    self._give_up_after(loop.time() - away_since, error)
                    await asyncio.sleep(min(10.0, 0.2 * 2**tries) * self._dice.uniform(0.5, 1.0))
                    continue
                self.connects += 1
                self._window = min(end.window, line.receive_maximum)
                await self._live(line)
                away_since, tries = loop.time(), 0
        except Exception as error:  # noqa: BLE001 - whoever sends or drains must hear of it
            self._failure = error
            await self._tell()

    def _give_up_after(self, away_s: float, error: BaseException) -> None:
        patience = self._endpoint.patience_s
        first = self.connects == 0
        if first:
            patience = _FIRST_PATIENCE_S
        if patience is not None and away_s > patience:
            where = f"{self._endpoint.host}:{self._endpoint.port}"
            what = getattr(error, "strerror", None) or str(error) or type(error).__name__
            since = "" if first else f" for {away_s:.0f} s"
            raise Refusal(
                f"No connection to {where}{since} ({what}). {self.acked:,} of {self.sent:,} uplinks "
                "were acknowledged. Start the gateway (sekisho run), or correct --to."
            ) from error

    async def _live(self, line: Line) -> None:
        """Resend, then read acknowledgements until the connection breaks."""
        writer = line.writer
        self._written.clear()
        writer.writelines([self._packet(*waiting) for waiting in self._waiting.items()])
        self._writer = writer
        self._online.set()
        pinger = asyncio.create_task(self._ping(writer), name="mqtt-outlet-ping")
        try:
            await self._digest(line.early)
            while data := await line.reader.read(LIMIT):
                await self._digest(line.framer.feed(data))
        except (Lost, OSError):
            pass
        finally:
            self._writer = None
            self._unconfirmed = 0
            self._pings.clear()
            pinger.cancel()
            await asyncio.gather(pinger, return_exceptions=True)
            await hang_up(writer)

    async def _digest(self, packets: list[Packet]) -> None:
        for packet in packets:
            if isinstance(packet, Ack) and packet.type is Type.PUBACK:
                if self._waiting.pop(packet.packet_id, None) is not None:
                    self.acked += 1
                    if packet.reason >= 0x80:
                        self.refused[packet.reason] = self.refused.get(packet.reason, 0) + 1
            elif isinstance(packet, PingResp):
                self.acked += self._pings.popleft() if self._pings else 0
            elif isinstance(packet, (Disconnect, Violation)):
                raise Lost
        await self._tell()

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        """PINGREQ at half the keep-alive; a dead line shows when the pipe breaks."""
        while True:
            await asyncio.sleep(self._endpoint.keep_alive_s / 2)
            self._flush()
            self._pings.append(self._unconfirmed)
            self._unconfirmed = 0
            writer.write(encode.PINGREQ)
