"""The websocket door for LoRa Basics Station: it asks where to go at `/router-info`, comes to `/station/<EUI>`, and stays.

    station → {"router": EUI}                       → {"router", "muxs", "uri"} or {"router", "error"}
    station → version                               → router_config
    station → jreq, updf, propdf, …, timesync       → dnmsg, timesync
    station → dntxed, for what it did send

Only stations that are listed come in, and where the list says so only with their credential: a client certificate of that common
name, or its token by `Authorization`. The newest connection of a station counts, because the one before may be half
open. Sources: LNS protocol of Basics Station, version 2; RFC 6455.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping

from aiohttp import WSMsgType, web

from gateway.clock import Clock
from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.plan import Plan
from gateway.lorawan.reception import Reception, Told
from gateway.model.device import Directory
from gateway.porch import Porch
from gateway.telemetry import Facts, muted
from gateway.transports.basics_station.entry import Entry, Proof
from gateway.transports.basics_station.limits import StationLimits
from gateway.transports.basics_station.line import House, Line
from gateway.transports.basics_station.setup import Setup
from gateway.transports.basics_station.waiting import Waiting
from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station import discovery
from gateway.wire.station.errors import MessageError

_PATH = "/station"
_KEPT_S = 15.0
"""How long a connection that was answered may stay without another request."""


class StationDoor:
    """One listening websocket server.

    Args:
        plan: the region of all stations.
        forwarders: those that may come in.
        heard: takes every reception.
        told: what became of every downlink: None, or why it was not sent.
        digest: token → keyed hash, as the registry keeps it.

    Raises:
        RegionError: a station's board cannot hear the region.
    """

    def __init__(
        self,
        plan: Plan,
        forwarders: Mapping[Eui, Forwarder],
        heard: Callable[[Reception], None],
        told: Told,
        directory: Directory,
        digest: Callable[[bytes], bytes],
        clock: Clock,
        facts: Facts,
        limits: StationLimits,
    ) -> None:
        self._entry = Entry(forwarders, directory, digest)
        self._clock = clock
        self._facts = facts
        self._limits = limits
        self._waiting = Waiting(told, clock, limits.waiting)
        self._lines: dict[Eui, Line] = {}
        self._house = House(
            *(Setup(plan), heard, self._waiting, self._lines.get, clock, facts, limits)
        )
        self._asking = 0
        self._stopping = False
        self._servers: list[asyncio.Server] = []
        app = web.Application()
        app.router.add_get(discovery.PATH, self._ask)
        app.router.add_get(_PATH + "/{eui:[0-9a-f]{16}}", self._come)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=muted("basics_station", self._malformed),
            shutdown_timeout=1,
            keepalive_timeout=_KEPT_S,
        )

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; port 0 takes a free one. The port taken.

        Raises:
            OSError: the port is taken or not ours to take.
        """
        if self._runner.server is None:
            await self._runner.setup()
        assert self._runner.server is not None
        limits = self._limits
        server = await asyncio.get_running_loop().create_server(
            Porch(self._runner.server, limits.connections, limits.silent, limits.asking_s),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else limits.asking_s,
        )
        self._servers.append(server)
        taken: int = server.sockets[0].getsockname()[1]
        return taken

    def renew(self, directory: Directory) -> None:
        """The registry has changed: lines whose credential was taken away or renewed end."""
        self._entry.renew(directory)
        for line in list(self._lines.values()):
            if not self._entry.still(line.proof):
                line.drop()

    def stop_listening(self) -> None:
        """Take nothing more in; answers to what was taken still go out."""
        self._stopping = True
        for line in self._lines.values():
            line.hush()

    async def close(self) -> None:
        """After the last answer."""
        self._waiting.close()
        await asyncio.gather(*(line.leave() for line in list(self._lines.values())))
        for server in self._servers:
            server.close()
        await self._runner.cleanup()

    # -- where to go ------------------------------------------------------------------------

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        if self._stopping or self._asking >= self._limits.asking:
            return web.Response(status=503, headers={"Retry-After": "5"})
        proof = self._proof(request)
        self._asking += 1
        try:
            return await self._lead(request, proof)
        finally:
            self._asking -= 1

    async def _lead(self, request: web.Request, proof: Proof | None) -> web.StreamResponse:
        limits = self._limits
        socket = web.WebSocketResponse(
            timeout=1.0, compress=False, max_msg_size=limits.message_bytes
        )
        await socket.prepare(request)
        try:
            message = await socket.receive(limits.asking_s)
            if message.type is WSMsgType.TEXT:
                eui = discovery.read_question(message.data)
                await socket.send_str(self._answer(eui, proof, request))
            elif message.type in (WSMsgType.BINARY, WSMsgType.ERROR):
                self._malformed()
        except MessageError:
            self._malformed()
        except (ConnectionError, TimeoutError):
            pass  # gone, or it never asked
        finally:
            await socket.close()
        return socket

    def _answer(self, eui: Eui, proof: Proof | None, request: web.Request) -> str:
        if not self._entry.admits(eui, proof, request.remote or ""):
            self._refused(eui)
            sentence = "no forwarder of this gateway, or one that did not prove to be"
            return discovery.turned_away(eui, sentence)
        uri = f"{'wss' if request.secure else 'ws'}://{request.host}{_PATH}/{eui}"
        if len(uri) > discovery.LONGEST_URI:
            return discovery.turned_away(eui, "this gateway was called by too long a name")
        return discovery.led_to(eui, uri)

    # -- staying ----------------------------------------------------------------------------

    async def _come(self, request: web.Request) -> web.StreamResponse:
        if self._stopping:
            return web.Response(status=503, headers={"Retry-After": "5"})
        eui, proof = Eui.of(request.match_info["eui"]), self._proof(request)
        if not self._entry.admits(eui, proof, request.remote or ""):
            self._refused(eui)
            return web.Response(status=403)
        line = Line(self._house, eui, proof, request)
        await line.open()
        before = self._lines.get(eui)
        self._lines[eui] = line
        if before is not None:
            self._facts.note(
                "forwarder came again",
                f"Forwarder {eui} connected while it was connected, and the newer one counts",
                about=str(eui),
            )
            before.drop()
        try:
            return await line.talk()
        finally:
            self._facts.count("forwarder: gone")
            if self._lines.get(eui) is line:
                del self._lines[eui]

    # -- who ----------------------------------------------------------------------------------

    def _proof(self, request: web.Request) -> Proof | None:
        """What a request shows.

        Raises:
            web.HTTPUnauthorized: a token that proves nothing.
        """
        transport = request.transport
        certificate = None if transport is None else transport.get_extra_info("peercert")
        try:
            return self._entry.proof(request.headers.get("Authorization"), certificate)
        except PermissionError:
            self._refused(None)
            raise web.HTTPUnauthorized from None

    def _refused(self, eui: Eui | None) -> None:
        self._facts.note(
            "forwarder refused",
            "Somebody came as a forwarder who is not listed, or did not prove to be it",
            logging.WARNING,
        )
        name = None if eui is None else f"forwarder {eui}"
        self._facts.recent.turned_away(self._clock.now(), name, "unknown forwarder")

    def _malformed(self) -> None:
        self._facts.note("forwarder malformed", "Somebody sent what no station says")
