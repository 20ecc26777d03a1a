"""Whether vendors' codecs that cost too much hold up the uplinks of others on the same broker connection.

    python -m benchmarks.scripts [--codecs 10] [--uplinks 300] [--nodelay] [PATTERN …]

One Mosquitto, one gateway, one connection between them. A gauge with a codec that is good sends one uplink at a time;
measured is the time from its publish until its row can be read from the disk: first alone, then beside three
sorts of hostile codecs (endless, greedy, a catastrophic regular expression), so many files of each, until every file is
suspended. They send, by pattern: `paced`, an uplink every 100 ms, which keeps a worker busy; `burst`, four each, all at
once; `pairs`, one before each of the good, by the same client; `sly`, thirty each at once, of codecs that are good and
hostile by turns. Exit code 1 where the median or the p99 grows by more than 50 ms. `--nodelay` sets the broker's
`set_tcp_nodelay`; Mosquitto leaves it off where nobody says.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import aiomqtt

from benchmarks.processes import Mosquitto, share
from gateway.scripts.conduct import STRIKES
from gateway.scripts.engine import CPU_S
from tests.e2e.processes import Gateway
from tests.e2e.scripted import GOOD, HOSTILE, ScriptedTown

BAR_MS = 50.0
PATIENCE_S = 120.0
PATTERNS = ("paced", "burst", "pairs", "sly")
_SLY = "let runs = 0; function decodeUplink(i) {{ return runs++ % 2 ? bad(i) : {{data: {{mm: 5}}}} }} {bad}"
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
        (count,) = self._rows.execute(
            "SELECT count(*) FROM river_gauge WHERE device = 'good'"
        ).fetchone()
        return int(count)


async def publish(client: aiomqtt.Client, scripted: ScriptedTown, name: str, f_cnt: int) -> None:
    """One event of ChirpStack's, at QoS 1."""
    topic = f"application/1/device/{scripted.eui(name)}/event/up"
    await client.publish(topic, json.dumps(scripted.up(name, f_cnt)), qos=1)


class Found(NamedTuple):
    """One pattern's figures: ms of each uplink, and how many of the hostile files were suspended by name."""

    alone: list[float]
    beside: list[float]
    hostile: int
    suspended: int

    @property
    def grown_ms(self) -> float:
        """By how much, whichever of median and p99 grew more."""
        medians = statistics.median(self.beside) - statistics.median(self.alone)
        return max(medians, share(self.beside, 0.99) - share(self.alone, 0.99))


async def harass(client: aiomqtt.Client, scripted: ScriptedTown, pattern: str) -> None:
    """Every hostile device sends as often as its codec may fail, and once more."""
    for f_cnt in range(30 if pattern == "sly" else STRIKES + 1):
        for name in scripted.names[1:]:
            await publish(client, scripted, name, f_cnt)
            if pattern == "paced":
                await asyncio.sleep(CPU_S)


def suspended(gateway: Gateway) -> int:
    """Files of which the log says by name that they rest."""
    return gateway.log.read_text().count("(script suspended ×1)")


async def beside(
    pattern: str,
    meter: Meter,
    client: aiomqtt.Client,
    other: aiomqtt.Client,
    scripted: ScriptedTown,
) -> AsyncGenerator[list[float], None]:
    """Milliseconds of good uplinks while the hostile ones come, for as long as somebody asks."""
    if pattern == "pairs":
        for f_cnt in range(1_000_000):
            for name in scripted.names[1:]:
                await publish(client, scripted, name, f_cnt)
                yield await meter.measure(1)
    hostility = asyncio.create_task(harass(other, scripted, pattern))
    try:
        while True:
            yield await meter.measure(10)
    finally:
        await hostility


async def measure(pattern: str, codecs: int, uplinks: int, more: str) -> Found:
    """One pattern, with a broker and a gateway of its own."""
    texts = HOSTILE
    if pattern == "sly":
        names = {name: text.replace("decodeUplink", "bad").replace("Decoder", "bad") for name, text in HOSTILE.items()}  # fmt: skip
        texts = {name: _SLY.format(bad=text) for name, text in names.items()}
    hostile = {f"{name}-{number}": text for number in range(codecs) for name, text in texts.items()}
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder), more)
        try:
            door = _DOOR.format(port=broker.port)
            scripted = ScriptedTown(Path(folder) / "town", {"good": GOOD, **hostile}, door)
            with Gateway(scripted.town) as gateway:
                async with (
                    aiomqtt.Client("127.0.0.1", broker.port) as client,
                    aiomqtt.Client("127.0.0.1", broker.port) as other,
                ):
                    meter = Meter(client, scripted)
                    await meter.measure(uplinks // 10)
                    alone, met = await meter.measure(uplinks), []
                    until = time.monotonic() + PATIENCE_S
                    asked = beside(pattern, meter, client, other, scripted)
                    async for times in asked:
                        met += times
                        if suspended(gateway) == len(hostile) or time.monotonic() > until:
                            break
                    await asked.aclose()
                return Found(alone, met, len(hostile), suspended(gateway))
        finally:
            broker.stop()


async def main() -> int:
    """Measure and print; 1 where the bar is not met."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("patterns", nargs="*", metavar="PATTERN", help=", ".join(PATTERNS))
    options.add_argument("--codecs", type=int, default=10, help="files of each hostile sort")
    options.add_argument("--uplinks", type=int, default=300, help="of the good codec, alone")
    options.add_argument("--nodelay", action="store_true", help="the broker joins no small writes")
    asked = options.parse_args()
    met = True
    print(f"{'':<14} {'uplinks':>8} {'median ms':>10} {'p99 ms':>8} {'worst ms':>9}")
    for pattern in asked.patterns or PATTERNS:
        more = "set_tcp_nodelay true\n" if asked.nodelay else ""
        found = await measure(pattern, asked.codecs, asked.uplinks, more)
        for name, times in ((f"{pattern}: alone", found.alone), ("  beside", found.beside)):
            print(
                f"{name:<14} {len(times):>8,} {statistics.median(times):>10.1f} {share(times, 0.99):>8.1f} "
                f"{max(times):>9.1f}"
            )
        print(
            f"  grown by {found.grown_ms:.1f} ms (bar {BAR_MS:g}); suspended by name {found.suspended} of "
            f"{found.hostile}",
            flush=True,
        )
        met = met and found.grown_ms <= BAR_MS and found.suspended == found.hostile
    return int(not met)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
