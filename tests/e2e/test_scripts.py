"""Vendors' codecs in a running gateway: what they make is stored, and who costs too much is stopped and named."""

import asyncio
import json
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.processes import Gateway
from tests.e2e.scripted import GOOD, HOSTILE, ScriptedTown

pytestmark = pytest.mark.e2e

_DOOR = """\
  - kind: http_push
    name: push
    port: 0
"""


async def test_hostile_codecs_are_stopped_by_name_and_hold_nobody_up(tmp_path: Path) -> None:
    """Three of them, all the time; every uplink of another codec is stored, before theirs are through."""
    scripted = ScriptedTown(tmp_path, {"good": GOOD, **HOSTILE}, _DOOR)
    with Gateway(scripted.town) as gateway:
        door = json.loads(scripted.town.state.run_file.read_text())["doors"]["push"]
        url = f"http://127.0.0.1:{door['port']}/push/chirpstack_v4?event=up"
        headers = {"Authorization": f"Bearer fleet:{scripted.token}"}
        async with aiohttp.ClientSession(headers=headers) as session:

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
        assert gateway.process.wait(20) == 0
    said = gateway.log.read_text()
    for name in HOSTILE:
        assert f"{name}.js was stopped" in said
    with sqlite3.connect(f"file:{scripted.town.state.city_db}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT device, distance_m FROM river_gauge").fetchall()
    assert rows == [("good", 2.41)] * 21
