"""A recording of our own topics, by a real mosquitto_sub: the rows are those of a gateway behind that broker."""

import json
import sqlite3
import subprocess
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.statedir import Mark
from sekisho.window import ask
from tests.conftest import tool
from tests.e2e.brokers import Mosquitto, subscribe_to
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.town import Member, Town
from tests.fakes.sealed import opened

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.needs("mosquitto", "mosquitto_pub"),
]

BEGIN, END = "2026-05-12T07:00:00+09:00", "2026-05-12T09:30:00+09:00"
OWN = "[{topic: sekisho/v1/#, format: sekisho}]"
OF_THE_CITY = ("river_gauge", "weather_station", "service_counter", "bicycle_parking_counter")


def fleet(folder: Path) -> tuple[Path, list[Member]]:
    """Two hours of a town as the simulator writes them to a file, and what a registry knows of it."""
    words = ("--seed", "7", "--children", "6", "--start", BEGIN, "--for", "2h", "--harm", "0.02")
    code, _, said = sekisho(
        folder, "simulate", *words, "--to", "file:town.jsonl", "--devices-out", "fleet.json"
    )
    assert code == 0, said
    listed = json.loads((folder / "fleet.json").read_text())["devices"]
    return folder / "town.jsonl", [{"roster": one.pop("device"), **one} for one in listed]


def of_the_city(town: Town) -> dict[str, list[tuple[Any, ...]]]:
    """Every row about things, without when this gateway's own clock says that it came."""
    found = {}
    with closing(sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True)) as db:
        for kind in OF_THE_CITY:
            names = [row[1] for row in db.execute(f"PRAGMA table_info({kind})")]
            kept = ", ".join(name for name in names if name != "received_at")
            found[kind] = db.execute(f"SELECT {kept} FROM {kind} ORDER BY 1, 2, 3").fetchall()  # noqa: S608
    return found


def of_children(town: Town) -> Counter[tuple[Any, ...]]:
    """Every child's rows together, under whatever pseudonym this directory gave it."""
    ways = defaultdict(list)
    for row in opened(town.state, "child_tracker"):
        shown = tuple(row[name] for name in ("minute", "lat", "lon", "battery_class"))
        ways[row["pseudonym"]].append(shown)
    return Counter(map(tuple, ways.values()))


def test_what_a_subscriber_wrote_down_replays_to_the_rows_of_the_gateway(tmp_path: Path) -> None:
    """Both forms of payload, in hex: the simulator's file is published at Mosquitto, a gateway behind it stores
    what it hears, a plain mosquitto_sub writes it down; that recording and the simulator's own file, replayed,
    store the same rows of the city's things and of children."""
    log, members = fleet(tmp_path)
    heard = tmp_path / "heard.txt"
    count = log.read_text().count("\n")
    towns = {name: Town(tmp_path / name, mark) for name, mark in (
        ("behind", Mark.SIM), ("recorded", Mark.REPLAY), ("written", Mark.REPLAY),
    )}  # fmt: skip
    for town in towns.values():
        town.enrol(members)
    behind = towns["behind"]
    settings = ("max_queued_messages 0", "max_inflight_messages 1000")
    with Mosquitto(tmp_path / "broker", *settings) as broker:
        raw = "raw_on_broker_accepted: nobody here is real"
        subscribe_to(behind, broker.port, raw, subscriptions=OWN)
        line = [str(tool("mosquitto_sub")), "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1"]
        line += ["-t", "sekisho/v1/#", "-c", "-i", "witness"]  # the broker keeps what comes for it
        subprocess.run([*line, "-E"], check=True, timeout=20)
        with Gateway(behind, "--clock", f"sim://{END}") as gateway:
            until(lambda: "Connected to broker" in gateway.said(), "the gateway's connection")
            to = f"mqtt://127.0.0.1:{broker.port}"
            code, _, said = sekisho(tmp_path, "replay", str(log), "--format", "sekisho", "--to", to)
            assert code == 0, said
            until(lambda: settled(behind) == count, "the gateway to catch up")
            assert gateway.stop() == 0
        with heard.open("wb") as out:
            words = ("-F", "%t %x", "-C", str(count), "-W", "20")
            subprocess.run([*line, *words], check=True, timeout=30, stdout=out)
    assert heard.read_text().count("\n") == count
    for name, file in (("recorded", heard), ("written", log)):
        where = ("--state", str(towns[name].state.path), "--keys", str(tmp_path / name / "keys"))
        config = ("--config", str(towns[name].config), "--json")
        code, printed, said = sekisho(
            tmp_path, "replay", str(file), "--format", "sekisho", *where, *config
        )
        assert code == 0, said
        assert json.loads(printed)["uplinks"] == count

    things, children = of_the_city(behind), of_children(behind)
    assert all(len(rows) > 10 for rows in things.values())
    assert sum(children.values()) > 3
    for name in ("recorded", "written"):
        assert of_the_city(towns[name]) == things
        assert of_children(towns[name]) == children


def settled(town: Town) -> int:
    """Uplinks of which the gateway knows what became."""
    said = next(ask(town.state, "terms", 10.0))
    return sum(term["count"] or 0 for term in said["terms"])
