"""Vendors' codecs in a running gateway: what they make is stored, and who costs too much is stopped and named."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import aiohttp
import pytest

from gateway.scripts.conduct import STRIKES
from tests.e2e.brokers import Mosquitto, publish
from tests.e2e.crowd import Uplink
from tests.e2e.processes import Gateway, until
from tests.e2e.scripted import GOOD, HOSTILE, ScriptedTown
from tests.e2e.sender import Sender

pytestmark = pytest.mark.e2e

_BROKER = """\
  - kind: mqtt_client
    name: city
    url: mqtt://127.0.0.1:{port}
    subscriptions:
      - {{topic: application/+/device/+/event/+, format: chirpstack_v4}}
"""
_TICKS = os.sysconf("SC_CLK_TCK")
_DOOR = """\
  - kind: http_push
    name: push
    port: 0
"""


HANGING = "function Decoder() { throw {toString() { for (;;) ; }} }"
"""The engine has no limit of time for the words of an error."""


async def test_hostile_codecs_are_stopped_by_name_and_hold_nobody_up(tmp_path: Path) -> None:
    """Three of them, all the time; every uplink of another codec is stored, before theirs are through."""
    scripted = ScriptedTown(tmp_path, {"good": GOOD, **HOSTILE}, _DOOR)
    with Gateway(scripted.town) as gateway:
        url = push_url(scripted)
        async with session_of(scripted) as session:

            async def push(name: str, f_cnt: int) -> int:
                async with session.post(url, json=scripted.up(name, f_cnt)) as answer:
                    return answer.status

            assert await push("good", 0) == 204
            theirs = [asyncio.create_task(push(name, n)) for n in range(5) for name in HOSTILE]
            ours = [await push("good", n) for n in range(1, 21)]
            assert not all(task.done() for task in theirs)
            assert set(ours) == {204}
            assert set(await asyncio.gather(*theirs)) == {422}
        gateway.process.terminate()
        assert gateway.process.wait(60) == 0
    said = gateway.log.read_text()
    for name in HOSTILE:
        assert f"{name}.js was stopped" in said
    assert distances(scripted) == [("good", 2.41)] * 21


@pytest.mark.needs("mosquitto")
def test_hostile_codecs_hold_nobody_up_on_one_broker_connection(tmp_path: Path) -> None:
    """Theirs came first; every uplink of another codec is on disk before the last of them is suspended."""
    hostile = {f"{name}-{n}": text for n in range(4) for name, text in HOSTILE.items()}
    with Mosquitto(tmp_path / "broker", "set_tcp_nodelay true") as broker:
        door = _BROKER.format(port=broker.port)
        scripted = ScriptedTown(tmp_path / "town", {"good": GOOD, **hostile}, door)

        def send(name: str, f_cnts: range) -> None:
            topic = f"application/1/device/{scripted.eui(name)}/event/up"
            publish(broker.port, [(topic, json.dumps(scripted.up(name, n))) for n in f_cnts])

        with Gateway(scripted.town) as gateway:
            until(lambda: "Connected to broker" in gateway.said(), "the subscription")
            send("good", range(1))
            until(lambda: len(distances(scripted)) == 1, "a codec that has shown itself good")
            for name in hostile:
                send(name, range(STRIKES))
            send("good", range(1, 21))
            until(lambda: len(distances(scripted)) == 21, "all rows")
            assert not all(f"{name}.js was stopped {STRIKES} times" in gateway.said() for name in hostile)  # fmt: skip
            for name in hostile:
                until(lambda: f"{name}.js was stopped {STRIKES} times" in gateway.said(), name)  # noqa: B023


async def test_hostile_codecs_hold_nobody_up_on_one_connection_to_our_own_door(
    tmp_path: Path,
) -> None:
    """A network server publishes at the devices' own door, theirs first: every uplink of another codec is on
    disk before the last of them is suspended, and all are acknowledged in the order in which they came."""
    hostile = {f"{name}-{n}": text for n in range(4) for name, text in HOSTILE.items()}
    door = "    server_topics: [{topic: application/+/device/+/event/+, format: chirpstack_v4}]\n"
    scripted = ScriptedTown(tmp_path, {"good": GOOD, **hostile}, door)

    def uplinks(name: str, f_cnts: range) -> Iterator[Uplink]:
        topic = f"application/1/device/{scripted.eui(name)}/event/up".encode()
        for n in f_cnts:
            yield Uplink(name, "river_gauge", topic, json.dumps(scripted.up(name, n)).encode())

    with Gateway(scripted.town) as gateway:
        server = ("fleet", scripted.token)
        await Sender("server", server, uplinks("good", range(1))).run(gateway.port)
        assert len(distances(scripted)) == 1
        theirs = chain.from_iterable(uplinks(name, range(STRIKES)) for name in hostile)
        sender = Sender("server", server, chain(theirs, uplinks("good", range(1, 21))))
        sending = asyncio.create_task(sender.run(gateway.port))
        await asyncio.to_thread(until, lambda: len(distances(scripted)) == 21, "all rows")
        early = gateway.said()
        await sending
        assert await asyncio.to_thread(gateway.stop) == 0

    assert not all(f"{name}.js was stopped {STRIKES} times" in early for name in hostile)
    assert sender.acked == STRIKES * len(hostile) + 20
    assert distances(scripted) == [("good", 2.41)] * 21


async def test_a_worker_that_hangs_does_not_outlive_its_gateway(tmp_path: Path) -> None:
    """Killed while a script holds the engine; nobody is left to end it by the clock."""
    scripted = ScriptedTown(tmp_path, {"hanging": HANGING}, _DOOR)
    with Gateway(scripted.town) as gateway:
        async with session_of(scripted) as session:
            post = asyncio.create_task(
                session.post(push_url(scripted), json=scripted.up("hanging", 1))
            )
            workers = await asyncio.to_thread(until, lambda: busy(gateway.process.pid), "the hang")
            gateway.kill()
            post.cancel()
    until(lambda: not any(map(alive, workers)), "the end of the workers")


def distances(scripted: ScriptedTown) -> list[tuple[str, float]]:
    """Device and distance of every row on disk."""
    with sqlite3.connect(f"file:{scripted.town.state.city_db}?mode=ro", uri=True) as db:
        return db.execute("SELECT device, distance_m FROM river_gauge").fetchall()


def push_url(scripted: ScriptedTown) -> str:
    door = json.loads(scripted.town.state.run_file.read_text())["doors"]["push"]
    return f"http://127.0.0.1:{door['port']}/push/chirpstack_v4?event=up"


def session_of(scripted: ScriptedTown) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer fleet:{scripted.token}"})


def busy(gateway: int) -> list[int]:
    """The gateway's workers, once one of them has used more CPU time than any script may."""
    children = Path(f"/proc/{gateway}/task/{gateway}/children").read_text().split()
    ticks = [int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11]) for pid in children]  # fmt: skip
    return [int(pid) for pid in children] if max(ticks, default=0) > 0.5 * _TICKS else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
