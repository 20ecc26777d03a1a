"""A gateway that counts: over a kill, to the end of the service day, and out by the front door."""

import asyncio
import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.canary.canaries import Canaries
from gateway.counting.period import HEAD_BYTES
from gateway.model.instant import DAY, HOUR, MINUTE, Instant, parse_rfc3339, to_rfc3339
from gateway.statedir import Mark
from gateway.stores.counters import CounterFiles
from sekisho.canary_fixture import look
from sekisho.window import ask
from tests.e2e.caller import Caller
from tests.e2e.processes import ROOT, Gateway, sekisho
from tests.e2e.town import SINCE, ZONE, Town, child, reader

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

EIGHT = parse_rfc3339("2026-05-12T08:00:00+09:00")
TAG = "30751FEB705C5904E3D5{:04X}"


class Stop:
    """A gateway under the shipped `ridership` rules, and one reader at a stop."""

    def __init__(self, folder: Path, mark: Mark | None = Mark.SIM) -> None:
        self.town = Town(folder, mark)
        rules = (ROOT / "config" / "privacy" / "ridership.yaml").read_text()
        (folder / "privacy.yaml").write_text(rules)
        self.token = self.town.enrol([reader("reader-1")])
        self.sequence = 0
        self.seen: set[str] = set()

    async def ride(self, gateway: Gateway, first: int, until: int, at: Instant | None) -> None:
        """Tags pass the reader, each in an uplink of its own; returns when all are acknowledged."""
        caller = await Caller.call(gateway.port, "fleet", self.token)
        for number in range(first, until):
            self.sequence += 1
            tag = TAG.format(number)
            self.seen.add(tag)
            said: dict[str, Any] = {"seq": self.sequence, "reads": [{"epc": tag, "antenna": 1, "rssi_dbm": -50}]}  # fmt: skip
            if at is not None:
                said["t"] = to_rfc3339(at, ZONE)
            assert await caller.publish("reader-1", json.dumps(said).encode()) == 0
        await caller.leave()

    def files(self) -> dict[str, bytes]:
        """Everything in the state directory and among the keys."""
        folders = (self.town.state.path, self.town.keys.path)
        found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in found}


async def move(town: Town, to: Instant) -> None:
    """Move simulated time."""
    await asyncio.to_thread(lambda: list(ask(town.state, "clock", 60.0, to_us=to)))


async def told(town: Town, *words: str) -> str:
    """What `sekisho release` prints."""
    line = ("release", *words, "--config", str(town.config))
    code, out, err = await asyncio.to_thread(sekisho, town.folder, *line)
    assert code == 0, err
    return out


def at(when: Instant) -> tuple[str, str]:
    return "--clock", f"sim://{to_rfc3339(when, ZONE)}"


async def test_a_kill_costs_five_minutes_and_the_release_says_so(tmp_path: Path) -> None:
    """Twelve riders are on disk, nine more are acknowledged and lost, four come after the restart; in the night
    fifteen are told, and that a run was cut off. Neither tag nor row of a tag lies anywhere."""
    stop = Stop(tmp_path)
    with Gateway(stop.town, *at(EIGHT)) as gateway:
        await stop.ride(gateway, 0, 12, EIGHT)
        await move(stop.town, EIGHT + 5 * MINUTE)
        (sealed,) = stop.town.state.counting_dir.iterdir()
        size = sealed.stat().st_size
        await stop.ride(gateway, 100, 109, EIGHT + 6 * MINUTE)
        (said,) = await asyncio.to_thread(lambda: list(ask(stop.town.state, "terms", 60.0))[:1])
        counted = [term for term in said["terms"] if term["kind"] == "bus_stop_reader"]
        assert [(term["fate"], term["count"]) for term in counted] == [("counted", 21)]
        gateway.kill()
    with Gateway(stop.town, *at(EIGHT + 8 * MINUTE)) as gateway:
        await stop.ride(gateway, 200, 204, EIGHT + 9 * MINUTE)
        await move(stop.town, EIGHT + 10 * MINUTE)
        assert sealed.stat().st_size == size
        assert "counter cut off" in gateway.said()
        await move(stop.town, EIGHT + 20 * HOUR)
        assert await asyncio.to_thread(gateway.stop) == 0

    assert not sealed.exists()
    assert not (stop.town.keys.path / "periods" / "ridership-2026-05-12.key").exists()
    shown = json.loads(await told(stop.town, "show", "ridership", "2026-05-12", "--json"))
    assert [(row["unit"], row["hour"], row["tags"]) for row in shown["rows"]] == [("stop-reader-1", 8, "15")]  # fmt: skip
    assert (shown["losses"]["kills"], shown["losses"]["minutes_at_most"]) == (1, 5)
    said_of_it = await told(stop.town, "show", "ridership", "2026-05-12")
    assert "up to 5 min (1 run cut off)" in said_of_it
    assert "from 2026-05-12 08:00; 5 h 3 min of 24 h not counted" in said_of_it
    await told(stop.town, "export", "ridership", "2026-05-12", "--out", str(tmp_path / "day.csv"))
    assert "stop-reader-1,8,15,15" in (tmp_path / "day.csv").read_text()
    for content in stop.files().values():
        for tag in stop.seen:
            assert tag.encode() not in content
            assert bytes.fromhex(tag) not in content
    assert list(stop.town.state.personal_dir.glob("*.db")) == []


class Walks:
    """Children whose guardians agreed to be counted and to nothing else, and who walk along one street."""

    def __init__(self, folder: Path, children: int) -> None:
        self.town = Town(folder)
        self.dice = Random("counted walks")
        self.places: list[tuple[float, float]] = []
        line = [[137.5, 36.69], [137.5, 36.71]]
        street = {
            "features": [{"id": "main", "geometry": {"type": "LineString", "coordinates": line}}]
        }
        (folder / "streets.geojson").write_text(json.dumps(street))
        (folder / "none.geojson").write_text('{"features": []}')
        lanes = [
            (ROOT / "config" / "privacy" / f"{name}.yaml").read_text().split("lanes:\n")[1]
            for name in ("patrol-analysis", "open-data")
        ]
        (folder / "privacy.yaml").write_text(f"schema: 1\nid: counted\nlanes:\n{''.join(lanes)}")
        with self.town.config.open("a") as config:
            config.write("counting:\n")
            for name, file in (("streets", "streets.geojson"), ("facilities", "none.geojson")):
                pin = sha256((folder / file).read_bytes()).hexdigest()
                config.write(f"  {name}: {{file: {file}, pin: {pin}}}\n")
        self.names = [f"walker-{n}" for n in range(children)]
        self.homes = {name: 36.69 - self.dice.random() / 100 for name in self.names}
        members = [
            {**child(name, (lat, 137.5)), "consent": False} for name, lat in self.homes.items()
        ]
        self.token = self.town.enrol(members)
        with self.town.registry() as registry, registry.change():
            for name in self.names:
                for lane in ("analysis", "open"):
                    registry.record_consent(name, lane, "a guardian", "a sheet", SINCE)

    async def walk(self, gateway: Gateway, at: Instant, *, far: bool = True) -> None:
        """Everybody walks up the street, a minute a fix; or stays at home."""
        caller = await Caller.call(gateway.port, "fleet", self.token)
        for minute in range(8):
            for name in self.names:
                lat = 36.6935 + minute * 0.001 if far else self.homes[name]
                lat += self.dice.random() / 5000
                lon = 137.5 + self.dice.uniform(-2.5, 2.5) / 10000
                self.places.append((lat, lon))
                said = {
                    "t": to_rfc3339(at + minute * MINUTE, ZONE),
                    "lat": lat,
                    "lon": lon,
                    "accuracy_m": 5,
                }
                assert await caller.publish(name, json.dumps(said).encode()) == 0
        await caller.leave()


def apart(places: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that single precision tells apart by either number: what looks alike cannot be searched for alone."""
    chosen: list[tuple[float, float]] = []
    for lat, lon in places:
        if all(abs(lat - a) > 3e-5 and abs(lon - b) > 3e-5 for a, b in chosen):
            chosen.append((lat, lon))
    return chosen


async def test_what_is_counted_lies_nowhere(tmp_path: Path) -> None:
    """Children walk, the gateway is killed and started, the month ends: no place of theirs is in state, keys or
    log, and twelve households are told of one street and, to two reviewers, of its cells."""
    walks = Walks(tmp_path, 13)
    with Gateway(walks.town, *at(EIGHT)) as gateway:
        await walks.walk(gateway, EIGHT)
        await move(walks.town, EIGHT + 20 * MINUTE)
        gateway.kill()
    with Gateway(walks.town, *at(EIGHT + HOUR)) as gateway:
        await walks.walk(gateway, EIGHT + HOUR)
        await move(walks.town, EIGHT + 90 * DAY)
        assert await asyncio.to_thread(gateway.stop) == 0

    shown = json.loads(await told(walks.town, "show", "analysis", "2026-05", "--json"))
    assert [(row["unit"], row["hour"], row["households"]) for row in shown["rows"]] == [
        ("main.1", 8, "15"),
        ("main.1", 9, "15"),
    ]
    cells = json.loads(await told(walks.town, "show", "open", "2026-T1", "--json"))
    assert {row["households"] for row in cells["rows"]} == {"10-24"}
    for name in ("Sato", "Suzuki"):
        secret = tmp_path / "passphrases" / name
        secret.parent.mkdir(exist_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(f"{name} alone knows this\n")
        theirs = ("--passphrase-file", str(secret))
        await told(walks.town, "reviewer", "add", name, *theirs)
        await told(walks.town, "review", "open", "2026-T1", "--by", name, *theirs)
    await told(walks.town, "export", "open", "2026-T1", "--out", str(tmp_path / "cells.geojson"))
    canaries = Canaries(tuple(apart(walks.places)[:5]), (), ())
    assert look(tmp_path, canaries) == []
    (tmp_path / "state" / "control.json").write_text(
        json.dumps({"lat": walks.places[0][0], "lon": walks.places[0][1]})
    )
    assert look(tmp_path, canaries) != []


async def test_whom_the_guard_hides_leaves_nothing_in_a_counter(tmp_path: Path) -> None:
    """A day at home and a day of silence: the same files of the same length, and the same tables inside. A day
    outside gives other tables, so the comparison can fail."""
    days = {}
    for day in ("home", "silence", "outside"):
        walks = Walks(tmp_path / day, 6)
        with Gateway(walks.town, *at(EIGHT)) as gateway:
            if day != "silence":
                await walks.walk(gateway, EIGHT, far=day == "outside")
            await move(walks.town, EIGHT + 5 * MINUTE)
            assert await asyncio.to_thread(gateway.stop) == 0
        files, keys = CounterFiles(walks.town.state.counting_dir), walks.town.keys.periods
        days[day] = {name: files.read(name, keys.key(name)) for name in files.names()}
        assert list(walks.town.state.personal_dir.iterdir()) == []

    tables = {day: {name: found[HEAD_BYTES:] for name, found in held.items() if found} for day, held in days.items()}  # fmt: skip
    assert set(tables["home"]) == {"analysis-2026-05", "open-2026-T1"}
    assert tables["home"] == tables["silence"]
    assert tables["outside"] != tables["silence"]
    assert [len(one) for one in tables["outside"].values()] == [len(one) for one in tables["home"].values()]  # fmt: skip


async def test_a_clean_stop_loses_nothing_and_a_kill_is_remembered(tmp_path: Path) -> None:
    """In production, on the machine's clock: three lives, and one counter that goes on."""
    stop = Stop(tmp_path, None)
    with Gateway(stop.town) as gateway:
        await stop.ride(gateway, 0, 6, None)
        assert await asyncio.to_thread(gateway.stop) == 0
    with Gateway(stop.town) as gateway:
        assert "counter cut off" not in gateway.said()
        await stop.ride(gateway, 10, 16, None)
        gateway.kill()
    with Gateway(stop.town) as gateway:
        assert "counter cut off" in gateway.said()
        assert await asyncio.to_thread(gateway.stop) == 0

    assert len(list(stop.town.state.counting_dir.iterdir())) == 1
    assert await told(stop.town, "list") == "No period was closed yet.\n"


async def test_with_other_rules_the_gateway_names_the_way_out(tmp_path: Path) -> None:
    """A counter was begun under a promise; `withhold` gives it up, and the gateway starts."""
    stop = Stop(tmp_path, None)
    with Gateway(stop.town) as gateway:
        await stop.ride(gateway, 0, 6, None)
        assert await asyncio.to_thread(gateway.stop) == 0
    (sealed,) = stop.town.state.counting_dir.iterdir()
    day = sealed.stem.removeprefix("ridership-")
    rules = stop.town.folder / "privacy.yaml"
    rules.write_text(rules.read_text().replace("k: 5", "k: 6"))
    code, _, said = await asyncio.to_thread(
        sekisho, stop.town.folder, "run", "--config", str(stop.town.config)
    )
    assert code == 2
    assert f"sekisho release withhold ridership {day}" in said
    code, _, checked = await asyncio.to_thread(
        sekisho, stop.town.folder, "check", str(stop.town.config)
    )
    assert code == 2
    assert said.strip().removeprefix("sekisho: ") in checked

    await told(stop.town, "withhold", "ridership", day, "--because", "k is six from now on")
    with Gateway(stop.town) as gateway:
        assert await asyncio.to_thread(gateway.stop) == 0
    assert "withheld: k is six from now on" in await told(stop.town, "list")
