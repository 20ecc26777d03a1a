"""An MQTT door on a loopback port, its house, and a client that speaks in bytes."""

import asyncio
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from gateway.interfaces import Scripts
from gateway.model.device import Credential, Device, Directory
from gateway.model.identity import DeviceId
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.door import Door
from gateway.transports.mqtt_listener.forwarding import ServerTopic
from gateway.transports.mqtt_listener.limits import Limits
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.fields import SESSION_EXPIRY
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Packet, Properties
from tests.fakes.clock import ManualClock
from tests.fakes.readings import child, gauge, stop
from tests.fakes.receiver import Receiver
from tests.fakes.sessions import Desk

UP = b"sekisho/v1/river-1/up"
TOKEN = b"0123456789abcdef"


def digest(token: bytes) -> bytes:
    """The keyed hash of a token."""
    return blake2b(token, key=b"k", digest_size=32).digest()


def directory(token: bytes = TOKEN, *more: Device, devices: tuple[str, ...] = ("river-1",)) -> Directory:  # fmt: skip
    """A gauge, a child and a stop; credential "meter" speaks for `devices`."""
    known = {device.device: device for device in (gauge(), child(), stop(), *more)}
    speaks = frozenset(DeviceId(name) for name in devices)
    return Directory(known, {"meter": Credential("meter", digest(token), speaks)})


class House:
    """A door with a manual clock, and the receiver behind it; `async with` opens and closes it.

    Args:
        path: where sessions are kept; the next house with the same path is the next life.
    """

    def __init__(
        self,
        anonymous: bool = False,
        path: Path | None = None,
        server_topics: Sequence[ServerTopic] = (),
        known: Directory | None = None,
        scripts: Scripts | None = None,
        **limits: Any,
    ) -> None:
        self.clock = ManualClock()
        self.facts = Facts()
        self.receiver = Receiver()
        self.kept = Desk(self.clock, path)
        self.door = Door(
            *(self.receiver, known or directory(), digest, self.clock, self.facts),
            *(Limits(**limits), self.kept.sessions, self.kept.commands),
            anonymous=anonymous,
            server_topics=server_topics,
            scripts=scripts,
        )
        self.port = 0
        self._clients: list[Client] = []

    async def __aenter__(self) -> Self:
        self.port = await self.door.open("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        for client in self._clients:
            client.close()
        self.door.stop_listening()
        await self.door.close()
        await settled()

    async def arrive(self) -> "Client":
        """A client whose socket is open and that has said nothing."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._clients.append(Client(reader, writer))
        return self._clients[-1]

    async def guest(self, version: int = 5, **said: Any) -> "Client":
        """A client that was let in."""
        client = await self.arrive()
        said.setdefault("client_id", f"c{len(self._clients)}")
        client.say(connect(version, **said))
        assert (await client.hear(version))[0].reason == 0
        return client


def connect(
    version: int = 5,
    client_id: str = "c",
    username: str | None = "meter",
    password: bytes | None = TOKEN,
    keep_alive_s: int = 60,
    clean: bool = True,
    properties: Properties | None = None,
) -> bytes:
    """A CONNECT, by default of the credential that is known."""
    who = (client_id, username, password)
    return encode.connect(version, *who, keep_alive_s, clean=clean, properties=properties)


def remembered(client_id: str = "c", expiry_s: int = 3600, clean: bool = False, **said: Any) -> bytes:  # fmt: skip
    """A CONNECT of MQTT 5 that wants to be remembered."""
    wanted = {SESSION_EXPIRY: expiry_s, **said.pop("properties", {})}
    return connect(5, client_id, clean=clean, properties=wanted, **said)


def publish(n: int, payload: bytes = b"x", topic: bytes = UP, version: int = 5, qos: int = 1, dup: bool = False) -> bytes:  # fmt: skip
    """A PUBLISH, at QoS 1 by default."""
    return encode.publish(version, topic, payload, qos, n, dup)


class Client:
    """The other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._framer = Framer(1 << 20)
        self._more: list[Packet] = []

    def say(self, *packets: bytes) -> None:
        """Send bytes, in one write."""
        self.writer.write(b"".join(packets))

    async def hear(self, version: int = 5, packets: int = 1) -> list[Any]:
        """The next packets; fewer where the connection is closed before."""
        self._framer.version = version
        heard = self._more
        while len(heard) < packets:
            data = await self.reader.read(65_536)
            if not data:
                break
            heard += self._framer.feed(data)
        self._more = heard[packets:]
        return heard[:packets]

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until it is so; the test's timeout is the bound."""
    while not condition():
        await asyncio.sleep(0)


async def settled() -> None:
    """Let everything that is on its way on loopback arrive."""
    for _ in range(20):
        await asyncio.sleep(0)
