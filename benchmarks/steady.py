"""Uplinks at a steady rate over many connections, each acknowledgement timed.

It runs in a process of its own, so that its CPU is nobody else's:

    python -m benchmarks.steady PORT TOKEN CONNECTIONS RATE SECONDS FIRST

FIRST is the number of the first uplink, as `benchmarks.flood` numbers them. Prints one JSON object:
acknowledged, p50_ms, p99_ms, worst_ms, connected_s.
"""

import asyncio
import json
import sys
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

import uvloop

from benchmarks.flood import uplink
from benchmarks.processes import share
from gateway.wire.mqtt import encode

_AT_ONCE = 500
"""Connections opened together: the rest waits, as devices after a power cut should."""


class Client(asyncio.Protocol):
    """One device's connection; remembers when each uplink left."""

    def __init__(self, hello: bytes, took: list[float]) -> None:
        self._hello = hello
        self._took = took
        self._left: deque[float] = deque()
        self._number = 0
        self.greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.greeted.done():
            self.greeted.set_exception(exc or ConnectionError("the door closed"))

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self.greeted.done():
            assert data[:1] == b"\x20", "something else than a CONNACK"
            assert data[3] == 0, f"refused with {data[3]:#x}"
            self.greeted.set_result(None)
            data = data[data[1] + 2 :]
        assert data[::4] == b"\x40" * (len(data) // 4), "something else than a plain PUBACK"
        for _ in range(len(data) // 4):
            self._took.append(now - self._left.popleft())

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Send one at QoS 1."""
        self._number = self._number % 0xFFFF + 1
        self._left.append(time.perf_counter())
        self._transport.write(encode.publish(4, topic, payload, 1, self._number))

    @property
    def waiting(self) -> int:
        """Uplinks without an acknowledgement."""
        return len(self._left)


async def main(port: int, token: str, connections: int, rate: float, seconds: float, first: int) -> None:  # fmt: skip
    """Connect, send, wait for the last acknowledgement, print."""
    loop = asyncio.get_running_loop()
    took: list[float] = []
    clients: list[Client] = []
    begun = time.perf_counter()
    for start in range(0, connections, _AT_ONCE):
        names = range(start, min(start + _AT_ONCE, connections))
        hellos = [
            encode.connect(4, f"steady-{first}-{n}", "flood", token.encode(), 300) for n in names
        ]
        made = await asyncio.gather(
            *(
                loop.create_connection(partial(Client, hello, took), "127.0.0.1", port)
                for hello in hellos
            )
        )
        clients += [client for _, client in made]
        await asyncio.gather(*(client.greeted for client in clients[start:]))
    connected_s = time.perf_counter() - begun
    print("connected", flush=True)
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    begun = time.perf_counter()
    total = int(rate * seconds)
    for n in range(total):
        while (left := begun + n / rate - time.perf_counter()) > 0:
            await asyncio.sleep(left if left > 0.001 else 0)
        clients[n % connections].publish(*uplink(first + n, since))
    while any(client.waiting for client in clients):
        await asyncio.sleep(0.01)
    print(
        json.dumps(
            {
                "acknowledged": len(took),
                "p50_ms": share(took, 0.5) * 1e3,
                "p99_ms": share(took, 0.99) * 1e3,
                "worst_ms": max(took) * 1e3,
                "connected_s": connected_s,
            }
        )
    )


if __name__ == "__main__":
    numbers = sys.argv[3:]
    uvloop.run(
        main(
            int(sys.argv[1]),
            sys.argv[2],
            int(numbers[0]),
            float(numbers[1]),
            float(numbers[2]),
            int(numbers[3]),
        )
    )
