"""The door itself: sockets, TLS, the connections that are in, and who has been silent too long."""

import asyncio
import ssl
from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.model.device import Directory
from gateway.model.uplink import Receiver
from gateway.sessions.commands import Commands
from gateway.sessions.sessions import Sessions
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.connection import Connection
from gateway.transports.mqtt_listener.forwarding import Forwarding, ServerTopic
from gateway.transports.mqtt_listener.guestbook import Guestbook
from gateway.transports.mqtt_listener.limits import Limits
from gateway.wire.mqtt.codes import Code

_SWEEP_S = 1.0
"""How often silence is looked for."""

_WAITING_ROOM = 256
"""Sockets beyond the bound that may stay long enough to be told "quota exceeded"."""


class Door:
    """One MQTT listener: a plain port, a TLS port, or both.

    Args:
        receiver: where uplinks go.
        directory: devices and credentials as the registry has them now.
        digest: token → keyed hash.
        sessions, commands: what outlives a connection; the same for every door.
        server_topics: where network servers publish, and in which format.
        scripts: runs vendors' JavaScript; None where no codec is one.
        anonymous: whether clients without a user name may speak, from loopback only.
    """

    def __init__(
        self,
        receiver: Receiver,
        directory: Directory,
        digest: Callable[[bytes], bytes],
        clock: Clock,
        facts: Facts,
        limits: Limits,
        sessions: Sessions,
        commands: Commands,
        *,
        anonymous: bool = False,
        server_topics: Sequence[ServerTopic] = (),
        scripts: Scripts | None = None,
    ) -> None:
        self.scripts = scripts
        self.receiver = receiver
        self.clock = clock
        self.facts = facts
        self.limits = limits
        self.sessions = sessions
        self.commands = commands
        self.anonymous = anonymous
        self.guestbook = Guestbook(directory, digest)
        self.forwarding = Forwarding(server_topics, directory, facts, clock)
        self._connections: set[Connection] = set()
        self._stopping = False
        self._waiting_bytes = 0
        self.crowded = False
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; port 0 takes a free one. The port taken.

        Raises:
            OSError: the port is taken or not ours to take.
        """
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(self),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else self.limits.connect_s,
            backlog=1024,
        )
        self._servers.append(server)
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep(), name="mqtt door: silence")
        taken: int = server.sockets[0].getsockname()[1]
        return taken

    def renew(self, directory: Directory) -> None:
        """The registry has changed: it is in force for every connection from here on."""
        self.guestbook.replace(directory)
        self.forwarding.renew(directory)
        for connection in list(self._connections):
            connection.renew()

    def stop_listening(self) -> None:
        """Take no new connections and read nothing more from those that are in."""
        self._stopping = True
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.hush()

    async def close(self) -> None:
        """Say goodbye to everybody; the last acknowledgements have left before."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self._connections):
            connection.end(Code.SHUTTING_DOWN)
        await asyncio.sleep(0)

    # -- for connections

    def arrived(self, connection: Connection) -> None:
        """A socket came in; beyond the bound and its waiting room it is shut without a word, and so
        is one whose handshake ends after the door has closed.
        """
        self._connections.add(connection)
        if self._stopping or len(self._connections) > self.limits.connections + _WAITING_ROOM:
            connection.shut()

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def holds(self, credential: str, client_id: str) -> bool:
        return self.sessions.held(self.sessions.names.owner(credential), client_id)

    def weigh(self, size: int) -> None:
        """Keep count of the bytes that wait; beyond the bound nobody is read until half is gone."""
        self._waiting_bytes += size
        bound = self.limits.door_bytes
        crowded = self._waiting_bytes >= (bound // 2 if self.crowded else bound)
        if crowded is not self.crowded:
            self.crowded = crowded
            for connection in self._connections:
                connection.throttle()

    def has_room(self) -> bool:
        return len(self._connections) <= self.limits.connections

    async def _sweep(self) -> None:
        """End connections that were silent for one and a half keep-alives (§3.1.2.10)."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = self.clock.monotonic()
            silent = [c for c in self._connections if now - c.last_heard > c.silence_s]
            for connection in silent:
                connection.expire()
