"""`sekisho demo`: a gateway and a fictional town for a minute, and the proof that nothing went astray."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import parse_rfc3339
from gateway.settings.load import load_settings
from gateway.settings.rule_set import PARTITIONS
from gateway.statedir import Mark, StateDir
from sekisho import certificate, place
from sekisho.demo_screen import DemoScreen
from sekisho.enrolment import write_private
from sekisho.reconciliation import reconcile
from sekisho.rules_in_force import rules_in_force
from sekisho.shipped import rule_sets
from sekisho.window import ask
from simulators.calendar import ZONE

START = "2026-05-12T07:25:00+09:00"
"""A Tuesday in May, just before the children leave home."""

PILOT, GAUGE = "pilot", "river-900"
"""The credential and the device that the demo leaves to whoever tries it."""

_DAYS_STEP = "15min"
_LOOK_S = 0.25
_PATIENCE_S = 20.0

_GATEWAY = """\
# The demo's own configuration, written anew each time; config/gateway.yaml shows every setting.
state: {folder}/state
keys: {folder}/keys
owner: "16201"
timezone: Asia/Tokyo
service_area:
  municipality: "16201"
doors:
  - kind: mqtt_listener
    name: mqtt
    port: 0
    tls:
      port: 0
      certificate: {folder}/server.pem
      key: {folder}/server.key
privacy: {folder}/privacy.yaml
"""

_RULES = ("toyama-zone", "ridership")
"""The recommended rules, and tags are counted."""


def demo(
    seconds: Annotated[
        float, typer.Option(min=0, help="How long, in seconds of yours; 0 = until Ctrl-C.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="Of the town.")] = 7,
    children: Annotated[int, typer.Option(min=1, max=10_000, help="With a tracker.")] = 50,
    pace: Annotated[float, typer.Option(min=1, max=600, help="Times faster than life.")] = 60.0,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=366,
            help="Instead: so many days of town time as fast as they go, at steps of 15 minutes; a month "
            "takes two to four minutes. Neither --seconds nor --pace counts then.",
        ),
    ] = None,
    folder: Annotated[
        Path,
        typer.Option("--folder", metavar="DIR", help="Where it all lies; its state is renewed."),
    ] = Path(".demo"),
    json: Annotated[bool, typer.Option("--json", help="Only the summary, as JSON.")] = False,
) -> None:
    """Run a gateway and a fictional town, and reconcile what was stored with what was sent.

    Real processes, the real door: only the town is invented. Ends with 1 if anything is unexplained.
    """
    begun = time.monotonic()  # noqa: TID251 - a person waits: wall time is meant
    state = _prepare(folder)
    token = _pilot(state, folder)
    if days is not None:
        seconds = 0.0
    screen = DemoScreen(seed, pace, children, folder, quiet=json, days=days)
    with _process(folder, "gateway", *_gateway_line(folder)) as gateway:
        try:
            running = _wait_for_doors(state, gateway, folder)
            screen.opened(running, token, GAUGE, PILOT)
            with _process(
                folder, "town", *_town_line(folder, state, seed, children), *_tempo(pace, days)
            ) as town:
                _watch(state, town, screen, seconds, begun)
                _end(town, signal.SIGINT)
            answer = _settled(state)
            now = place.clock_of(state).now()
        finally:
            _end(gateway, signal.SIGTERM)
    if town.returncode or gateway.returncode:
        raise Refusal(
            f"The demo did not end well: gateway {gateway.returncode}, town {town.returncode}. "
            f"Their own words are in {folder}/gateway.log and {folder}/town.log."
        )
    lived = time.monotonic()  # noqa: TID251
    rules = rules_in_force(load_settings(folder / "gateway.yaml"))
    result = reconcile(folder / "ledger.jsonl", answer["terms"], state, now, rules)
    seconds_taken = (lived - begun, time.monotonic() - lived)  # noqa: TID251
    screen.summary(result, answer, state, seconds_taken)
    raise typer.Exit(1 if result.unexplained else 0)


def _prepare(folder: Path) -> StateDir:
    """A new state directory, keys, certificate and configuration under `folder`."""
    clock = SystemClock()
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    state = StateDir.create(folder / "state", Mark.SIM, clock)
    KeyRing.create(folder.absolute() / "keys", state.id, clock, ZONE)
    certificate.issue(folder, ["127.0.0.1", "localhost"], datetime.now(UTC))  # noqa: TID251
    (folder / "gateway.yaml").write_text(_GATEWAY.format(folder=folder.absolute()))
    _write_rules(folder)
    return state


def _write_rules(folder: Path) -> None:
    """One rule set of the lanes that are shipped, and the partitions on which it stands."""
    texts = [(rule_sets() / f"{name}.yaml").read_text(encoding="utf-8") for name in _RULES]
    lanes = [text.split("\nlanes:\n", 1)[1] for text in texts[1:]]
    text = texts[0].replace(f"\nid: {_RULES[0]}\n", "\nid: demo\n").rstrip("\n")
    (folder / "privacy.yaml").write_text("\n".join([text, *lanes]), encoding="utf-8")
    shutil.copytree(rule_sets() / PARTITIONS, folder / PARTITIONS, dirs_exist_ok=True)


def _clear(folder: Path) -> None:
    """Remove what an earlier demo left; refuse anything that is not a demo's."""
    path = folder / "state"
    if not path.exists():
        return
    old = StateDir.open(path)
    if old.mark is not Mark.SIM:
        raise Refusal(f"{path} is not a demo's state directory. Name another --folder.")
    with old.lock():
        shutil.rmtree(path)
    shutil.rmtree(folder / "keys", ignore_errors=True)


def _pilot(state: StateDir, folder: Path) -> str:
    """Register a gauge and a credential for whoever tries the demo; the token."""
    at = parse_rfc3339(START)
    with place.find(state.path, folder / "keys", folder / "gateway.yaml").registry() as registry:
        registry.put_device(GAUGE, "river_gauge", "16201", at, attributes={"datum_m": 4.2})
        token = registry.put_credential(PILOT, [GAUGE], at=at)
    write_private(folder / "pilot.token", token + "\n")
    return token


def _gateway_line(folder: Path) -> list[str]:
    config = str(folder / "gateway.yaml")
    return ["run", "--config", config, "--clock", f"sim://{START}"]


def _tempo(pace: float, days: int | None) -> list[str]:
    if days is None:
        return ["--pace", f"{pace:g}"]
    return ["--pace", "0", "--for", f"{days}d", "--step", _DAYS_STEP]


def _town_line(folder: Path, state: StateDir, seed: int, children: int) -> list[str]:
    where, keys = str(state.path), str(folder / "keys")
    ledger = str(folder / "ledger.jsonl")
    return [
        *("simulate", "--seed", str(seed), "--children", str(children), "--quiet"),
        *("--register", where, "--follow", where, "--keys", keys, "--ledger", ledger),
    ]


def _process(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A Sekisho of its own; what it says goes to `<name>.log`. Ctrl-C is ours to pass on."""
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "sekisho", *arguments],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def _wait_for_doors(
    state: StateDir, gateway: subprocess.Popen[bytes], folder: Path
) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE_S  # noqa: TID251
    while time.monotonic() < deadline:  # noqa: TID251
        running = place.running(state)
        if running:
            return running
        if gateway.poll() is not None:
            break
        time.sleep(0.05)
    said = (folder / "gateway.log").read_text().strip()
    raise Refusal(f"The gateway did not start. It said:\n{said or '(nothing)'}")


def _watch(
    state: StateDir, town: subprocess.Popen[bytes], screen: DemoScreen, seconds: float, begun: float
) -> None:
    """Show progress until the time is up, the town ends, or Ctrl-C."""
    opened = time.monotonic()  # noqa: TID251
    try:
        while town.poll() is None:
            now = time.monotonic()  # noqa: TID251
            if seconds and now - opened >= seconds:
                break
            town_time = place.clock_of(state).now()
            screen.progress(_terms(state), town_time, now - opened, seconds, now - begun)
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        screen.interrupted()
    finally:
        screen.stop()


def _terms(state: StateDir) -> dict[str, Any]:
    (answer,) = ask(state, "terms")
    return answer


def _settled(state: StateDir) -> dict[str, Any]:
    """The gateway's answer once nothing is in flight."""
    deadline = time.monotonic() + _PATIENCE_S  # noqa: TID251
    while True:
        answer = _terms(state)
        if not answer["in_flight"] or time.monotonic() > deadline:  # noqa: TID251
            return answer
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    """Ask a process to finish and wait; one that does not is killed."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
