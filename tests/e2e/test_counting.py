"""A gateway that counts: over a kill, to the end of the service day, and out by the front door."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.model.instant import HOUR, MINUTE, Instant, parse_rfc3339, to_rfc3339
from gateway.statedir import Mark
from sekisho.window import ask
from tests.e2e.caller import Caller
from tests.e2e.processes import ROOT, Gateway, sekisho
from tests.e2e.town import ZONE, Town, reader

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

    async def move(self, to: Instant) -> None:
        """Move simulated time."""
        await asyncio.to_thread(lambda: list(ask(self.town.state, "clock", 60.0, to_us=to)))

    async def told(self, *words: str) -> str:
        """What `sekisho release` prints."""
        line = ("release", *words, "--config", str(self.town.config))
        code, out, err = await asyncio.to_thread(sekisho, self.town.folder, *line)
        assert code == 0, err
        return out

    def files(self) -> dict[str, bytes]:
        """Everything in the state directory and among the keys."""
        folders = (self.town.state.path, self.town.keys.path)
        found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in found}


def at(when: Instant) -> tuple[str, str]:
    return "--clock", f"sim://{to_rfc3339(when, ZONE)}"


async def test_a_kill_costs_five_minutes_and_the_release_says_so(tmp_path: Path) -> None:
    """Twelve riders are on disk, nine more are acknowledged and lost, four come after the restart; in the night
    fifteen are told, and that a run was cut off. Neither tag nor row of a tag lies anywhere."""
    stop = Stop(tmp_path)
    with Gateway(stop.town, *at(EIGHT)) as gateway:
        await stop.ride(gateway, 0, 12, EIGHT)
        await stop.move(EIGHT + 5 * MINUTE)
        (sealed,) = stop.town.state.counting_dir.iterdir()
        size = sealed.stat().st_size
        await stop.ride(gateway, 100, 109, EIGHT + 6 * MINUTE)
        (said,) = await asyncio.to_thread(lambda: list(ask(stop.town.state, "terms", 60.0))[:1])
        counted = [term for term in said["terms"] if term["kind"] == "bus_stop_reader"]
        assert [(term["fate"], term["count"]) for term in counted] == [("counted", 21)]
        gateway.kill()
    with Gateway(stop.town, *at(EIGHT + 8 * MINUTE)) as gateway:
        await stop.ride(gateway, 200, 204, EIGHT + 9 * MINUTE)
        await stop.move(EIGHT + 10 * MINUTE)
        assert sealed.stat().st_size == size
        assert "counter cut off" in gateway.said()
        await stop.move(EIGHT + 20 * HOUR)
        assert await asyncio.to_thread(gateway.stop) == 0

    assert not sealed.exists()
    assert not (stop.town.keys.path / "periods" / "ridership-2026-05-12.key").exists()
    shown = json.loads(await stop.told("show", "ridership", "2026-05-12", "--json"))
    assert [(row["unit"], row["hour"], row["tags"]) for row in shown["rows"]] == [("stop-reader-1", 8, "15")]  # fmt: skip
    assert (shown["losses"]["kills"], shown["losses"]["minutes_at_most"]) == (1, 5)
    assert "up to 5 min (1 run cut off)" in await stop.told("show", "ridership", "2026-05-12")
    await stop.told("export", "ridership", "2026-05-12", "--out", str(tmp_path / "day.csv"))
    assert "stop-reader-1,8,15,15" in (tmp_path / "day.csv").read_text()
    for content in stop.files().values():
        for tag in stop.seen:
            assert tag.encode() not in content
            assert bytes.fromhex(tag) not in content
    assert list(stop.town.state.personal_dir.glob("*.db")) == []


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
    assert await stop.told("list") == "No period was closed yet.\n"


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
    assert code != 0
    assert f"sekisho release withhold ridership {day}" in said

    await stop.told("withhold", "ridership", day, "--because", "k is six from now on")
    with Gateway(stop.town) as gateway:
        assert await asyncio.to_thread(gateway.stop) == 0
    assert "withheld: k is six from now on" in await stop.told("list")
