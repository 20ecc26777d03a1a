"""The clients that everybody has, each sending one device's uplinks to a gateway that may die meanwhile."""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.conftest import NPM, tool
from tests.e2e.crowd import Uplink

_PAUSE_S = 0.02
_AT_ONCE = 10


class Companion(Protocol):
    """One client of one device.

    Attributes:
        handed: what its library was given.
        told: what its library says was acknowledged.
    """

    handed: list[Uplink]
    told: list[Uplink]

    async def run(self, port: int) -> None:
        """Send until told to finish and everything is acknowledged."""
        ...

    def finish(self) -> None:
        """Give its library nothing new."""
        ...


class _Client:
    def __init__(
        self, credential: tuple[str, str], uplinks: Iterator[Uplink], qos: int, version: int = 5
    ) -> None:
        self.user, self.token = credential
        self.uplinks = uplinks
        self.qos = qos
        self.version = version
        self.handed: list[Uplink] = []
        self.told: list[Uplink] = []
        self.ending = False

    @property
    def name(self) -> str:
        return f"{type(self).__name__.lower()}-{self.qos}-{self.version}"

    def finish(self) -> None:
        self.ending = True

    def next(self) -> Uplink:
        """The next uplink, counted as handed."""
        self.handed.append(next(self.uplinks))
        return self.handed[-1]


class Paho(_Client):
    """paho-mqtt, which sends again whatever was not acknowledged, session or not."""

    async def run(self, port: int) -> None:
        numbers: dict[int, Uplink] = {}
        published: deque[int] = deque()
        is_5 = self.version == 5
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.name,
            protocol=paho.MQTTv5 if is_5 else paho.MQTTv311,
            clean_session=None if is_5 else False,
        )
        client.username_pw_set(self.user, self.token)
        client.reconnect_delay_set(1, 1)

        client.on_publish = lambda _client, _data, mid, _reason, _said: published.append(mid)
        kept = Properties(PacketTypes.CONNECT) if is_5 else None  # type: ignore[no-untyped-call]
        if kept is not None:
            kept.SessionExpiryInterval = 3600
        more: dict[str, Any] = {"clean_start": False, "properties": kept} if is_5 else {}
        client.connect_async("127.0.0.1", port, **more)
        client.loop_start()
        try:
            while not (self.ending and len(self.told) == len(self.handed)):
                if not self.ending and len(numbers) < _AT_ONCE:
                    uplink = self.next()
                    topic = uplink.topic.decode()
                    numbers[client.publish(topic, uplink.payload, self.qos).mid] = uplink
                while published:
                    self.told.append(numbers.pop(published.popleft()))
                await asyncio.sleep(_PAUSE_S / 4)
        finally:
            client.disconnect()
            client.loop_stop()


class Aio(_Client):
    """aiomqtt: a publish that failed is the caller's to repeat."""

    async def run(self, port: int) -> None:
        uplink: Uplink | None = None
        while not (self.ending and uplink is None):
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    "127.0.0.1",
                    port,
                    username=self.user,
                    password=self.token,
                    identifier=self.name,
                    protocol=aiomqtt.ProtocolVersion.V5,
                ) as client:
                    while not (self.ending and uplink is None):
                        uplink = uplink or self.next()
                        await client.publish(
                            uplink.topic.decode(), uplink.payload, self.qos, timeout=5
                        )
                        self.told.append(uplink)
                        uplink = None
            await asyncio.sleep(_PAUSE_S)


class Mosquitto(_Client):
    """mosquitto_pub: one process for each uplink, tried again until it ends with 0."""

    async def run(self, port: int) -> None:
        program = tool("mosquitto_pub")
        assert program is not None
        while not self.ending:
            uplink, code = self.next(), -1
            while code:
                process = await asyncio.create_subprocess_exec(
                    *(
                        program,
                        "-h",
                        "127.0.0.1",
                        "-p",
                        str(port),
                        "-u",
                        self.user,
                        "-P",
                        self.token,
                    ),
                    *(
                        "-V",
                        "mqttv5",
                        "-q",
                        str(self.qos),
                        "-t",
                        uplink.topic,
                        "-m",
                        uplink.payload,
                    ),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
                try:
                    code = await process.wait()
                finally:
                    if process.returncode is None:
                        process.kill()
                await asyncio.sleep(_PAUSE_S)
            self.told.append(uplink)


class Npm(_Client):
    """npm `mqtt`, which keeps what was not acknowledged in its own store; what it refuses is given again."""

    async def run(self, port: int) -> None:
        node = tool("node")
        assert node is not None
        process = await asyncio.create_subprocess_exec(
            *(node, str(Path(NPM) / "client.mjs"), str(port), self.user, self.token, self.name),
            str(self.version),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        listening = asyncio.create_task(self._listen(process.stdout))
        try:
            while not (self.ending and len(self.told) == len(self.handed)):
                assert not listening.done(), listening.exception()
                if not self.ending and len(self.handed) - len(self.told) < _AT_ONCE:
                    uplink = self.next()
                    wanted = {
                        "n": len(self.handed) - 1,
                        "topic": uplink.topic.decode(),
                        "payload": uplink.payload.decode(),
                        "qos": self.qos,
                    }
                    process.stdin.write(json.dumps(wanted).encode() + b"\n")
                await asyncio.sleep(_PAUSE_S / 4)
            process.stdin.write(b'{"end": true}\n')
            await process.wait()
        finally:
            listening.cancel()
            if process.returncode is None:
                process.kill()

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            said = json.loads(line)
            if "acked" in said:
                self.told.append(self.handed[said["acked"]])
            assert "refused" not in said, said
