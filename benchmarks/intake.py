"""CPU-seconds per million uplinks: our gateway end to end, and what else one could build or run.

In turns within one run, CPU (user + system, all threads) of the processes from /proc:

- gateway: `sekisho run` with the shipped configuration; MQTT QoS 1, JSON, decoded, masked, on disk (WAL,
  FULL), acknowledged. 2,000 devices: half child trackers with 30 % of their fixes inside the home radius,
  half river gauges; five million rows lie in the files already;
- Mosquitto: the same bytes at QoS 1 merely forwarded to one QoS 1 subscriber, no persistence;
- naive: Mosquitto, aiomqtt, one aiosqlite commit per row (both processes);
- Node-RED: Mosquitto, Node-RED and its sqlite node (both processes); where npm is there.

    python -m benchmarks.intake [--rounds 3] [--uplinks 400000] [--stored 5000000] [--json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import node_red
from benchmarks.processes import (
    ROOT,
    Gateway,
    Mosquitto,
    cpu_s,
    module,
    stop,
    until_counted,
)

CONNECTIONS, WINDOW = 20, 500
SLOW = 20_000
"""Uplinks of a round for those who commit row by row."""

BAR, TARGET = 2.0, 1.0
NAIVE_BAR, NAIVE_TARGET = 15.0, 30.0
_FILL = 800_000


def flood(port: int, token: str, first: int, last: int) -> dict[str, float]:
    """Run one flood in a process of its own; acknowledged uplinks and seconds."""
    numbers = map(str, (first, last, CONNECTIONS, WINDOW))
    line = [sys.executable, "-m", "benchmarks.flood", str(port), "flood", token, *numbers]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, timeout=300)
    result: dict[str, float] = json.loads(done.stdout)
    return result


class Run:
    """Everything that is measured, side by side; each round goes through all of them.

    Attributes:
        found: who → CPU-seconds per million uplinks, one a round.
        rates: our uplinks a second.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.found: dict[str, list[float]] = {"gateway": [], "mosquitto": [], "naive": []}
        self.rates: list[float] = []
        self.gateway = Gateway(folder)
        stack.callback(self.gateway.stop)
        self._forwarding = Mosquitto(folder)
        stack.callback(self._forwarding.stop)
        self._subscriber = module("benchmarks.subscriber", self._forwarding.port)
        stack.callback(stop, self._subscriber)
        self._broker = Mosquitto(folder)
        stack.callback(self._broker.stop)
        self._naive = module("benchmarks.naive", self._broker.port, folder / "naive.db")
        stack.callback(stop, self._naive)
        self._node_red: node_red.NodeRed | None = None
        if (program := node_red.installed()) is not None:
            self._busy = Mosquitto(folder)
            stack.callback(self._busy.stop)
            self._node_red = node_red.NodeRed(program, folder, self._busy.port)
            stack.callback(self._node_red.stop)
            self.found["node-red"] = []
        self._sent = 0
        self._forwarded = self._slow = 0

    def fill(self, stored: int) -> int:
        """Rows on disk before anything is measured, at least `stored`."""
        while (rows := self.gateway.rows()) < stored:
            flood(self.gateway.port, self.gateway.token, self._sent, self._sent + _FILL)
            self._sent += _FILL
            print(f"\r  filling: {rows:,} rows", end="", file=sys.stderr)
        print(file=sys.stderr)
        return rows

    def round(self, uplinks: int) -> None:
        """The same uplinks through each."""
        first, self._sent = self._sent, self._sent + uplinks
        before = cpu_s(self.gateway.process)
        result = flood(self.gateway.port, self.gateway.token, first, self._sent)
        assert result["acknowledged"] == uplinks
        time.sleep(0.2)
        self._note("gateway", cpu_s(self.gateway.process) - before, uplinks)
        self.rates.append(uplinks / result["seconds"])
        before = cpu_s(self._forwarding.process)
        flood(self._forwarding.port, "none", first, self._sent)
        self._forwarded += uplinks
        until_counted(self._subscriber, self._forwarded)
        self._note("mosquitto", cpu_s(self._forwarding.process) - before, uplinks)
        self._slow += SLOW
        naive = (self._broker.process, self._naive)
        before = cpu_s(*naive)
        flood(self._broker.port, "none", first, first + SLOW)
        until_counted(self._naive, self._slow)
        self._note("naive", cpu_s(*naive) - before, SLOW)
        if self._node_red is not None:
            red = (self._busy.process, self._node_red.process)
            before = cpu_s(*red)
            flood(self._busy.port, "none", first, first + SLOW)
            self._node_red.wait_for(self._slow)
            self._note("node-red", cpu_s(*red) - before, SLOW)

    def _note(self, who: str, seconds: float, uplinks: int) -> None:
        self.found[who].append(seconds / uplinks * 1e6)
        print(f"  {who}: {self.found[who][-1]:.1f}", file=sys.stderr)


def measure(rounds: int, uplinks: int, stored: int) -> dict[str, Any]:
    """The whole run; every figure in CPU-seconds per million uplinks."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        run = Run(Path(name), stack)
        before = run.fill(stored)
        for _ in range(rounds):
            run.round(uplinks)
        rows = run.gateway.rows() - before
    middle = {who: statistics.median(figures) for who, figures in run.found.items()}
    return {
        **run.found,
        "ratio": middle["gateway"] / middle["mosquitto"],
        "naive_ratio": middle["naive"] / middle["gateway"],
        "uplinks_per_s": statistics.median(run.rates),
        "acknowledged": rounds * uplinks,
        "rows": rows,
        "rows_before": before,
    }


_WHAT = {
    "gateway": "durable, masked, acknowledged",
    "mosquitto": "forwarded to one subscriber",
    "naive": "Mosquitto, aiomqtt, one aiosqlite commit per row",
    "node-red": "Mosquitto, Node-RED, its sqlite node",
}


def main() -> int:
    """Measure and print; 1 where a bar is not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--uplinks", type=int, default=400_000)
    parser.add_argument("--stored", type=int, default=5_000_000)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    result = measure(wish.rounds, wish.uplinks, wish.stored)
    met = result["ratio"] <= BAR and result["naive_ratio"] >= NAIVE_BAR
    if wish.json:
        print(json.dumps(result))
        return 0 if met else 1
    for name, what in _WHAT.items():
        if (figures := result.get(name)) is not None:
            print(
                f"{name:<10} {statistics.median(figures):>6.1f} CPU-s per million uplinks, {what} "
                f"({min(figures):.1f} to {max(figures):.1f})"
            )
    if "node-red" not in result:
        print("node-red   NOT RUN: needs npm (sudo apt install npm)")
    print(f"ratio      {result['ratio']:>6.2f}   of Mosquitto (bar: at most {BAR:g}; target: below {TARGET:g})")  # fmt: skip
    print(f"           {result['naive_ratio']:>6.1f}   times less than naive (bar: at least {NAIVE_BAR:g}; target: {NAIVE_TARGET:g})")  # fmt: skip
    print(
        f"           {result['acknowledged']:,} acknowledged, {result['rows']:,} rows written onto "
        f"{result['rows_before']:,}; {result['uplinks_per_s']:,.0f} uplinks/s on {os.cpu_count()} cores"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
