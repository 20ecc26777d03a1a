"""CPU-seconds per million uplinks: our gateway end to end, and Mosquitto merely forwarding the same.

Gateway: `sekisho run` with the shipped configuration; MQTT QoS 1, JSON, decoded, masked, on disk
(WAL, FULL), acknowledged. 2,000 devices: half child trackers with 30 % of their fixes inside the home
radius, half river gauges; a million rows lie in the files already. Mosquitto: the same bytes at QoS 1 to
one QoS 1 subscriber, no persistence. Both in turns within one run, CPU (user + system, all threads) of
the one process from /proc.

    python -m benchmarks.intake [--rounds 3] [--uplinks 400000] [--stored 1000000] [--json]
"""

import argparse
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.flood import CHILDREN, GAUGES, HOME
from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.instant import DAY
from gateway.registry.registry import Registry
from gateway.settings.load import load_settings
from gateway.statedir import Mark, StateDir

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS, WINDOW = 20, 500
_TICKS = os.sysconf("SC_CLK_TCK")
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 1000
log_type none
"""


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """User and system seconds of a process and all its threads so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def flood(port: int, token: str, first: int, last: int) -> dict[str, float]:
    """Run one flood in a process of its own; acknowledged uplinks and seconds."""
    numbers = map(str, (first, last, CONNECTIONS, WINDOW))
    line = [sys.executable, "-m", "benchmarks.flood", str(port), "flood", token, *numbers]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, timeout=300)
    result: dict[str, float] = json.loads(done.stdout)
    return result


class Gateway:
    """`sekisho run` with the shipped configuration, on a free port and a fresh directory."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / "config", folder / "config")
        config = folder / "config" / "gateway.yaml"
        config.write_text(config.read_text().replace("port: 1883", "port: 0", 1))
        clock, settings = SystemClock(), load_settings(config)
        self.state = StateDir.create(folder / "state", Mark.SIM, clock)
        ring = KeyRing.create(folder / "keys", self.state.id, clock, settings.zone)
        self.token = self._register(ring, clock.now() - 30 * DAY)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sekisho", "run", "--config", str(config), "--json"),
                *("--state", str(self.state.path), "--keys", str(folder / "keys"), "--quiet"),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.port: int = json.loads(self.process.stdout.readline())["doors"]["mqtt"]["port"]

    def _register(self, ring: KeyRing, at: int) -> str:
        with Registry.open(self.state, ring) as registry, registry.change():
            names = []
            for n in range(CHILDREN):
                names.append(f"child-{n}")
                registry.put_home(f"h-{n}", *HOME, None, at=at)
                registry.put_device(names[-1], "child_tracker", "16201", at, f"h-{n}")
                registry.record_consent(names[-1], "store", "benchmark", "none", at)
            for n in range(GAUGES):
                names.append(f"river-{n}")
                facts = {"datum_m": 5.0}
                registry.put_device(names[-1], "river_gauge", "16201", at, attributes=facts)
            return registry.put_credential("flood", names, origin="simulated", at=at)

    def rows(self) -> int:
        """Rows on disk."""
        paths = [*self.state.personal_dir.glob("*.db"), self.state.city_db]
        tables = ["child_tracker"] * (len(paths) - 1) + ["river_gauge"]
        total = 0
        for path, table in zip(paths, tables, strict=True):
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
                total += db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        return total

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


class Mosquitto:
    """A broker and one QoS 1 subscriber."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        config = folder / "mosquitto.conf"
        config.write_text(_MOSQUITTO.format(port=self.port))
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "needs mosquitto: sudo apt install mosquitto"
        self.process = subprocess.Popen([program, "-c", str(config)])
        _until(lambda: _answers(self.port))
        self._subscriber = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.subscriber", str(self.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )

    def wait_for(self, forwarded: int) -> None:
        """Until the subscriber has acknowledged so many in all."""
        assert self._subscriber.stdout is not None
        while int(self._subscriber.stdout.readline()) < forwarded:
            pass

    def stop(self) -> None:
        for process in (self._subscriber, self.process):
            process.terminate()
            process.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(ready: Callable[[], bool]) -> None:
    for _ in range(200):
        if ready():
            return
        time.sleep(0.05)
    raise TimeoutError


def measure(rounds: int, uplinks: int, stored: int) -> dict[str, Any]:
    """The whole run; every figure in CPU-seconds per million uplinks."""
    ours: list[float] = []
    theirs: list[float] = []
    rates: list[float] = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        gateway = Gateway(folder)
        stack.callback(gateway.stop)
        broker = Mosquitto(folder)
        stack.callback(broker.stop)
        sent = 0
        while gateway.rows() < stored:
            flood(gateway.port, gateway.token, sent, sent + 200_000)
            sent += 200_000
            print(f"  filling: {gateway.rows():,} rows", file=sys.stderr)
        before_rows = gateway.rows()
        for n in range(rounds):
            before = cpu_s(gateway.process)
            result = flood(gateway.port, gateway.token, sent, sent + uplinks)
            assert result["acknowledged"] == uplinks
            time.sleep(0.2)
            ours.append((cpu_s(gateway.process) - before) / uplinks * 1e6)
            rates.append(uplinks / result["seconds"])
            before = cpu_s(broker.process)
            flood(broker.port, "none", sent, sent + uplinks)
            broker.wait_for((n + 1) * uplinks)
            theirs.append((cpu_s(broker.process) - before) / uplinks * 1e6)
            sent += uplinks
            print(f"  round {n + 1}: {ours[-1]:.1f} and {theirs[-1]:.1f}", file=sys.stderr)
        rows = gateway.rows() - before_rows
    return {
        "gateway": ours,
        "mosquitto": theirs,
        "ratio": statistics.median(ours) / statistics.median(theirs),
        "uplinks_per_s": statistics.median(rates),
        "acknowledged": rounds * uplinks,
        "rows": rows,
        "rows_before": before_rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--uplinks", type=int, default=400_000)
    parser.add_argument("--stored", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    result = measure(wish.rounds, wish.uplinks, wish.stored)
    if wish.json:
        print(json.dumps(result))
        return
    for name in ("gateway", "mosquitto"):
        figures = result[name]
        what = (
            "durable, masked, acknowledged" if name == "gateway" else "forwarded to one subscriber"
        )
        print(
            f"{name:<10} {statistics.median(figures):>6.1f} CPU-s per million uplinks, {what} "
            f"({min(figures):.1f} to {max(figures):.1f})"
        )
    print(f"ratio      {result['ratio']:>6.2f}   (bar: at most 3; target: below 1)")
    print(
        f"           {result['acknowledged']:,} acknowledged, {result['rows']:,} rows written onto "
        f"{result['rows_before']:,}; {result['uplinks_per_s']:,.0f} uplinks/s on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
