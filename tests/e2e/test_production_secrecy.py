"""A directory as in production tells nobody, on disk or live, whether a child was masked."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path

import pytest

from gateway.model.instant import DAY, HOUR, MINUTE, SECOND, Instant, parse_rfc3339, to_datetime
from gateway.wire.mqtt.packets import Ack
from sekisho.window import ask
from tests.e2e.caller import Caller
from tests.e2e.crowd import LAT_M, Uplink, crowd, uplinks
from tests.e2e.judgement import stored_rows
from tests.e2e.processes import Gateway, background, sekisho, until
from tests.e2e.sender import Sender
from tests.e2e.town import Member, Town, child, member

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HOME = (36.75, 137.55)
HOMEBODIES: list[Member] = [
    child("at-home", HOME),
    {**child("nobody-agreed", HOME), "household": "house-nobody", "consent": False},
    member("homeless", "child_tracker", household="house-homeless", consent=True),
]
CROWD = crowd(6, 4, 2)


def lately(now: Instant) -> Instant:
    """A moment some two hours ago, whose next half hour crosses no border of week or service day."""
    return (now - 2 * HOUR) // HOUR * HOUR + 5 * MINUTE


def suppressed(start: Instant) -> Iterator[Uplink]:
    """Uplinks of which nothing may be kept, for every reason there is."""
    for n in range(300):
        at = start + n * SECOND
        for device, metres in (
            ("at-home", n % 30),
            ("nobody-agreed", 900 + n),
            ("homeless", 900 + n),
        ):
            yield _fix(device, at, metres, n)
        yield _fix("at-home", at - 6 * DAY, 2000, 1000 + n)
        yield _fix("at-home", at - 8 * DAY, 2000, 2000 + n)
    for n in range(3000, 3100):
        yield _fix("at-home", start + n * SECOND, 300_000, n)


def _fix(device: str, at: Instant, metres: int, seq: int) -> Uplink:
    place = {"lat": HOME[0] + metres * LAT_M, "lon": HOME[1], "accuracy_m": 5}
    body = {"t": to_datetime(at).isoformat(), "seq": seq, **place}
    topic = b"sekisho/v1/%b/up" % device.encode()
    return Uplink(device, "child_tracker", topic, json.dumps(body).encode())


async def send(town: Town, token: str, uplinks_: Iterator[Uplink]) -> None:
    """Start a gateway, hand everything over, stop it."""
    with Gateway(town) as gateway:
        sender = Sender("all", ("fleet", token), uplinks_, window=300)
        await sender.run(gateway.port)
        assert await asyncio.to_thread(gateway.stop) == 0


def files(town: Town) -> dict[str, bytes]:
    """Every file of state and keys, but the lock with its process number, and the time at which the clock
    was trusted last: two gateways stop at two times, and that is all it says.
    """
    return {
        str(path.relative_to(town.folder)): path.read_bytes()
        for part in ("state", "keys")
        for path in sorted((town.folder / part).rglob("*"))
        if path.is_file() and path.name not in {"lock", "clock.json"}
    }


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Table → all rows of a file, without when they were received."""
    found = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        for table in tables:
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(name for name in columns if name != "received_at")
            found[table] = sorted(db.execute(f"SELECT {kept} FROM {table}"), key=repr)  # noqa: S608
    return found


def remembered(town: Town) -> list[str]:
    """What `clock.json` says, but for the time."""
    card = json.loads(town.state.clock_file.read_bytes())
    parse_rfc3339(card["trusted_at"])
    return list(card)


@pytest.mark.channel("C9")
async def test_only_suppressed_uplinks_change_no_byte(tmp_path: Path) -> None:
    """A gateway that was handed nothing but 1,600 uplinks to be suppressed leaves the same files with
    the same bytes, keys included, as one that was handed nothing."""
    start = lately(time.time_ns() // 1000)
    town = Town(tmp_path / "one", mark=None)
    token = town.enrol([*CROWD, *HOMEBODIES])
    await send(town, token, islice(uplinks(CROWD, start), 1000))
    other = town.twin(tmp_path / "other")
    await send(town, token, suppressed(start))
    await send(other, token, iter(()))
    assert remembered(town) == remembered(other) == ["trusted_at"]
    one, two = files(town), files(other)
    assert sorted(one) == sorted(two)
    assert [name for name in one if one[name] != two[name]] == []


@pytest.mark.channel("C6", "C7")
async def test_rows_are_the_same_with_and_without_suppressed_uplinks(tmp_path: Path) -> None:
    """Two twins get the same ordinary uplinks, one of them with others between that are suppressed:
    same files, same keys, same rows down to each identity and pseudonym."""
    start = lately(time.time_ns() // 1000)
    town = Town(tmp_path / "one", mark=None)
    token = town.enrol([*CROWD, *HOMEBODIES])
    ordinary = list(islice(uplinks(CROWD, start), 4000))
    await send(town, token, iter(ordinary[:1000]))
    other = town.twin(tmp_path / "other")

    def among() -> Iterator[Uplink]:
        more = suppressed(start)
        for uplink in ordinary[1000:]:
            yield uplink
            yield from islice(more, 1)

    await send(town, token, among())
    await send(other, token, iter(ordinary[1000:]))
    one, two = files(town), files(other)
    assert sorted(one) == sorted(two)
    differing = {name for name in one if one[name] != two[name]}
    assert all(name.endswith(".db") for name in differing)
    for name in (name for name in one if name.endswith(".db")):
        assert rows(town.folder / name) == rows(other.folder / name), name
    assert any("child_tracker" in rows(town.folder / n) for n in one if "personal/" in n)


@pytest.mark.channel("C26")
async def test_nobody_who_looks_in_learns_what_was_masked(tmp_path: Path) -> None:
    """Control socket, tail and log of an unmarked directory: of personal kinds only that they were
    heard, no row, no count of heard, suppressed, stored or in flight; `query` asks for a reason."""
    start = lately(time.time_ns() // 1000)
    town = Town(tmp_path, mark=None)
    token = town.enrol([*CROWD, *HOMEBODIES])
    ordinary = list(islice(uplinks(CROWD, start), 2000))
    with (
        Gateway(town) as gateway,
        background(tmp_path, "tail", "tail", "--json", "--state", str(town.state.path)) as (
            _,
            seen,
        ),
    ):
        first = Sender("first", ("fleet", token), iter(ordinary[:200]))
        again = count()
        gauge = next(m for m in CROWD if m["kind"] == "river_gauge")
        await first.run(gateway.port)

        deadline = time.monotonic() + 20
        while b"river_gauge" not in seen.read_bytes():  # until the viewer is in
            assert time.monotonic() < deadline
            late = islice(uplinks([gauge], start - DAY + next(again) * MINUTE), 1)
            await Sender("late", ("fleet", token), late).run(gateway.port)
        rest = Sender("rest", ("fleet", token), iter([*ordinary[200:], *suppressed(start)]))
        await rest.run(gateway.port)
        (answer,) = ask(town.state, "terms")
        last = json.dumps(json.loads(ordinary[-1].payload)["seq"])
        until(lambda: last in seen.read_text(), "the last rows in tail")
        assert await asyncio.to_thread(gateway.stop) == 0
    shown = [json.loads(line) for line in seen.read_text().splitlines() if line.startswith("{")]
    assert {row["kind"] for row in shown} == {"river_gauge"}
    personal = [term for term in answer["terms"] if term["kind"] != "river_gauge"]
    assert {(term["fate"], term["reason"], term["count"]) for term in personal} == {
        ("heard", "", None)
    }
    assert answer["in_flight"] is None
    assert "suppress" not in json.dumps(answer) + gateway.said().lower()
    code, out, err = sekisho(tmp_path, "query", "child", "--state", str(town.state.path))
    assert code != 0
    assert "--personal" in err
    assert out == ""


@pytest.mark.channel("C36")
async def test_every_outcome_of_the_mask_is_acknowledged_alike(tmp_path: Path) -> None:
    """Inside the circle, far away, at (0, 0), outside the area, without a fix, late, twice, without
    consent or home: each PUBACK says success and nothing more."""
    start = lately(time.time_ns() // 1000)
    town = Town(tmp_path, mark=None)
    token = town.enrol(HOMEBODIES)
    told = [
        *(_fix("at-home", start + n * MINUTE, 2000 + 300 * n, n) for n in range(6)),
        _fix("at-home", start + 5 * MINUTE, 3500, 5),
        _fix("at-home", start + 6 * MINUTE, 10, 6),
        _fix("at-home", start - 8 * DAY, 5000, 7),
        _fix("at-home", start + 7 * MINUTE, 300_000, 8),
        _fix("nobody-agreed", start, 5000, 1),
        _fix("homeless", start, 5000, 1),
    ]
    more = {"t": to_datetime(start + 8 * MINUTE).isoformat(), "seq": 9}
    bodies = [json.dumps({**more, **fix}).encode() for fix in ({}, {"lat": 0.0, "lon": 0.0})]
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "fleet", token)
        for uplink in told:
            assert await caller.publish(uplink.device, uplink.payload) == 0
        for body in bodies:
            assert await caller.publish("at-home", body) == 0
        acks = [packet for packet in caller.heard if isinstance(packet, Ack)]
        assert len(acks) == len(told) + len(bodies)
        await caller.leave()
        assert await asyncio.to_thread(gateway.stop) == 0
    stored = [row for row in stored_rows(town.state) if row[0] == "child_tracker"]
    assert len(stored) == 3  # of the first six, three open the circle


async def test_others_on_the_machine_may_open_nothing(tmp_path: Path) -> None:
    """While a gateway runs, no file or folder of state and keys is open to other users; personal rows,
    registry, control socket and keys are their owner's alone."""
    town = Town(tmp_path, mark=None)
    token = town.enrol(CROWD)
    start = lately(time.time_ns() // 1000)
    with Gateway(town) as gateway:
        await Sender("all", ("fleet", token), islice(uplinks(CROWD, start), 600)).run(gateway.port)
        modes = {
            path: path.stat().st_mode & 0o777
            for part in (town.state.path, town.keys.path)
            for path in (part, *part.rglob("*"))
        }
        assert await asyncio.to_thread(gateway.stop) == 0
    assert town.state.socket in modes
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o007} == {}
    owners = (town.state.personal_dir, town.state.socket, town.state.registry_db, town.keys.path)
    private = [path for path in modes if any(path.is_relative_to(owner) for owner in owners)]
    assert len(private) > 8
    assert {path: oct(modes[path]) for path in private if modes[path] & 0o070} == {}
