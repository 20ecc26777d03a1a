"""Uplinks over MQTT at QoS 1, as hardware would: a window, acknowledgements, reconnects with DUP."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from gateway.model.errors import Refusal
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.fields import RECEIVE_MAXIMUM
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Ack, ConnAck, Disconnect, Packet, Violation
from simulators.outlets.endpoint import Endpoint
from simulators.outlets.stranded import Stranded
from simulators.uplink import SimUplink

_LIMIT = 1 << 16
_CONNECT_S = 10.0
_FIRST_PATIENCE_S = 3.0  # long enough for a gateway that is started in the same breath
_FOREVER = {
    0x81,
    0x82,
    0x84,
    0x85,
    0x86,
    0x87,
    0x8C,
}  # MQTT 5 CONNACK: trying again changes nothing
_FOREVER_311 = {1, 2, 4, 5}  # the same for MQTT 3.1.1


@dataclass(slots=True)
class _Entry:
    """One uplink that waits for its acknowledgement."""

    topic: bytes
    payload: bytes
    tried: bool = False


class _Lost(Exception):
    """The connection is gone; another will be made."""


class MqttOutlet:
    """One MQTT client for the whole fleet.

    `send` returns when the uplink is on its way, waiting while the window is full. Whatever was not
    acknowledged when a connection broke goes out again, in order and marked DUP, on the next one.

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

    async def send(self, uplink: SimUplink) -> None:
        """Publish one uplink.

        Raises:
            Refusal: the other side refuses for good, or stayed away longer than `patience_s`.
        """
        if len(self._waiting) >= self._window or self._failure is not None:
            await self._until(lambda: len(self._waiting) < self._window)
        packet_id = self._next_id()
        entry = self._waiting[packet_id] = _Entry(uplink.topic.encode(), uplink.payload)
        self.sent += 1
        if uplink.harm == "half_open":
            await self._stranded.strand(self._packet(packet_id, entry))
            entry.tried = False  # nobody has it
        if self._writer is not None:
            if not self._written:
                asyncio.get_running_loop().call_soon(self._flush)
            self._written.append(self._packet(packet_id, entry))

    async def drain(self) -> None:
        """Return when everything sent is acknowledged."""
        await self._until(lambda: not self._waiting)

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
        loop = asyncio.get_running_loop()
        away_since, tries = loop.time(), 0
        try:
            while True:
                try:
                    reader, writer, framer, early = await self._connect()
                except (OSError, _Lost, TimeoutError) as error:
                    tries += 1
                    self._give_up_after(loop.time() - away_since, error)
                    await asyncio.sleep(min(10.0, 0.2 * 2**tries) * self._dice.uniform(0.5, 1.0))
                    continue
                await self._live(reader, writer, framer, early)
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

    async def _connect(
        self,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Framer, list[Packet]]:
        """One connection that was accepted, and what came right behind the CONNACK."""
        end = self._endpoint
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection(end.host, end.port, ssl=end.tls)
            try:
                writer.write(
                    encode.connect(
                        end.version, end.client_id, end.username, end.password, end.keep_alive_s
                    )
                )
                framer = Framer(_LIMIT, end.version)
                packets: list[Packet] = []
                while not packets:
                    data = await reader.read(_LIMIT)
                    if not data:
                        raise _Lost("the other side hung up before it answered")
                    packets = framer.feed(data)
                self._judge(packets[0])
            except BaseException:
                await _hang_up(writer)
                raise
        self.connects += 1
        return reader, writer, framer, packets[1:]

    def _judge(self, packet: Packet) -> None:
        if not isinstance(packet, ConnAck):
            raise _Lost("the other side does not speak MQTT")
        forever = _FOREVER if self._endpoint.version == 5 else _FOREVER_311
        if packet.reason in forever and not (self._endpoint.just_issued and self.connects == 0):
            raise Refusal(
                f"{self._endpoint.host}:{self._endpoint.port} refuses this credential "
                f"(CONNACK 0x{packet.reason:02X}). Register the fleet there (--register), or give "
                "--user and --password-file."
            )
        if packet.reason:
            raise _Lost(f"CONNACK 0x{packet.reason:02X}")
        self._window = min(self._endpoint.window, packet.properties.get(RECEIVE_MAXIMUM, 0xFFFF))

    async def _live(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        framer: Framer,
        early: list[Packet],
    ) -> None:
        """Resend, then read acknowledgements until the connection breaks."""
        self._written.clear()
        writer.writelines([self._packet(*waiting) for waiting in self._waiting.items()])
        self._writer = writer
        self._online.set()
        pinger = asyncio.create_task(self._ping(writer), name="mqtt-outlet-ping")
        try:
            await self._digest(early)
            while data := await reader.read(_LIMIT):
                await self._digest(framer.feed(data))
        except (_Lost, OSError):
            pass
        finally:
            self._writer = None
            pinger.cancel()
            await asyncio.gather(pinger, return_exceptions=True)
            await _hang_up(writer)

    async def _digest(self, packets: list[Packet]) -> None:
        for packet in packets:
            if isinstance(packet, Ack) and packet.type is Type.PUBACK:
                if self._waiting.pop(packet.packet_id, None) is not None:
                    self.acked += 1
                    if packet.reason >= 0x80:
                        self.refused[packet.reason] = self.refused.get(packet.reason, 0) + 1
            elif isinstance(packet, (Disconnect, Violation)):
                raise _Lost
        await self._tell()

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        """PINGREQ at half the keep-alive; a dead line shows when the pipe breaks."""
        while True:
            await asyncio.sleep(self._endpoint.keep_alive_s / 2)
            writer.write(encode.PINGREQ)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
