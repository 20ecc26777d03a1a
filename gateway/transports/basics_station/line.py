"""One station's connection: what it says is heard, what it is to send goes out."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from gateway.clock import Clock
from gateway.lorawan.answers import GPS_EPOCH, LEAP_S
from gateway.lorawan.reception import RX1, RX2, Downlink, Reception
from gateway.telemetry import Facts
from gateway.transports.basics_station.entry import Proof
from gateway.transports.basics_station.limits import StationLimits
from gateway.transports.basics_station.pace import Pace
from gateway.transports.basics_station.setup import Setup
from gateway.transports.basics_station.waiting import Aim, Waiting
from gateway.transports.basics_station.way import StationWay
from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station import messages
from gateway.wire.station.errors import MessageError
from gateway.wire.station.frames import UpInfo
from gateway.wire.station.messages import Heard, Sent, TimeSync, Transmission, Version

_PARTING_S = 2.0
"""For a station to answer a farewell."""


@dataclass(frozen=True, slots=True)
class House:
    """What all lines of a door share.

    Attributes:
        heard: takes every reception.
        line: the one that a station speaks on just now.
    """

    setup: Setup
    heard: Callable[[Reception], None]
    waiting: Waiting
    line: "Callable[[Eui], Line | None]"
    clock: Clock
    facts: Facts
    limits: StationLimits


class Line:
    """A station that was let in.

    Attributes:
        proof: what it has shown.
    """

    def __init__(self, house: House, eui: Eui, proof: Proof | None, request: web.Request) -> None:
        self.proof = proof
        self._house = house
        self._eui = eui
        self._transport = request.transport
        limits = house.limits
        self._socket = web.WebSocketResponse(
            timeout=1.0,
            autoping=False,
            heartbeat=limits.heartbeat_s,
            compress=False,
            max_msg_size=limits.message_bytes,
        )
        self._request = request
        self._pace = Pace(limits.rate, house.clock.monotonic())
        self._configured = False
        self._hushed = False
        self._writing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Answer the request.

        Raises:
            web.HTTPException: it opens no websocket.
        """
        await self._socket.prepare(self._request)

    async def talk(self) -> web.WebSocketResponse:
        """Until either side ends it. Stations just drop the connection when they are stopped."""
        house = self._house
        try:
            while await self._heard(await self._message()):
                owed_s = self._pace.owed_s(house.clock.monotonic())
                if owed_s:
                    house.facts.note(
                        "forwarder held back",
                        f"Forwarder {self._eui} says more than it may, and is read more slowly",
                        about=str(self._eui),
                    )
                    await asyncio.sleep(owed_s)
        except (ConnectionError, TimeoutError):
            pass  # gone, or it never said what it is
        finally:
            await self._socket.close()
        return self._socket

    def hush(self) -> None:
        """Hand over nothing more of what is heard."""
        self._hushed = True

    async def leave(self) -> None:
        """Say that the gateway goes away, to whoever listens."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PARTING_S):
                await self._socket.close(code=WSCloseCode.GOING_AWAY)
        self.drop()

    def drop(self) -> None:
        """End it at once, because a newer one counts or its credential does not."""
        self._hushed = True
        if self._transport is not None:
            self._transport.abort()

    def transmit(self, downlink: Downlink, info: UpInfo, windows: tuple[int, int], until_s: float) -> str | None:  # fmt: skip
        """Hand a downlink over; why not, in words.

        Args:
            info: of the uplink.
            windows: numbers of the data rates of RX1 and RX2.
            until_s: when it counts as not sent.
        """
        house = self._house
        if not self._configured:
            return "its forwarder is not configured yet"
        aims: dict[Aim, int] = {}
        if downlink.second:
            aims[windows[1], downlink.rx2_freq_hz] = RX2
        if downlink.first:
            aims[windows[0], downlink.rx1_freq_hz] = RX1
        theirs = house.waiting.add(self._eui, downlink.number, aims, until_s)
        if theirs is None:
            return "too many downlinks wait at its forwarder"
        wanted = Transmission(
            *(theirs, downlink.dev_eui, downlink.phy, int(downlink.delay_s)),
            (windows[0], downlink.rx1_freq_hz) if downlink.first else None,
            (windows[1], downlink.rx2_freq_hz) if downlink.second else None,
            *(info.xtime, info.rctx),
        )
        text = messages.dnmsg(wanted, house.clock.now() / 1e6)
        task = asyncio.get_running_loop().create_task(self._write(theirs, text))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return None

    async def _write(self, theirs: int, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (ConnectionError, RuntimeError):
            self._house.waiting.fail(theirs, "its forwarder has gone")

    async def _message(self) -> WSMessage:
        """The next one; the first one must come soon."""
        limits = self._house.limits
        return await self._socket.receive(None if self._configured else limits.asking_s)

    async def _heard(self, message: WSMessage) -> bool:
        """Take one message; False for the last."""
        if message.type is WSMsgType.TEXT:
            try:
                await self._take(messages.read(message.data))
            except MessageError as error:
                self._malformed(str(error))
        elif message.type is WSMsgType.PING:
            await self._socket.pong(message.data)
        elif message.type is WSMsgType.BINARY:
            self._malformed("not text")
        elif message.type is WSMsgType.ERROR:
            if not isinstance(message.data, TimeoutError):  # that one is a ping without its answer
                self._malformed("no frame of a websocket, or too long a message")
            return False
        elif message.type is not WSMsgType.PONG:
            return False
        return True

    async def _take(self, said: messages.Upward) -> None:
        """One message that could be read."""
        house = self._house
        roof = house.facts.recent.roofs[str(self._eui)]
        roof.said = house.clock.now()
        if self._configured:
            roof.back = roof.said
        if isinstance(said, Version):
            await self._configure(said)
        elif not self._configured:
            raise MessageError("version: must come first")
        elif isinstance(said, Heard):
            self._receive(said)
        elif isinstance(said, Sent):
            if not house.waiting.went_out(self._eui, said):
                house.facts.count("forwarder: dntxed of nothing")
        elif isinstance(said, TimeSync):
            gps_us = house.clock.now() - GPS_EPOCH + LEAP_S * 1_000_000
            await self._socket.send_str(messages.timesync(said, gps_us))
        else:
            house.facts.count("forwarder: other message")

    async def _configure(self, said: Version) -> None:
        house = self._house
        if self._configured:
            raise MessageError("version: a second time")
        if said.protocol != messages.PROTOCOL:
            raise MessageError(f"protocol: only {messages.PROTOCOL} is known")
        self._configured = True
        await self._socket.send_str(house.setup.config(house.clock.now() / 1e6))
        house.facts.count("forwarder: configured")

    def _receive(self, said: Heard) -> None:
        house, info = self._house, said.info
        rate = house.setup.rate(said.dr)
        if rate is None:
            raise MessageError("DR: none of this region's")
        if self._hushed:
            return
        now_s = house.clock.monotonic()
        way = StationWay(house, self._eui, info, now_s)
        house.heard(
            Reception(
                *(said.phy, self._eui, info.rctx, said.freq_hz, rate, info.rssi, info.snr),
                *(house.clock.now(), now_s, way),
            )
        )

    def _malformed(self, why: str) -> None:
        self._house.facts.note(
            "forwarder malformed",
            f"Forwarder {self._eui} sent what no station says ({why}); it is passed over",
            about=str(self._eui),
        )
