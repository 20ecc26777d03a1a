"""A flood of uplinks over MQTT QoS 1: prepared bytes, a window per connection, acknowledgements counted.

It runs in a process of its own, so that its CPU is nobody else's:

    python -m benchmarks.flood PORT USERNAME TOKEN FIRST LAST CONNECTIONS WINDOW
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import uvloop

from gateway.wire.mqtt import encode

CHILDREN, GAUGES = 1000, 1000
HOME = (36.7, 137.2)
"""All homes lie here: the flood measures, it does not live anywhere."""
_CYCLE, _INSIDE = 100, 30
"""Of each 100 fixes of a child the first 30 lie inside the radius."""
_LAT_M = 1 / 110_950


def uplink(n: int, start: datetime) -> tuple[bytes, bytes]:
    """Topic and payload of uplink `n`: every device in turn, one second apart per round."""
    device, round_ = n % (CHILDREN + GAUGES), n // (CHILDREN + GAUGES)
    t = (start + timedelta(seconds=round_)).isoformat()
    if device < CHILDREN:
        step = (round_ + device) % _CYCLE
        metres = step % 20 if step < _INSIDE else 500 + 3 * step
        return (
            b"sekisho/v1/child-%d/up" % device,
            b'{"t":"%s","seq":%d,"lat":%.6f,"lon":%.6f,"accuracy_m":5,"battery_pct":71.5}'
            % (t.encode(), round_, HOME[0] + metres * _LAT_M, HOME[1]),
        )
    stage = 2 + (round_ % 100) / 100
    return (
        b"sekisho/v1/river-%d/up" % (device - CHILDREN),
        b'{"t":"%s","seq":%d,"distance_m":%.3f,"temperature_c":11.5,"battery_v":3.61}'
        % (t.encode(), round_, stage),
    )


class Sender(asyncio.Protocol):
    """One connection: keeps `window` uplinks unacknowledged until all are out."""

    def __init__(
        self, greeting: bytes, uplinks: Iterator[tuple[bytes, bytes]], window: int
    ) -> None:
        self._greeting = greeting
        self._uplinks = uplinks
        self._free = window
        self._next = 0
        self._greeted = False
        self._out = 0
        self._rest = b""
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._greeting)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the door closed"))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._greeted:
            if len(data) < 2 or len(data) < data[1] + 2:
                self._rest = data
                return
            assert data[3] == 0, f"refused with {data[3]:#x}"
            data = data[data[1] + 2 :]
            self._greeted = True
        acks, rest = divmod(len(data), 4)
        self._rest = data[len(data) - rest :] if rest else b""
        assert data[: acks * 4 : 4] == b"\x40" * acks, "something else than a plain PUBACK"
        self._out += acks
        self._free += acks
        if self._free >= 64:
            self._send()

    def _send(self) -> None:
        parts = []
        for _ in range(self._free):
            item = next(self._uplinks, None)
            if item is None:
                break
            self._next += 1
            number = (self._next - 1) % 65_535 + 1
            parts.append(encode.publish(4, item[0], item[1], 1, number))
        self._free -= len(parts)
        if parts:
            self._transport.write(b"".join(parts))
        elif self._out == self._next and not self.done.done():
            self.done.set_result(self._out)


async def flood(
    port: int, username: str, token: str, first: int, last: int, connections: int, window: int
) -> dict[str, float]:
    """Send uplinks first … last over `connections`; the acknowledged count and the seconds it took."""
    loop = asyncio.get_running_loop()
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    prepared = [uplink(n, start) for n in range(first, last)]
    senders = []
    begun = loop.time()
    for c in range(connections):
        hello = encode.connect(4, f"flood-{first}-{c}", username, token.encode(), 60)
        mine = [u for n, u in enumerate(prepared) if n % (CHILDREN + GAUGES) % connections == c]
        made = await loop.create_connection(
            lambda h=hello, m=mine: Sender(h, iter(m), window),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        senders.append(made[1])
    del prepared
    begun = loop.time()
    counts = await asyncio.gather(*(sender.done for sender in senders))
    return {"acknowledged": sum(counts), "seconds": loop.time() - begun}


def main() -> None:
    port, username, token, *numbers = sys.argv[1:]
    first, last, connections, window = map(int, numbers)
    result = uvloop.run(flood(int(port), username, token, first, last, connections, window))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
