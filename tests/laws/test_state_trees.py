"""Suppressed uplinks leave no byte: state trees with them and without them are equal (decisions 3, leak channel C9).

Two gateways begin as copies of one directory, keys and clock alike; what is random was made before. One is handed
everything, the other what is kept alone. Databases are compared as `VACUUM INTO` leaves them, every other file byte for
byte. `sessions.db` is no part of it: it may change.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.devices.catalog import catalog
from gateway.devices.decode import json_decoder
from gateway.keys.ring import KeyRing
from gateway.model.instant import MINUTE, SECOND, to_datetime
from gateway.model.reason import Fate, Reason
from gateway.model.uplink import Route, Uplinks
from gateway.pipeline.process import Process
from gateway.privacy.policy import Policy
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from tests.e2e.crowd import LAT_M
from tests.e2e.town import ZONE
from tests.fakes.clock import ManualClock
from tests.fakes.readings import HOME, NOON, policy
from tests.fakes.zones import zoned

MINUTES = 90
WALKERS, HIDDEN = (
    3,
    ("at-home", "no-consent", "no-home", "at-sea", "nowhere", "of-last-month", "drifting"),
)


class Said(NamedTuple):
    """One uplink: its minute, its device, its document."""

    minute: int
    device: str
    document: dict[str, Any]


def _base(folder: Path, mark: Mark | None, rules: Policy) -> None:
    """A directory with its families, and every key that may be made later made already."""
    clock = ManualClock(NOON)
    state = StateDir.create(folder / "state", mark, clock)
    keys = KeyRing.create(folder / "keys", state.id, clock, ZONE)
    names = [*(f"walker-{n}" for n in range(WALKERS)), *HIDDEN]
    keys.households.make_all(f"h-{name}" for name in names)
    with Registry.open(state, keys) as registry, registry.change():
        for name in names:
            registry.put_device(name, "child_tracker", "16201", 0, f"h-{name}")
            if name != "no-home":
                registry.put_home(f"h-{name}", *HOME, at=0)
            if name != "no-consent":
                registry.record_consent(name, "store", "a guardian", "a sheet", 0)
    with Registry.open(state, keys) as registry:
        checkpoint = Checkpoint(state, keys, registry, rules, clock, Tempo())
        for period in ("store-2026-W20", "store-2026-05-12"):
            keys.file_key(period)
        checkpoint.store._close()


def _told(dice: Random) -> Iterator[Said]:
    """An hour and a half: some walk out and on, the others are hidden for seven reasons."""
    for minute in range(MINUTES):
        for n in range(WALKERS):
            metres = max(0.0, (minute - 2 * n) * 62.0)
            yield Said(minute, f"walker-{n}", _fix(HOME[0] + metres * LAT_M, HOME[1] + n * 1e-4))
        lat, lon = HOME[0] + dice.gauss(0, 8) * LAT_M, HOME[1] + dice.gauss(0, 8) * LAT_M
        yield Said(minute, "at-home", _fix(lat, lon))
        yield Said(minute, "drifting", _fix(lat + dice.gauss(0, 25) * LAT_M, lon))
        far = _fix(HOME[0] + 0.02, HOME[1])
        yield Said(minute, "no-consent", far)
        yield Said(minute, "no-home", far)
        yield Said(minute, "at-sea", _fix(10.0, HOME[1]))
        yield Said(minute, "nowhere", {"battery_pct": 50})
        yield Said(minute, "of-last-month", {**far, "t": _time(NOON - 30 * 24 * 60 * MINUTE)})


def _fix(lat: float, lon: float) -> dict[str, Any]:
    return {"lat": lat, "lon": lon, "accuracy_m": 6.0, "battery_pct": 70}


def _time(at: int) -> str:
    return to_datetime(at).isoformat()


def _run(folder: Path, rules: Policy, said: Sequence[Said]) -> set[str]:
    """Hand a minute's uplinks over as one batch; the devices of which something was kept."""
    clock = ManualClock(NOON)
    state = StateDir.open(folder / "state")
    keys = KeyRing.open(folder / "keys", state.id, clock, ZONE)
    decode = json_decoder(catalog()["child_tracker"])
    kept: set[str] = set()
    with Registry.open(state, keys) as registry:
        checkpoint = Checkpoint(state, keys, registry, rules, clock, Tempo())
        process = Process(checkpoint.mask, rules.zone, checkpoint.facts)
        for minute in range(MINUTES):
            at = NOON + minute * MINUTE + SECOND
            for one in said:
                if one.minute != minute:
                    continue
                device = checkpoint.directory.devices[one.device]  # type: ignore[index]
                document = {"t": _time(at - SECOND), "seq": minute, **one.document}
                payload = json.dumps(document).encode()
                route = Route(device, "child_tracker", decode)
                batch = process.decide([Uplinks("own", at, [(route, payload)], _unasked)])
                if (
                    any(fate in (Fate.STORED, Fate.HELD) for _, _, fate, _ in batch.terms)
                    or batch.waiting
                ):
                    kept.add(one.device)
                if batch.outcome:
                    checkpoint.store.write(batch.outcome)
        checkpoint.forget_held(None)
        checkpoint.store._close()
    return kept


def _unasked(_refused: dict[int, Reason]) -> None:
    """Nobody waits."""


def _tree(folder: Path, aside: Path) -> dict[str, bytes]:
    """Every file of state and keys, by its name."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        if path.name.startswith("sessions.db"):
            continue
        if path.suffix == ".db":
            copy = aside / name.replace("/", "-")
            with closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                db.execute("VACUUM INTO ?", (str(copy),))
            found[name] = copy.read_bytes()
        elif not path.name.endswith(("-wal", "-shm")):
            found[name] = path.read_bytes()
    return found


def _in_area(lat: float, _lon: float) -> bool:
    return lat > 30.0


RULES = {
    "circle": policy(in_area=_in_area, zone=ZONE),
    "zone": zoned(in_area=_in_area, zone=ZONE, retain_days=20),
}


@pytest.mark.channel("C6", "C9")
@pytest.mark.parametrize("mark", [None, Mark.SIM], ids=["sealed", "plain"])
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("seed", [1, 2])
def test_suppressed_uplinks_leave_no_byte(
    tmp_path: Path, rules: Policy, mark: Mark | None, seed: int
) -> None:
    """With them and without them: the same names, and the same bytes in each."""
    _base(tmp_path / "base", mark, rules)
    trees = []
    everything = list(_told(Random(seed)))
    for name, said in (
        ("with", everything),
        ("without", [one for one in everything if one.device.startswith("walker")]),
    ):
        shutil.copytree(tmp_path / "base", tmp_path / name)
        kept = _run(tmp_path / name, rules, said)
        assert kept == {f"walker-{n}" for n in range(WALKERS)}
        aside = tmp_path / f"{name}-copies"
        aside.mkdir()
        trees.append(_tree(tmp_path / name, aside))
    assert trees[0].keys() == trees[1].keys()
    assert [name for name in trees[0] if trees[0][name] != trees[1][name]] == []
    assert any("personal/" in name for name in trees[0])


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """One uplink more that is kept makes another tree: the law above sees a single row."""
    rules = RULES["circle"]
    _base(tmp_path / "base", Mark.SIM, rules)
    walkers = [one for one in _told(Random(1)) if one.device.startswith("walker")]
    trees = []
    for name, said in (("all", walkers), ("less", walkers[:-1])):
        shutil.copytree(tmp_path / "base", tmp_path / name)
        _run(tmp_path / name, rules, said)
        (tmp_path / f"{name}-copies").mkdir()
        trees.append(_tree(tmp_path / name, tmp_path / f"{name}-copies"))
    assert trees[0] != trees[1]
