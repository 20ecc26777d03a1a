"""One QoS 1 subscriber as cheap as can be, so that the broker beside it is measured and nothing else.

python -m benchmarks.subscriber PORT        prints how many uplinks it has acknowledged, ten times a second
"""

import asyncio
import sys
from typing import cast

import uvloop

from gateway.wire.mqtt import encode
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Publish


class Subscriber(asyncio.Protocol):
    """Subscribes to everything and acknowledges each chunk in one write."""

    def __init__(self) -> None:
        self._framer = Framer(1_000_000, version=4)
        self.count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            encode.connect(4, "subscriber", None, None, 0) + encode.subscribe(4, 1, ["#"])
        )

    def data_received(self, data: bytes) -> None:
        acks = [
            encode.puback(4, packet.packet_id)
            for packet in self._framer.feed(data)
            if type(packet) is Publish and packet.packet_id is not None
        ]
        self.count += len(acks)
        self._transport.write(b"".join(acks))


async def main(port: int) -> None:
    """Until killed."""
    loop = asyncio.get_running_loop()
    _, subscriber = await loop.create_connection(Subscriber, "127.0.0.1", port)
    while True:
        print(subscriber.count, flush=True)
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
