"""Clients of a broker that receive everything, acknowledge it, and throw it away.

python -m benchmarks.receivers NAME PORT        until killed; NAME: ours, paho, aiomqtt, gmqtt
"""

import asyncio
import importlib
import sys
from collections.abc import Callable
from random import SystemRandom
from typing import Any


def ours(port: int) -> None:
    """The gateway's own client door, in front of a worker that is done with everything at once."""
    import uvloop

    from gateway.clock import SystemClock
    from gateway.model.device import Directory
    from gateway.model.uplink import Uplinks
    from gateway.telemetry import Facts
    from gateway.transports.mqtt_client.broker import Broker, Subscription
    from gateway.transports.mqtt_client.door import ClientDoor
    from gateway.wire.topics import OWN

    class Worker:
        def put(self, _sender: object, uplinks: Uplinks) -> None:
            asyncio.get_running_loop().call_soon(uplinks.settle, {})

    async def main() -> None:
        broker = Broker("bench", "127.0.0.1", port, (Subscription("#", OWN),), version=4)
        around = (Worker(), Directory({}, {}), Facts(), SystemClock(), SystemRandom().random)
        ClientDoor(broker, "bench", *around).open()
        await asyncio.Event().wait()

    uvloop.run(main())


def paho(port: int) -> None:
    """paho-mqtt, which leaves the acknowledgement to us."""
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.enums import CallbackAPIVersion

    def on_message(client: Client, _data: Any, message: MQTTMessage) -> None:
        client.ack(message.mid, message.qos)

    client = Client(CallbackAPIVersion.VERSION2, "bench", manual_ack=True)
    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe("#", 1)
    client.connect("127.0.0.1", port)
    client.loop_forever()


def aiomqtt(port: int) -> None:
    """aiomqtt, which has acknowledged before we see anything."""
    import aiomqtt as library

    async def main() -> None:
        async with library.Client("127.0.0.1", port, identifier="bench") as client:
            await client.subscribe("#", qos=1)
            async for _message in client.messages:
                pass

    asyncio.run(main())


def gmqtt(port: int) -> None:
    """gmqtt, which acknowledges when its callback ends."""
    library: Any = importlib.import_module("gmqtt")
    constants: Any = importlib.import_module("gmqtt.mqtt.constants")

    async def on_message(*_: Any) -> int:
        return 0

    async def main() -> None:
        client = library.Client("bench")
        client.on_message = on_message
        client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        await client.connect("127.0.0.1", port, version=constants.MQTTv311)
        await asyncio.Event().wait()

    asyncio.run(main())


CLIENTS: dict[str, Callable[[int], None]] = {
    "ours": ours,
    "paho": paho,
    "aiomqtt": aiomqtt,
    "gmqtt": gmqtt,
}

if __name__ == "__main__":
    CLIENTS[sys.argv[1]](int(sys.argv[2]))
