"""Cassettes: what arrives, fit for a stranger, and the same rows every time it is replayed."""

import asyncio
import gzip
import json
import sqlite3
import time
from collections import Counter
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from gateway.canary.canaries import Canaries
from gateway.devices.catalog import catalog
from gateway.model.instant import parse_rfc3339
from gateway.statedir import StateDir
from sekisho.canary_fixture import look
from sekisho.enrolment import token_file_of
from simulators.ledger import roster_line
from simulators.scenario import Scenario
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.processes import Gateway, background, sekisho, until
from tests.e2e.sender import Sender
from tests.e2e.town import Town
from tests.fakes.sealed import opened

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

START = "2026-05-12T00:00:00+09:00"
PEOPLE = [name for name, kind in catalog().items() if kind.personal]
WEEK = Scenario(children=1, start=parse_rfc3339(START), harm=0.02)


Tables: TypeAlias = dict[str, list[tuple[Any, ...]]]


def secrets_of(ledger: Path) -> Canaries:
    """Everything about anybody that a simulator's ledger knows: homes, fixes sent and true, tags, names."""
    homes: list[tuple[float, float]] = []
    positions: set[tuple[float, float]] = set()
    tags: set[str] = set()
    words: set[str] = set()
    for line in map(json.loads, ledger.read_text().splitlines()):
        if "roster" in line:
            words |= {line["roster"], line["household"] or line["roster"]}
            homes += [tuple(line["home"])] if line["home"] else []
        for part in (line.get("values"), line.get("truth")):
            if (
                part and part.get("lat") is not None and part["lon"] < 180
            ):  # harm moves some off earth
                positions.add((part["lat"], part["lon"]))
        for read in (line.get("values") or {}).get("reads", ()):
            tags.add(read["epc"])
    ordered = sorted(positions)
    return Canaries(
        (*homes, *ordered[:: len(ordered) // 8]), tuple(sorted(tags)[:12]), tuple(sorted(words))
    )


def tables(state: Path) -> Tables:
    """Every row of every table of the city's file and of people, sorted."""
    found: Tables = {}
    with closing(sqlite3.connect(f"file:{state / 'city.db'}?mode=ro", uri=True)) as db:
        names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for name in names:
            rows = sorted(db.execute(f"SELECT * FROM {name}"), key=repr)  # noqa: S608
            found[f"city.db/{name}"] = rows
    for kind in PEOPLE:
        people = opened(StateDir.open(state), kind)
        found[f"personal/{kind}"] = sorted((tuple(row.values()) for row in people), key=repr)
    return found


def recorded_week(folder: Path) -> tuple[Path, Path, Town]:
    """A child's week in a town, recorded: the cassette, the ledger, the town."""
    town = Town(folder / "town")
    token_file_of(town.state.path).write_text(
        town.enrol([roster_line(device) for device in WEEK.fleet()])
    )
    cassette, ledger, state = (
        folder / "week.cassette.gz",
        folder / "truth.jsonl",
        str(town.state.path),
    )
    with (
        Gateway(town, "--clock", f"sim://{START}") as gateway,
        background(folder, "record", "record", str(cassette), "--state", state, "--json") as (
            process,
            said,
        ),
    ):
        until(lambda: list(folder.glob("week.cassette.gz.*.part")), "the recording")
        code, _, error = sekisho(
            *(
                folder,
                "simulate",
                "--follow",
                state,
                "--for",
                "7d",
                "--children",
                "1",
                "--pace",
                "0",
            ),
            *("--harm", "0.02", "--step", "15min", "--ledger", str(ledger)),
            patience_s=300,
        )
        assert code == 0, error
        process.send_signal(2)
        assert process.wait(20) == 0, said.read_text()
        assert gateway.stop() == 0
    return cassette, ledger, town


def test_a_childs_week_names_nobody_and_replays_to_the_same_rows(tmp_path: Path) -> None:
    """In the cassette of a simulated child's week the search finds no home, no fix (stored ones neither), no
    tag and no name; replayed into two directories, and twice into one of them, it gives the same rows: as
    many as the gateway that was recorded had of people and of each kind."""
    cassette, ledger, town = recorded_week(tmp_path)
    secrets = secrets_of(ledger)
    assert len(secrets.positions) > 8
    assert len(secrets.tags) == 12
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "week").write_bytes(gzip.decompress(cassette.read_bytes()))
    assert look(alone, secrets) == []
    one, two = (replayed(tmp_path, cassette, name) for name in ("one", "two"))
    assert one == two
    before = tables(town.state.path)
    assert counted(one) == counted(before)
    assert replayed(tmp_path, cassette, "one") == one


def replayed(folder: Path, cassette: Path, name: str) -> Tables:
    """What lies in a directory behind the replay of a cassette."""
    state = folder / name / "state"
    code, _, error = sekisho(folder, "replay", str(cassette), "--state", str(state), "--quiet")
    assert code == 0, error
    return tables(state)


def counted(some: Tables) -> Counter[str]:
    """Rows of each kind, over all files; what was refused is not in a cassette."""
    found: Counter[str] = Counter()
    for name, rows in some.items():
        found[name.split("/")[1]] += len(rows)
    del found["rejection"], found["refusals_per_day"]
    return +found


def test_where_people_are_real_a_cassette_has_the_city_alone(tmp_path: Path) -> None:
    """In a directory as in production a child's fixes are stored and not recorded, and the verb says so; a
    gateway that is killed leaves a cassette that is cut off, says so (exit 1), and can be replayed."""
    members = crowd(1, 1, 0, "real-")
    town = Town(tmp_path / "town", None)
    token = town.enrol(members)
    cassette, now = tmp_path / "cut.cassette", time.time_ns() // 1000
    words = ("record", str(cassette), "--state", str(town.state.path))
    with Gateway(town) as gateway, background(tmp_path, "record", *words) as (process, said):
        (part,) = until(lambda: list(tmp_path.glob("cut.cassette.*.part")), "the recording")
        sender = Sender("both", ("fleet", token), islice(uplinks(members, now - 120_000_000), 240))
        asyncio.run(sender.run(gateway.port))
        until(lambda: part.read_bytes().count(b'"sent"') == 120, "what was sent")
        gateway.kill()
        assert process.wait(20) == 1
    assert "nobody has agreed" in said.read_text()
    assert "The gateway has gone" in said.read_text()
    assert any("child_tracker" in name and rows for name, rows in tables(town.state.path).items())
    text = cassette.read_text()
    assert [word for word in ("child_tracker", "real-") if word in text] == []
    assert counted(replayed(tmp_path, cassette, "again")) == {"river_gauge": 120}
