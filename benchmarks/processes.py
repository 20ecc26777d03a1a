"""The processes that benchmarks start, and what the kernel says they cost."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
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
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 1000
log_type none
"""
_SUBSCRIBE = """\
  - kind: mqtt_client
    name: city
    url: mqtt://127.0.0.1:{port}
    version: "3.1.1"
    subscriptions: [{{topic: "sekisho/v1/#", format: sekisho}}]
    raw_on_broker_accepted: nobody here is real
"""


def cpu_s(*processes: "subprocess.Popen[bytes]") -> float:
    """User and system seconds of processes and all their threads so far."""
    total = 0.0
    for process in processes:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def resident_mb(process: "subprocess.Popen[bytes]") -> float:
    """Megabytes of memory that a process holds."""
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def until(ready: Callable[[], bool], patience_s: float = 20.0) -> None:
    """Wait for something; TimeoutError where it does not come."""
    deadline = time.monotonic() + patience_s
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class House:
    """The shipped configuration on a free port, and a fresh directory with every device of the flood.

    Args:
        broker: port of a broker to subscribe at; None for the door of our own alone.
        doors, more: YAML of further doors, and of settings beside them.

    Attributes:
        token: of the credential "flood", which speaks for every device.
    """

    def __init__(
        self, folder: Path, broker: int | None = None, doors: str = "", more: str = ""
    ) -> None:
        shutil.copytree(ROOT / "config", folder / "config")
        self.config = folder / "config" / "gateway.yaml"
        text = self.config.read_text().replace("port: 1883", "port: 0", 1)
        if broker is not None:
            doors += _SUBSCRIBE.format(port=broker)
        text = text.replace("\ndoors:\n", f"\ndoors:\n{doors}", 1)
        self.config.write_text(text + more)
        clock, settings = SystemClock(), load_settings(self.config)
        self.state = StateDir.create(folder / "state", Mark.SIM, clock)
        self.keys = folder / "keys"
        ring = KeyRing.create(self.keys, self.state.id, clock, settings.zone)
        self.token = self._register(ring, clock.now() - 30 * DAY)

    def _register(self, ring: KeyRing, at: int) -> str:
        ring.households.make_all(f"h-{n}" for n in range(CHILDREN))
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


class Gateway(House):
    """`sekisho run` in such a house.

    Attributes:
        port: of the MQTT door.
        doors: all doors by name, as `run.json` has them.
    """

    def __init__(
        self, folder: Path, broker: int | None = None, doors: str = "", more: str = ""
    ) -> None:
        super().__init__(folder, broker, doors, more)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sekisho", "run", "--config", str(self.config), "--json"),
                *("--state", str(self.state.path), "--keys", str(self.keys), "--quiet"),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.doors: dict[str, Any] = json.loads(self.process.stdout.readline())["doors"]
        self.port: int = self.doors["mqtt"]["port"]

    def stop(self) -> None:
        """SIGTERM, and wait."""
        stop(self.process)


class Mosquitto:
    """A broker, as Debian has it; `more` are lines of its configuration."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.port = free_port()
        config = folder / f"mosquitto-{self.port}.conf"
        config.write_text(_MOSQUITTO.format(port=self.port) + more)
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "needs mosquitto: sudo apt install mosquitto"
        self.process = subprocess.Popen([program, "-c", str(config)])
        until(lambda: answers(self.port))

    def stop(self) -> None:
        """SIGTERM, and wait."""
        stop(self.process)


def module(name: str, *words: object) -> "subprocess.Popen[bytes]":
    """A module of ours as a process with its standard output open to us."""
    line = [sys.executable, "-m", name, *map(str, words)]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE)


def stop(*processes: "subprocess.Popen[bytes]") -> None:
    """SIGTERM to each, and wait."""
    for process in processes:
        process.terminate()
        process.wait(30)


def until_counted(process: "subprocess.Popen[bytes]", wanted: int) -> None:
    """Read the numbers that a process prints, one a line, until one is at least `wanted`.

    Raises:
        TimeoutError: it stands still for a minute.
    """
    assert process.stdout is not None
    last, since = -1, time.monotonic()
    for line in process.stdout:
        count = int(line)
        if count >= wanted:
            return
        if count > last:
            last, since = count, time.monotonic()
        elif time.monotonic() - since > 60:
            raise TimeoutError(f"process {process.pid} stands at {count} of {wanted}")
    raise RuntimeError(f"process {process.pid} ended before it had counted {wanted}")


def share(values: Iterable[float], part: float) -> float:
    """The value below which `part` of the values lie."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]
