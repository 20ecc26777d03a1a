"""A network server posts to a running gateway: what was answered with 204 is on disk, whatever happens next."""

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
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

_DOOR = """\
  - kind: http_push
    name: push
    port: 0
"""


def up(eui: str, f_cnt: int) -> dict[str, Any]:
    """ChirpStack's event of a gauge that reads 2.41 m: 0 = distance, 2410 mm, no thermometer, 3.6 V."""
    data = base64.b64encode(bytes.fromhex("00 096a 8000 b4 00")).decode()
    return {
        "time": to_rfc3339(SystemClock().now() - 2_000_000),
        "deviceInfo": {"devEui": eui},
        "devAddr": "00189440",
        "fCnt": f_cnt,
        "fPort": 4,
        "data": data,
        "rxInfo": [
            {"gatewayId": "0016c001f153a14c", "rssi": -97, "snr": 7.5},
            {"gatewayId": "0016c001f153a14d", "rssi": -118},
        ],
    }


def stages(town: Town) -> list[tuple[str, float, str]]:
    """Device, stage and whose clock, of every row on disk."""
    with sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True) as db:
        return db.execute(
            "SELECT device, stage_m, clock FROM river_gauge ORDER BY device, observed_at"
        ).fetchall()


async def test_what_was_answered_is_on_disk_after_a_kill(tmp_path: Path) -> None:
    """204 means what a PUBACK means; a second copy of an event is no second row."""
    town = Town(tmp_path)
    members = [gauge("river-1"), gauge("river-2")]
    for n, one in enumerate(members, 1):
        one["attributes"] = {**one["attributes"], "dev_eui": f"00000000000000{n:02x}"}
    token = town.enrol(members)
    text = town.config.read_text()
    town.config.write_text(text.replace("privacy:", f"{_DOOR}privacy:"))
    with Gateway(town) as gateway:
        door = json.loads(town.state.run_file.read_text())["doors"]["push"]
        url = f"http://127.0.0.1:{door['port']}/push/chirpstack_v4?event=up"
        headers = {"Authorization": f"Bearer fleet:{token}"}
        events = [up("0000000000000001", n) for n in range(20)] + [up("0000000000000002", 7)]
        async with aiohttp.ClientSession(headers=headers) as session:

            async def push(event: dict[str, Any]) -> int:
                async with session.post(url, json=event) as answer:
                    return answer.status

            assert set(await asyncio.gather(*map(push, events))) == {204}
            late = to_rfc3339(SystemClock().now())  # another forwarder's copy, merged too late
            assert await push({**events[0], "time": late}) == 204
            said = await asyncio.to_thread(
                sekisho, tmp_path, "doctor", "river-1", "--config", str(town.config)
            )
            assert "by 2 forwarders, best -97 dBm at 7.5 dB" in said[1], said
        gateway.kill()
    found = stages(town)
    assert len(found) == 21
    assert {row[1:] for row in found} == {(1.79, "network")}


def test_a_start_says_what_crosses_the_network_in_plain(tmp_path: Path) -> None:
    """`run` warns of a password that a broker elsewhere gets without TLS, and goes on; the password is not in it."""
    town = Town(tmp_path)
    password = tmp_path / "broker.password"
    password.write_text("a-secret\n")
    password.chmod(0o600)
    broker = f"""\
  - kind: mqtt_client
    name: city
    url: mqtt://broker.invalid
    user: us
    password_file: {password}
    subscriptions: [{{topic: up, format: flat_json}}]
"""
    town.config.write_text(town.config.read_text().replace("privacy:", f"{broker}privacy:"))
    with Gateway(town) as gateway:
        assert gateway.stop() == 0

    assert (
        "broker city: whoever listens on the way to mqtt://broker.invalid:1883 reads our password"
        in gateway.said()
    )
    assert "a-secret" not in gateway.said()
