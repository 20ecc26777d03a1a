"""HTTP push: a ChirpStack or The Things Stack posts each event, and is answered once it is on disk.

    POST /push/<format>[/…][?event=up]     one document, as `gateway.wire.envelopes.formats` names them

The sender proves a credential by `Authorization`: Basic (name, token), or `Bearer name:token` where a server
lets its operator write the header himself. 204 means on disk, whatever the mask decided; nothing else is said.
Sources: RFC 9110, RFC 7617; ChirpStack documentation, HTTP integration (`?event=`); The Things Stack
documentation, Webhooks (a path for each message).
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.model.device import Credential, Directory
from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.model.uplink import Receiver, Route, Uplinks
from gateway.pipeline.sorting import Counted, Sorting
from gateway.porch import Porch
from gateway.registry.proven import claimed, proven
from gateway.telemetry import Facts, muted
from gateway.wire.envelopes.event import Open
from gateway.wire.envelopes.formats import FORMATS

_STATUS = {
    Reason.UNKNOWN_DEVICE: 403,
    Reason.NOT_ALLOWED: 403,
    Reason.UNSTORABLE: 500,
}
"""Everything else that is rejected is 422: the document's own fault."""

_AGAIN_S = "5"

_BODY_S = 20.0
"""For a document to come in whole, and for a request's head."""

_KEPT_S = 75.0
"""How long a connection that was answered may stay without another document."""


@dataclass(frozen=True, slots=True)
class PushLimits:
    """How much a sender may ask of the door.

    Attributes:
        body_bytes: largest document taken.
        pending: documents that wait for their commit, of all senders.
        connections: at a time.
        silent: of those, whose first request has not come.
    """

    body_bytes: int = 262_144
    pending: int = 1024
    connections: int = 2048
    silent: int = 256


class PushDoor:
    """One listening HTTP server.

    Args:
        digest: token → keyed hash, as the registry keeps it.
        scripts: runs vendors' JavaScript; None where no codec is one.
    """

    def __init__(
        self,
        receiver: Receiver,
        directory: Directory,
        digest: Callable[[bytes], bytes],
        clock: Clock,
        facts: Facts,
        name: str,
        limits: PushLimits,
        scripts: Scripts | None = None,
    ) -> None:
        self._receiver = receiver
        self._directory = directory
        self._digest = digest
        self._clock = clock
        self._facts = facts
        self._name = name
        self._limits = limits
        self._scripts = scripts
        self._sortings: dict[tuple[str, Credential], Sorting] = {}
        self._openers: dict[str, Open] = {}
        self._waiting = 0
        self._stopping = False
        self._servers: list[asyncio.Server] = []
        app = web.Application(client_max_size=limits.body_bytes)
        app.router.add_post("/push/{format}", self._take)
        app.router.add_post("/push/{format}/{rest:.*}", self._take)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=muted("http_push", self._malformed),
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
            Porch(self._runner.server, limits.connections, limits.silent, _BODY_S),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else _BODY_S,
        )
        self._servers.append(server)
        taken: int = server.sockets[0].getsockname()[1]
        return taken

    def renew(self, directory: Directory) -> None:
        """The registry has changed: it is in force for the next document."""
        self._directory = directory
        self._sortings.clear()

    def stop_listening(self) -> None:
        """Take nothing more; what was taken is still answered."""
        self._stopping = True

    async def close(self) -> None:
        """After the last answer."""
        for server in self._servers:
            server.close()
        await self._runner.cleanup()

    # -- one document -----------------------------------------------------------------------

    async def _take(self, request: web.Request) -> web.Response:
        if self._stopping or self._waiting >= self._limits.pending:
            return _answer(503, "come again", {"Retry-After": _AGAIN_S})
        name = request.match_info["format"]
        credential = self._credential(request)
        if credential is None:
            return _answer(
                401, "a credential of this gateway is needed", {"WWW-Authenticate": "Basic"}
            )
        if name not in FORMATS:
            return _answer(404, f"there are {', '.join(FORMATS)}")
        try:
            async with asyncio.timeout(_BODY_S):
                document = await request.read()
        except TimeoutError:
            return _answer(408, "the document did not come in time")
        credential = self._credential(request)  # it may have been taken away meanwhile
        if credential is None:
            return _answer(401, "a credential of this gateway is needed")
        self._waiting += 1
        try:
            return await self._settled(request, name, credential, document)
        finally:
            self._waiting -= 1

    async def _settled(
        self, request: web.Request, name: str, credential: Credential, document: bytes
    ) -> web.Response:
        sorting = self._sorting(name, credential)
        if sorting is None:
            return _answer(501, f"{name} needs: pip install 'sekisho[{FORMATS[name].extra}]'")
        item = sorting.sort(_topic(request), document)
        if isinstance(item, Counted):
            return web.Response(status=204)
        route, uplink = item
        if isinstance(route, Route) and route.script and isinstance(uplink, Forwarded):
            said = await self._said(route.script, uplink)
            route, uplink = (said, uplink) if isinstance(said, Reason) else (route, said)
        settled: asyncio.Future[Reason | None] = asyncio.get_running_loop().create_future()

        def settle(refused: dict[int, Reason]) -> None:
            if not settled.done():
                settled.set_result(refused.get(0))

        uplinks = Uplinks(credential.origin, self._clock.now(), [(route, uplink)], settle)
        self._receiver.put((self._name, credential.name), uplinks)
        refused = await settled
        if refused is None:
            return web.Response(status=204)
        return _answer(_STATUS.get(refused, 422), refused.value)

    async def _said(self, script: str, uplink: Forwarded) -> Forwarded | Reason:
        if self._scripts is None:
            return Reason.NO_CODEC
        return await self._scripts.run(script, uplink)

    def _credential(self, request: web.Request) -> Credential | None:
        user, token = claimed(request.headers.get("Authorization", ""))
        credential = proven(self._directory, self._digest, user, token)
        if credential is None:
            self._facts.note(
                "push refused", "A document came without a credential", logging.WARNING
            )
            self._facts.recent.turned_away(self._clock.now(), user or None, "BAD_CREDENTIALS")
        else:
            self._facts.recent.came_in(self._clock.now(), credential.name)
        return credential

    def _malformed(self) -> None:
        self._facts.note("push malformed", "A request was no HTTP, or ended in the middle")

    def _sorting(self, name: str, credential: Credential) -> Sorting | None:
        """How one credential's documents of one format are opened; None where the extra is missing."""
        key = (name, credential)
        found = self._sortings.get(key)
        if found is None:
            if name not in self._openers:
                try:
                    self._openers[name] = FORMATS[name].opener()
                except ImportError:
                    return None
            found = self._sortings[key] = Sorting(
                self._openers[name],
                *(self._directory, self._facts, self._clock, self._name, credential.devices),
            )
        return found


def _topic(request: web.Request) -> str:
    """What the document tells of, as a topic of the same server would end: ChirpStack's `?event=up`."""
    event = request.query.get("event")
    return f"{request.path}/event/{event}" if event else request.path


def _answer(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": sentence}, status=status, headers=headers)
