"""The door on an ordinary day: latency at 1,000 uplinks/s, 10,000 connections, and one client that floods.

    python -m benchmarks.calm [--seconds 20] [--connections 10000] [--json]

Bars: p99 at 1,000/s at most 10 ms; 10,000 connections with one uplink per 10 s in at most 100 MB and 15 %
of a core; beside a flood the others' p99 at most twice the calm one. Exit code 1 where one is not met.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import Gateway, cpu_s, module, resident_mb, stop

P99_MS, MEMORY_MB, CORE, WORSE = 10.0, 100.0, 0.15, 2.0


def steady(gateway: Gateway, connections: int, rate: float, seconds: float, first: int) -> dict[str, float]:  # fmt: skip
    """One run; its figures with the gateway's share of a core and its memory while uplinks flow."""
    client = module(
        "benchmarks.steady", gateway.port, gateway.token, connections, rate, seconds, first
    )
    assert client.stdout is not None
    assert client.stdout.readline() == b"connected\n"
    cpu, begun = cpu_s(gateway.process), time.monotonic()
    said = client.stdout.readline()
    core = (cpu_s(gateway.process) - cpu) / (time.monotonic() - begun)
    memory = resident_mb(gateway.process)
    client.wait(30)
    figures: dict[str, float] = json.loads(said)
    assert figures["acknowledged"] == int(rate * seconds)
    return {**figures, "core": core, "memory_mb": memory}


def measure(seconds: float, connections: int) -> dict[str, Any]:
    """All three; a flood is one connection that keeps 1,000 uplinks in flight.

    The many connections meet a gateway of their own: what floods left in its caches is not theirs.
    """
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(Path(folder))
        try:
            steady(gateway, 100, 500, 2, 0)  # warm
            ordinary = steady(gateway, 100, 1000, seconds, 2_000_000)
            calm = steady(gateway, 100, 200, seconds / 2, 4_000_000)
            flood = module(
                *("benchmarks.flood", gateway.port, "flood", gateway.token),
                *(6_000_000, 6_000_000 + int(60_000 * seconds), 1, 1000),
            )
            time.sleep(2)  # it prepares its bytes first
            beside = steady(gateway, 100, 200, seconds / 2, 8_000_000)
            assert flood.poll() is None, "the flood ended before it was measured: fewer --seconds"
            stop(flood)
        finally:
            gateway.stop()
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(Path(folder))
        try:
            many = steady(gateway, connections, connections / 10, max(seconds, 20), 10_000_000)
        finally:
            gateway.stop()
    return {
        "ordinary": ordinary,
        "calm": calm,
        "beside_a_flood": beside,
        "many": many,
    }


def main() -> int:
    """Measure and print; 1 where a bar is not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    found = measure(wish.seconds, wish.connections)
    ordinary, calm, beside, many = (
        found[name] for name in ("ordinary", "calm", "beside_a_flood", "many")
    )
    worse = beside["p99_ms"] / calm["p99_ms"]
    if wish.json:
        print(json.dumps(found))
    else:
        print(f"1,000/s      p50 {ordinary['p50_ms']:.1f} ms   p99 {ordinary['p99_ms']:.1f} ms   {ordinary['core']:.1%} of a core   (bar: p99 {P99_MS:g} ms)")  # fmt: skip
        print(f"flood        p99 of the others {calm['p99_ms']:.1f} ms calm, {beside['p99_ms']:.1f} ms beside it: {worse:.2f} times   (bar: {WORSE:g})")  # fmt: skip
        print(f"connections  {wish.connections:,} in {many['connected_s']:.1f} s; {many['memory_mb']:.0f} MB, {many['core']:.1%} of a core, p99 {many['p99_ms']:.1f} ms   (bar: {MEMORY_MB:g} MB, {CORE:.0%})")  # fmt: skip
    met = (
        ordinary["p99_ms"] <= P99_MS
        and worse <= WORSE
        and many["memory_mb"] <= MEMORY_MB
        and many["core"] <= CORE
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
