"""Whether vendors' codecs that cost too much hold up the uplinks of others on the same broker connection.

    python -m benchmarks.scripts [--codecs 10] [--uplinks 400] [--nagle]

One Mosquitto, one gateway, one connection between them. A gauge with a codec that is good sends one uplink at a time;
measured is the time from its publish until its row can be read from the disk. First alone; then beside three
sorts of hostile codecs (endless, greedy, a catastrophic regular expression), so many files of each, one uplink
every 100 ms, which keeps a worker busy, until every file is suspended. Exit code 1 where the median or the p99 grows
by more than 50 ms. `--nagle` leaves the broker's `set_tcp_nodelay` off, as Mosquitto does where nobody says.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiomqtt

from benchmarks.processes import Mosquitto, share
from gateway.scripts.conduct import STRIKES
from gateway.scripts.engine import CPU_S
from tests.e2e.processes import Gateway
from tests.e2e.scripted import GOOD, HOSTILE, ScriptedTown

BAR_MS = 50.0
PATIENCE_S = 120.0
_DOOR = """\
  - kind: mqtt_client
    name: city
    url: mqtt://127.0.0.1:{port}
    subscriptions:
      - {{topic: application/+/device/+/event/up, format: chirpstack_v4}}
"""


class Meter:
    """Publishes for one device and waits for the row."""

    def __init__(self, client: aiomqtt.Client, scripted: ScriptedTown) -> None:
        self._client = client
        self._scripted = scripted
        self._rows = sqlite3.connect(f"file:{scripted.town.state.city_db}?mode=ro", uri=True)
        self._f_cnt = 0

    async def measure(self, uplinks: int) -> list[float]:
        """Milliseconds of each."""
        found = []
        for _ in range(uplinks):
            began = time.perf_counter()
            await publish(self._client, self._scripted, "good", self._f_cnt)
            self._f_cnt += 1
            while self._stored() < self._f_cnt:
                await asyncio.sleep(0.001)
            found.append((time.perf_counter() - began) * 1e3)
        return found

    def _stored(self) -> int:
        (count,) = self._rows.execute("SELECT count(*) FROM river_gauge").fetchone()
        return int(count)


async def publish(client: aiomqtt.Client, scripted: ScriptedTown, name: str, f_cnt: int) -> None:
    """One event of ChirpStack's, at QoS 1."""
    topic = f"application/1/device/{scripted.eui(name)}/event/up"
    await client.publish(topic, json.dumps(scripted.up(name, f_cnt)), qos=1)


async def harass(client: aiomqtt.Client, scripted: ScriptedTown) -> None:
    """Every hostile device sends as often as its codec may fail, and once more."""
    for f_cnt in range(STRIKES + 1):
        for name in scripted.names[1:]:
            await publish(client, scripted, name, f_cnt)
            await asyncio.sleep(CPU_S)


def suspended(gateway: Gateway) -> int:
    """Files of which the log says by name that they rest."""
    return gateway.log.read_text().count("(script suspended ×1)")


async def main() -> int:
    """Measure and print; 1 where the bar is not met."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--codecs", type=int, default=10, help="files of each hostile sort")
    options.add_argument("--uplinks", type=int, default=400, help="of the good codec, alone")
    options.add_argument("--nagle", action="store_true", help="as the broker is by default")
    asked = options.parse_args()
    hostile = {
        f"{name}-{number}": text for number in range(asked.codecs) for name, text in HOSTILE.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder), "" if asked.nagle else "set_tcp_nodelay true\n")
        try:
            door = _DOOR.format(port=broker.port)
            scripted = ScriptedTown(Path(folder) / "town", {"good": GOOD, **hostile}, door)
            with Gateway(scripted.town) as gateway:
                async with (
                    aiomqtt.Client("127.0.0.1", broker.port) as client,
                    aiomqtt.Client("127.0.0.1", broker.port) as other,
                ):
                    meter = Meter(client, scripted)
                    await meter.measure(asked.uplinks // 10)
                    alone, beside = await meter.measure(asked.uplinks), []
                    hostility = asyncio.create_task(harass(other, scripted))
                    until = time.monotonic() + PATIENCE_S
                    while suspended(gateway) < len(hostile) and time.monotonic() < until:
                        beside += await meter.measure(10)
                    await hostility
                named = suspended(gateway)
        finally:
            broker.stop()
    print(f"hostile files {len(hostile)}, suspended by name {named}")
    print(f"{'':<8} {'uplinks':>8} {'median ms':>10} {'p99 ms':>8} {'worst ms':>9}")
    for name, times in (("alone", alone), ("beside", beside)):
        print(
            f"{name:<8} {len(times):>8,} {statistics.median(times):>10.1f} {share(times, 0.99):>8.1f} "
            f"{max(times):>9.1f}"
        )
    grown = max(
        statistics.median(beside) - statistics.median(alone),
        share(beside, 0.99) - share(alone, 0.99),
    )
    print(f"grown by {grown:.1f} ms (bar {BAR_MS:g})")
    return int(grown > BAR_MS or named < len(hostile))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
