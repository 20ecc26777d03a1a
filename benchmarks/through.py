"""The gateway's own mask and store behind another client of a broker, to compare the clients alone.

    python -m benchmarks.through CLIENT PORT CONFIG STATE KEYS       prints how many are on disk, ten times a second

CLIENT: paho, acknowledged after the commit from the loop's thread; aiomqtt, which acknowledges on receipt.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

import aiomqtt
import uvloop
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.app.run import under_rules
from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.uplink import Uplinks
from gateway.pipeline.sorting import Counted
from gateway.registry.registry import Registry
from gateway.settings.load import load_settings
from gateway.statedir import StateDir
from gateway.transports.mqtt_client.sorter import Sorter


class Way:
    """From a message to its row."""

    def __init__(self, checkpoint: Checkpoint, sorter: Sorter) -> None:
        self._checkpoint = checkpoint
        self._sorter = sorter
        self.stored = 0

    def take(self, topic: bytes, payload: bytes, settle: Any = None) -> None:
        """Hand one message over."""
        found = self._sorter.sort(topic, payload)
        assert not isinstance(found, Counted)
        now = self._checkpoint.clock.now()
        done = partial(self._settled, settle)
        self._checkpoint.intake.put(self, Uplinks("own", now, [found], done))

    def _settled(self, settle: Any, _refused: object) -> None:
        self.stored += 1
        if settle is not None:
            settle()


def by_paho(port: int, way: Way, loop: asyncio.AbstractEventLoop) -> None:
    """paho-mqtt in its thread; each message is acknowledged when it is on disk."""

    def on_message(client: Client, _data: Any, message: MQTTMessage) -> None:
        settle = partial(client.ack, message.mid, message.qos)
        loop.call_soon_threadsafe(way.take, message.topic.encode(), bytes(message.payload), settle)

    client = Client(CallbackAPIVersion.VERSION2, "through", manual_ack=True)
    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe("#", 1)
    client.connect("127.0.0.1", port)
    client.loop_start()


async def by_aiomqtt(port: int, way: Way) -> None:
    """Aiomqtt on the same loop; nothing can wait for the disk."""
    async with aiomqtt.Client("127.0.0.1", port, identifier="through") as client:
        await client.subscribe("#", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            way.take(str(message.topic).encode(), message.payload)


async def main(client: str, port: int, config: Path, state_path: Path, keys: Path) -> None:
    """Until killed."""
    settings, clock = load_settings(config), SystemClock()
    state = StateDir.open(state_path)
    ring = KeyRing.open(keys, state.id, clock, settings.zone)
    with Registry.open(state, ring) as registry:
        policy = under_rules(settings.policy, registry, clock.now())
        tempo = Tempo(settings.tick_s, settings.batch)
        checkpoint = Checkpoint(state, ring, registry, policy, clock, tempo)
        sorter = Sorter(settings.brokers[0], checkpoint.directory, checkpoint.facts, clock)
        way = Way(checkpoint, sorter)
        worker = asyncio.create_task(checkpoint.flow.carry())
        if client == "paho":
            by_paho(port, way, asyncio.get_running_loop())
        else:
            receiving = asyncio.create_task(by_aiomqtt(port, way))
            receiving.add_done_callback(lambda task: task.result())
        while not worker.done():
            print(way.stored, flush=True)
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    name, at, *places = sys.argv[1:]
    uvloop.run(main(name, int(at), *map(Path, places)))
