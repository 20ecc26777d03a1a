"""CPU-seconds per million uplinks: our gateway end to end, and what else one could build or run.

In turns within one run, CPU (user + system, all threads) of the processes from /proc:

- gateway: `sekisho run` with the shipped configuration; MQTT QoS 1, JSON, decoded, masked, on disk (WAL,
  FULL), acknowledged. 2,000 devices: half child trackers with 30 % of their fixes inside the home radius,
  half river gauges; five million rows lie in the files already;
- Mosquitto: the same bytes at QoS 1 merely forwarded to one QoS 1 subscriber, no persistence;
- through …: Mosquitto, and our gateway as its client; the same mask and store behind aiomqtt or paho-mqtt in its
  place; what Mosquitto itself needs for that stands beside it;
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
    House,
    Mosquitto,
    cpu_s,
    module,
    stop,
    until,
    until_counted,
)
from sekisho.window import ask

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


class Through:
    """Mosquitto with one client that stores everything, in a directory of its own.

    Args:
        client: ours, which is the gateway itself, or one that `benchmarks.through` knows.
    """

    def __init__(self, client: str, folder: Path, stack: ExitStack) -> None:
        folder.mkdir()
        self._broker = Mosquitto(folder)
        stack.callback(self._broker.stop)
        self._house = (Gateway if client == "ours" else House)(folder, self._broker.port)
        if isinstance(self._house, Gateway):
            self._process = self._house.process
        else:
            places = (self._house.config, self._house.state.path, self._house.keys)
            self._process = module("benchmarks.through", client, self._broker.port, *places)
        stack.callback(stop, self._process)
        self._settled = 0
        self.count = SLOW * 10 if client == "ours" else SLOW

    def measure(self, first: int) -> tuple[float, float]:
        """CPU-seconds of the client and of Mosquitto, for `count` uplinks."""
        before = cpu_s(self._process), cpu_s(self._broker.process)
        flood(self._broker.port, "none", first, first + self.count)
        self._settled += self.count
        if isinstance(self._house, Gateway):
            state = self._house.state
            until(lambda: _settled(next(ask(state, "terms", 10.0))) >= self._settled, 120.0)
        else:
            until_counted(self._process, self._settled)
        return cpu_s(self._process) - before[0], cpu_s(self._broker.process) - before[1]


def _settled(said: dict[str, Any]) -> int:
    return sum(term["count"] for term in said["terms"])


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
        self._through = {
            client: Through(client, folder / client, stack)
            for client in ("ours", "aiomqtt", "paho")
        }
        for client in self._through:
            self.found |= {f"through {client}": [], f"mosquitto for {client}": []}
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
        for client, through in self._through.items():
            theirs, brokers = through.measure(first)
            self._note(f"through {client}", theirs, through.count)
            self._note(f"mosquitto for {client}", brokers, through.count)
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
    "through ours": "Mosquitto, then the gateway as its client: durable, masked, acknowledged after",
    "mosquitto for ours": "Mosquitto's own part of it",
    "through aiomqtt": "the same mask and store behind aiomqtt, acknowledged on receipt",
    "mosquitto for aiomqtt": "Mosquitto's own part of it",
    "through paho": "the same mask and store behind paho-mqtt, acknowledged after",
    "mosquitto for paho": "Mosquitto's own part of it",
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
                f"{name:<21} {statistics.median(figures):>6.1f} CPU-s per million uplinks, {what} "
                f"({min(figures):.1f} to {max(figures):.1f})"
            )
    if "node-red" not in result:
        print("node-red              NOT RUN: needs npm (sudo apt install npm)")
    print(f"ratio                 {result['ratio']:>6.2f}   of Mosquitto (bar: at most {BAR:g}; target: below {TARGET:g})")  # fmt: skip
    print(f"                      {result['naive_ratio']:>6.1f}   times less than naive (bar: at least {NAIVE_BAR:g}; target: {NAIVE_TARGET:g})")  # fmt: skip
    print(
        f"                      {result['acknowledged']:,} acknowledged, {result['rows']:,} rows written onto "
        f"{result['rows_before']:,}; {result['uplinks_per_s']:,.0f} uplinks/s on {os.cpu_count()} cores"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
