"""A large fleet into somebody else's broker: the rate is printed, and a plain subscriber saw all of it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import tool
from tests.e2e.ports import answers, free_port
from tests.e2e.processes import ended, sekisho, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.needs("mosquitto"),
    pytest.mark.needs("mosquitto_pub"),
]


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A Mosquitto that knows nobody and forgets nothing; its port."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        "max_inflight_messages 0\n"
    )
    with running(folder, "mosquitto", "-c", str(config)):
        until(lambda: answers(port), "the broker")
        yield port


@contextmanager
def running(folder: Path, program: str, *words: str) -> Iterator[Path]:
    """A program that runs beside the test, and the file with what it prints."""
    path = tool(program)
    assert path is not None
    said = folder / f"{program}.txt"
    with said.open("wb") as out:
        process = subprocess.Popen([path, *words], stdout=out)
    with ended(process, signal.SIGTERM):
        yield said


@pytest.mark.parametrize("qos", ["0", "1"])
def test_a_fleet_holds_its_rate_and_a_subscriber_saw_all_of_it(tmp_path: Path, qos: str) -> None:
    """1,500 devices on 30 connections at pace 60: several hundred uplinks a second, wanted and held rate
    printed, and `sekisho reconcile --seen` finds each of them once with the subscriber; a line that is
    missing there is named."""
    ledger, devices = str(tmp_path / "truth.jsonl"), 1500
    with broker(tmp_path) as port:
        words = ("-p", str(port), "-q", "1", "-t", "sekisho/v1/#", "-F", "%t %x")
        with running(tmp_path, "mosquitto_sub", *words) as seen:
            probe = ("-p", str(port), "-t", "sekisho/v1/probe/up", "-m", "x")
            until(lambda: heard(tmp_path, probe, seen), "the subscriber")
            code, out, err = sekisho(
                *(tmp_path, "simulate", "--devices", str(devices), "--connections", "30"),
                *("--qos", qos, "--for", "4min", "--pace", "60", "--harm", "0.01", "--json"),
                *("--to", f"mqtt://127.0.0.1:{port}", "--ledger", ledger),
            )
            figures = json.loads(out)
            print(figures)
            assert code == 0, err
            until(lambda: len(uplinks(seen)) >= figures["sent"], "the last uplink")
    assert figures["devices"] == devices
    assert figures["sent"] == figures["acked"] > 2500
    assert figures["rate"]["wanted_per_s"] > 500
    assert 0 < figures["rate"]["held_per_s"] <= figures["rate"]["wanted_per_s"]
    witness = tmp_path / "seen.txt"
    witness.write_bytes(b"".join(uplinks(seen)))
    code, out, err = sekisho(
        tmp_path, "reconcile", "--ledger", ledger, "--seen", str(witness), "--json"
    )
    assert (code, json.loads(out)["seen"]) == (0, figures["sent"]), err
    witness.write_bytes(b"".join(uplinks(seen)[1:]))
    code, out, _ = sekisho(tmp_path, "reconcile", "--ledger", ledger, "--seen", str(witness))
    assert code == 1
    assert "1 missing, 0 too many" in out


def heard(folder: Path, probe: tuple[str, ...], seen: Path) -> bool:
    """Publish something of our own; whether the subscriber has noticed."""
    path = tool("mosquitto_pub")
    assert path is not None
    subprocess.run([path, *probe], cwd=folder, check=True, timeout=60)
    return seen.stat().st_size > 0


def uplinks(file: Path) -> list[bytes]:
    """What was seen, without our own probes."""
    return [line for line in file.read_bytes().splitlines(keepends=True) if b"/probe/" not in line]
