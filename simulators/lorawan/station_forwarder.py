"""A forwarder that speaks as LoRa Basics Station 2.0.6 does: one websocket to its network (LNS protocol, version 2).

It asks where to go, says what it is, and hears on the channels that it is then given. A downlink takes RX1 if that is
still possible, else RX2, else nothing is said of it; `dntxed` tells of what was really sent. Where the line
breaks it comes back by itself, and what it hears meanwhile is lost.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, NamedTuple

import aiohttp
import msgspec

from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.backhaul import LOST
from simulators.lorawan.forwarder import Counts, Hearing, Order, Signal, Site
from simulators.lorawan.links import FORWARDER_GAIN_DB
from simulators.lorawan.rests import Rests
from simulators.lorawan.station_line import GONE, Home, Line, arrive, written
from simulators.lorawan.station_words import Setup, apart

_MARGIN_US = 20_000
"""A station sends nothing that begins sooner (`TX_AIM_GAP` of 2.0.6)."""

_AGAIN_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_PATIENCE_S = 10.0
_SYNC_S = 60.0
_LATE_S = 1.0
_FEELS_S = 0.5
"""After an outage, until it knows whether its line has outlived that."""

_SESSION = 0x61 << 48
"""Whose time an xtime is; what stands below counts microseconds."""

_MICROSECONDS = (1 << 48) - 1


class _Told(NamedTuple):
    """A frame on its way to the gateway."""

    number: int
    due_s: float
    text: str


class StationForwarder:
    """One forwarder.

    Attributes:
        fault: why it has, or last had, no line.
    """

    def __init__(self, eui: Eui, home: Home, site: Site) -> None:
        self.eui = eui
        self.counts = Counts()
        self.antennas = site.antennas
        self.fault = ""
        self._home = home
        self._site = site
        self._ahead = site.dice.randrange(1 << 40)
        self._setup: Setup | None = None
        self._line: Line | None = None
        self._queue: deque[_Told] = deque()
        self._more = asyncio.Event()
        self._rests = Rests()
        self._gone_us: int | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect, and wait a moment for the configuration."""
        configured = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._stay(configured), name=f"station {self.eui}"),
            asyncio.create_task(self._write(), name=f"station {self.eui} says"),
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await configured.wait()

    @property
    def is_configured(self) -> bool:
        """Whether it has a line, and knows what to hear."""
        return self._setup is not None

    async def close(self) -> None:
        """As a station that is stopped: the connection just ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._back()
        for told in self._queue:
            self._site.book.handed(self.eui, told.number, LOST)

    def push(self, heard: Hearing) -> None:
        """Hand over what was heard, behind everything that was heard before; a station says nothing of wrong CRCs."""
        if not heard.whole:
            return
        if self._setup is None:
            self._site.book.handed(self.eui, heard.number, "no line")
            return
        dr = self._setup.hears(heard.freq_hz, heard.rate.sf, heard.rate.bw_hz // 1000)
        if dr is None:
            self._site.book.handed(self.eui, heard.number, "not listened to")
            return
        due_s = asyncio.get_running_loop().time() + self._site.backhaul.delay_s()
        for signal in heard.signals:
            text = written(self._uplink(heard, signal, dr))
            self._queue.append(_Told(heard.number, due_s, text))
        self._more.set()

    # -- the line ---------------------------------------------------------------------------

    async def _stay(self, configured: asyncio.Event) -> None:
        """Come, stay, and come back, less and less often while nobody is there."""
        tries = 0
        async with aiohttp.ClientSession() as http:
            while True:
                await self._site.backhaul.passable()
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        line, self._setup = await arrive(http, self._home, self.eui)
                    self._line = line
                    self._back()
                    configured.set()
                    tries = 0
                    try:
                        await self._listen(line)
                    finally:
                        await line.close()
                except GONE as error:
                    self.fault = str(error) or type(error).__name__
                if self._setup is not None:
                    self._gone_us = self._site.now_us()
                self._line = self._setup = None
                wait_s = _AGAIN_S[min(tries, len(_AGAIN_S) - 1)]
                tries += 1
                await asyncio.sleep(wait_s * self._site.dice.uniform(0.8, 1.2))

    def _back(self) -> None:
        """Tell of the time without a line, if there was a line before."""
        if self._gone_us is not None:
            self._site.book.away(self.eui, self._gone_us, self._site.now_us())
            self._gone_us = None

    async def _listen(self, line: Line) -> None:
        """Obey until the line ends; while the backhaul is away nothing arrives."""
        now_s = asyncio.get_running_loop().time
        asked_s = due_s = 0.0
        while True:
            if now_s() >= asked_s:
                asked_s = now_s() + _SYNC_S
                await line.send_str(written({"msgtype": "timesync", "txtime": self._xtime()}))
            message = await line.receive()
            await self._site.backhaul.passable()
            if message.type is aiohttp.WSMsgType.PING:
                await line.pong(message.data)
                continue
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            said = msgspec.json.decode(message.data)
            if said["msgtype"] == "dnmsg":
                due_s = max(due_s, now_s() + self._site.backhaul.back_delay_s())
                self._do(self._arrives(said, due_s))

    async def _write(self) -> None:
        """Say what was heard, in its order; during an outage it waits, and is lost if the line does not outlive that."""
        loop = asyncio.get_running_loop()
        while True:
            while not self._queue:
                self._more.clear()
                await self._more.wait()
            told = self._queue[0]
            await asyncio.sleep(max(0.0, told.due_s - loop.time()))
            if self._site.backhaul.is_out:
                await self._site.backhaul.passable()
                await asyncio.sleep(_FEELS_S)
            late = loop.time() > told.due_s + _LATE_S
            fate = await self._say(told.text)
            self._queue.popleft()
            self.counts.pushed += not fate
            if fate or late:
                self._site.book.handed(self.eui, told.number, fate or "late")

    async def _say(self, text: str) -> str:
        """Say it; or why not."""
        if self._line is None or self._line.closed:
            return "no line"
        try:
            await self._line.send_str(text)
        except GONE:
            return "no line"
        return ""

    # -- what is said -----------------------------------------------------------------------

    def _xtime(self, at_us: int | None = None) -> int:
        """The concentrator's time, beyond what a double holds exactly."""
        at_us = self._site.now_us() if at_us is None else at_us
        return _SESSION | (at_us + self._ahead)

    def _uplink(self, heard: Hearing, signal: Signal, dr: int) -> dict[str, Any]:
        utc = self._site.utc()
        at_s = 0.0 if utc is None else utc / 1e6
        return {
            **apart(heard.phy),
            "RefTime": at_s,
            "DR": dr,
            "Freq": heard.freq_hz,
            "upinfo": {
                "rctx": signal.antenna,
                "xtime": self._xtime(heard.end_us),
                "gpstime": 0,
                "fts": -1,
                "rssi": round(signal.rssi_dbm),
                "snr": round(signal.snr_db * 4) / 4,
                "rxtime": at_s,
            },
        }

    async def _arrives(self, said: dict[str, Any], due_s: float) -> None:
        """A downlink comes behind everything that was sent before it."""
        await asyncio.sleep(due_s - asyncio.get_running_loop().time())
        self._obey(said)

    def _obey(self, said: dict[str, Any]) -> None:
        """Send a downlink in the first window in which it may be sent; of one that may not, nothing is said."""
        setup = self._setup
        if setup is None:
            return
        self.counts.asked += 1
        heard_us = (said["xtime"] & _MICROSECONDS) - self._ahead
        first_us = heard_us + (said["RxDelay"] or 1) * 1_000_000
        for window, begin_us in (("RX1", first_us), ("RX2", first_us + 1_000_000)):
            if f"{window}DR" in said and self._try(setup, said, window, begin_us):
                return
        self.counts.refused += 1

    def _try(self, setup: Setup, said: dict[str, Any], window: str, begin_us: int) -> bool:
        """Whether it will be sent in this window, as far as can be said before its moment."""
        dr, freq_hz = said[f"{window}DR"], said[f"{window}Freq"]
        sf, khz = setup.down[dr]
        rate, phy = DataRate(sf, khz * 1000), bytes.fromhex(said["pdu"])

        def told(sent: bool) -> None:
            self.counts.sent += sent
            if not sent:
                self._rests.drop(scope, begin_us)
                if window == "RX1" and "RX2DR" in said:
                    self._try(setup, said, "RX2", begin_us + 1_000_000)
                return
            self._tell(said, dr, freq_hz, begin_us)

        scope, times = setup.rest(freq_hz)
        air_us = airtime_us(len(phy), rate, crc=False)
        fault = ""
        if begin_us < self._site.now_us() + _MARGIN_US:
            fault = "TOO_LATE"
        elif not self._rests.fits(scope, begin_us, times * air_us):
            fault = "channel rests"
        order = Order(phy, begin_us, freq_hz, rate, setup.power_dbm - FORWARDER_GAIN_DB, told)
        if self._site.take(str(self.eui), order, fault):
            return False
        self._rests.add(scope, begin_us, times * air_us)
        return True

    def _tell(self, said: dict[str, Any], dr: int, freq_hz: int, begin_us: int) -> None:
        """Say of a downlink that it went out."""
        told = {name: said.get(name) for name in ("diid", "DevEui", "rctx")}
        told |= {"msgtype": "dntxed", "seqno": said["diid"], "DR": dr, "Freq": freq_hz}
        told |= {"xtime": self._xtime(begin_us), "txtime": begin_us / 1e6, "gpstime": 0}
        self._do(self._after(written(told)))

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.append(task)
        task.add_done_callback(self._forget)

    async def _after(self, text: str) -> None:
        await asyncio.sleep(self._site.backhaul.delay_s())
        await self._site.backhaul.passable()
        self.counts.acked += not await self._say(text)

    def _forget(self, task: asyncio.Task[None]) -> None:
        if task in self._tasks:
            self._tasks.remove(task)
