"""Whether the latency of an acknowledgement tells a stored fix from a suppressed one (decisions 2).

    python -m benchmarks.latency [--uplinks 2000] [--qos 1] [--city 0] [--slow-ms 0]

One gateway, one connection, one uplink at a time: a child far from home and a child at home, in random
order and at random moments against the tick. Printed: the area under the curve with which latency alone
separates the two, 0.5 for not at all. Exit code 1 above 0.55. `--city` lets a gauge send beside them, so
many uplinks a second; `--slow-ms` makes each write to the disk last that much longer (needs strace).
"""

import argparse
import asyncio
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

from gateway.model.instant import SECOND, to_rfc3339
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Ack
from tests.e2e.faults import failing
from tests.e2e.processes import Gateway
from tests.e2e.town import Town, child, gauge

BAR = 0.55
HOME, FAR = (36.700000, 137.210000), (36.750000, 137.280000)
_OPENING = 5
"""Fixes with which the child far from home opens its circle, before anything is measured."""


async def main() -> int:
    """Measure and print; 1 where the bar is not met."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--uplinks", type=int, default=2000, help="of each sort")
    options.add_argument("--qos", type=int, choices=(1, 2), default=1)
    options.add_argument("--city", type=float, default=0, help="rows of a gauge a second, beside")
    options.add_argument("--slow-ms", type=float, default=0, help="by which each sync lasts longer")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        town = Town(Path(folder) / "town")
        token = town.enrol([child("child-away", HOME), child("child-home", HOME)])
        beside = town.enrol([gauge("river-1")], "rivers")
        with Gateway(town) as gateway:
            if asked.slow_ms:
                fault = f"fdatasync:delay_exit={round(asked.slow_ms * 1000)}"
                stack.enter_context(failing(gateway.process.pid, Path(folder), fault))
            gauges = asyncio.create_task(flow(gateway.port, beside, asked.city))
            meter = await Meter.call(gateway.port, token, asked.qos)
            for _ in range(_OPENING):
                await meter.send("child-away", FAR)
            turns = ["child-away", "child-home"] * asked.uplinks
            random.Random(7).shuffle(turns)
            found: dict[str, list[float]] = {"child-away": [], "child-home": []}
            for device in turns:
                await asyncio.sleep(random.uniform(0.0, 0.008))  # anywhere in a tick
                found[device].append(
                    await meter.send(device, FAR if device == "child-away" else HOME)
                )
            gauges.cancel()
            stored, suppressed = fates(town)
    assert (stored, suppressed) == (asked.uplinks + _OPENING - 3, 0), "not what was to be measured"
    return report(found["child-away"], found["child-home"], meter)


async def flow(port: int, token: str, rate: float) -> None:
    """A gauge's rows, so many a second, until cancelled."""
    if not rate:
        return
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(encode.connect(5, "beside", "rivers", token.encode(), 600))
    drain = asyncio.create_task(reader.read(-1))
    for n in count(1):
        body = f'{{"t":"{to_rfc3339(time.time_ns() // 1000)}","seq":{n},"distance_m":2.4}}'.encode()
        writer.write(encode.publish(5, b"sekisho/v1/river-1/up", body, 1, n % 0xFFFF + 1))
        await asyncio.sleep(1 / rate)
    drain.cancel()


def fates(town: Town) -> tuple[int, int]:
    """Rows on disk of the child far away, and of the one at home."""
    places: list[tuple[float, float]] = []
    for path in town.state.personal_dir.glob("*.db"):
        with closing(sqlite3.connect(path)) as db:
            places += db.execute("SELECT lat, lon FROM child_tracker").fetchall()
    return places.count(FAR), places.count(HOME)


class Meter:
    """One connection that waits for the answer to each uplink.

    Attributes:
        sizes: bytes of an uplink on the wire, and of its answers, every value seen.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, qos: int
    ) -> None:
        self._reader, self._writer, self._qos = reader, writer, qos
        self._framer = Framer(1 << 16, 5)
        self._number = 0
        self._t = time.time_ns() // 1000 - 6 * 3600 * SECOND
        self.sizes: set[tuple[int, int]] = set()

    @classmethod
    async def call(cls, port: int, token: str, qos: int) -> "Meter":
        """Connect."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        meter = cls(reader, writer, qos)
        writer.write(encode.connect(5, "meter", "fleet", token.encode(), 600))
        meter._framer.feed(await reader.read(1 << 16))
        return meter

    async def send(self, device: str, place: tuple[float, float]) -> float:
        """One uplink; seconds to PUBACK, or to PUBREC."""
        self._number = self._number % 0xFFFF + 1
        self._t += SECOND
        body = (
            f'{{"t":"{to_rfc3339(self._t)[:19]}Z","seq":{100_000 + self._number},'
            f'"lat":{place[0]:.6f},"lon":{place[1]:.6f},"accuracy_m":5.0}}'
        ).encode()
        topic = f"sekisho/v1/{device}/up".encode()
        packet = encode.publish(5, topic, body, self._qos, self._number)
        begun = time.perf_counter()
        self._writer.write(packet)
        heard = await self._answer(Type.PUBACK if self._qos == 1 else Type.PUBREC)
        took = time.perf_counter() - begun
        self.sizes.add((len(packet), heard))
        if self._qos == 2:
            self._writer.write(b"\x62\x02" + self._number.to_bytes(2, "big"))
            await self._answer(Type.PUBCOMP)
        return took

    async def _answer(self, wanted: Type) -> int:
        """Bytes read until the answer has come; it must be a success."""
        data = await self._reader.read(1 << 16)
        (answer,) = self._framer.feed(data)
        assert isinstance(answer, Ack)
        assert (answer.type, answer.packet_id, answer.reason) == (wanted, self._number, 0)
        return len(data)


def area(first: list[float], second: list[float]) -> float:
    """Area under the curve (Mann-Whitney), ties counted half; 0.5 to 1 whichever is slower."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    wins, below, at = 0.0, 0, 0
    while at < len(ranked):
        same = [side for value, side in ranked[at : at + len(ranked)] if value == ranked[at][0]]
        ones = sum(same)
        wins += ones * (below + (len(same) - ones) / 2)
        below += len(same) - ones
        at += len(same)
    found = wins / (len(first) * len(second))
    return max(found, 1 - found)


def report(stored: list[float], suppressed: list[float], meter: Meter) -> int:
    """Print the figures; the exit code."""
    auc = area(stored, suppressed)
    for name, values in (("stored", stored), ("suppressed", suppressed)):
        cuts = statistics.quantiles(values, n=100)
        print(
            f"{name:<11} {len(values):,} single uplinks   p50 {cuts[49] * 1e3:.2f} ms   "
            f"p95 {cuts[94] * 1e3:.2f} ms   p99 {cuts[98] * 1e3:.2f} ms"
        )
    print(f"AUC         {auc:.3f} (bar {BAR}; 0.5 tells nothing)")
    print(f"wire        bytes of uplink and answer: {sorted(meter.sizes)}")
    return 0 if auc <= BAR and len(meter.sizes) == 1 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
