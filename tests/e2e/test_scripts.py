"""Vendors' codecs in a running gateway: what they make is stored, and who costs too much is stopped and named."""

import asyncio
import base64
import json
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.clock import SystemClock
from gateway.model.instant import to_rfc3339
from tests.e2e.processes import Gateway
from tests.e2e.town import Town, gauge

pytestmark = pytest.mark.e2e

_DOOR = """\
  - kind: http_push
    name: push
    port: 0
"""
CODECS = {
    "good": "function decodeUplink(i) { return {data: {mm: i.bytes[0] * 256 + i.bytes[1]}} }",
    "endless": "function decodeUplink(i) { for (;;) ; }",
    "greedy": "function decodeUplink(i) { const a = []; for (;;) a.push('x'.repeat(99) + a.length) }",
    "regex": "function Decoder(b) { return {mm: /^(a+)+$/.test('a'.repeat(40) + 'b')} }",
}
HOSTILE = ("endless", "greedy", "regex")
_MAPPING = """\
name: {name}
kind: river_gauge
script: {name}.js
fields:
  distance_m: {{from: mm, scale: 0.001}}
"""


def scripted_town(folder: Path) -> tuple[Town, str]:
    """A gauge for each codec, behind a door for posts; and their token."""
    town = Town(folder)
    members = []
    for number, name in enumerate(CODECS):
        member = gauge(name)
        member["attributes"] = {**member["attributes"], "dev_eui": eui(number), "codec": name}
        members.append(member)
    token = town.enrol(members)
    town.config.write_text(town.config.read_text().replace("privacy:", f"{_DOOR}privacy:"))
    codecs = town.config.parent / "codecs"
    codecs.mkdir()
    for name, text in CODECS.items():
        (codecs / f"{name}.js").write_text(text)
        (codecs / f"{name}.yaml").write_text(_MAPPING.format(name=name))
    return town, token


def eui(number: int) -> str:
    return f"{number:016x}"


def up(name: str, f_cnt: int) -> dict[str, Any]:
    """ChirpStack's event of a box that sends 2410 mm in two bytes."""
    return {
        "time": to_rfc3339(SystemClock().now()),
        "deviceInfo": {"devEui": eui(list(CODECS).index(name))},
        "fCnt": f_cnt,
        "fPort": 2,
        "data": base64.b64encode(bytes.fromhex("096a")).decode(),
    }


async def test_hostile_codecs_are_stopped_by_name_and_hold_nobody_up(tmp_path: Path) -> None:
    """Three of them, all the time; every uplink of another codec is stored, before theirs are through."""
    town, token = scripted_town(tmp_path)
    with Gateway(town) as gateway:
        door = json.loads(town.state.run_file.read_text())["doors"]["push"]
        url = f"http://127.0.0.1:{door['port']}/push/chirpstack_v4?event=up"
        headers = {"Authorization": f"Bearer fleet:{token}"}
        async with aiohttp.ClientSession(headers=headers) as session:

            async def push(name: str, f_cnt: int) -> int:
                async with session.post(url, json=up(name, f_cnt)) as answer:
                    return answer.status

            assert await push("good", 0) == 204
            theirs = [asyncio.create_task(push(name, n)) for n in range(5) for name in HOSTILE]
            ours = [await push("good", n) for n in range(1, 21)]
            assert not all(task.done() for task in theirs)
            assert set(ours) == {204}
            assert set(await asyncio.gather(*theirs)) == {422}
        gateway.process.terminate()
        assert gateway.process.wait(20) == 0
    said = gateway.log.read_text()
    for name in HOSTILE:
        assert f"{name}.js was stopped" in said
    with sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT device, distance_m FROM river_gauge").fetchall()
    assert rows == [("good", 2.41)] * 21
