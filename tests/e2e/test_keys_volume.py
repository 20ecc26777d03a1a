"""Keys on a volume that goes away: a running gateway waits for them, one that starts says what is lost."""

import asyncio
from itertools import islice
from pathlib import Path

import pytest

from gateway.model.instant import HOUR, parse_rfc3339
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.judgement import judge
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.sender import Sender
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CLOCK = "2026-05-12T12:00:00+09:00"
NOW = parse_rfc3339(CLOCK)


async def test_nothing_is_acknowledged_or_lost_while_the_keys_are_away(tmp_path: Path) -> None:
    """Away before the first row: the log says so without a place, acknowledgements stop, and when the
    keys are back everything is stored, once, and suppressed exactly as it would have been."""
    town = Town(tmp_path)
    members = crowd(6, 4, 2)
    token = town.enrol(members)
    here, away = town.keys.path / "files", town.keys.path / "away"
    sender = Sender("crowd", ("fleet", token), islice(uplinks(members, NOW - HOUR), 3000))
    with Gateway(town, "--clock", f"sim://{CLOCK}") as gateway:
        here.rename(away)
        running = asyncio.create_task(sender.run(gateway.port))
        said = "keys unavailable"
        await asyncio.to_thread(until, lambda: said in gateway.log.read_text(), said)
        acknowledged = sender.acked
        await asyncio.sleep(1.5)
        assert sender.acked == acknowledged < 3000
        lines = [line for line in gateway.log.read_text().splitlines() if said in line]
        assert not any(str(town.keys.path) in line or "store-" in line for line in lines)
        away.rename(here)
        await running
        assert await asyncio.to_thread(gateway.stop) == 0
    found = judge([sender], members, town.state, NOW)
    assert found.acknowledged == 3000
    assert found.missing == found.surplus == found.twice == 0


async def test_a_start_without_the_key_of_a_file_is_refused(tmp_path: Path) -> None:
    """In a sentence with both ways out; with the key back it starts."""
    town = Town(tmp_path)
    members = crowd(2, 2, 0)
    token = town.enrol(members)
    sender = Sender("crowd", ("fleet", token), islice(uplinks(members, NOW - HOUR), 400))
    with Gateway(town, "--clock", f"sim://{CLOCK}") as gateway:
        await sender.run(gateway.port)
        assert await asyncio.to_thread(gateway.stop) == 0
    (key,) = (town.keys.path / "files").iterdir()
    key.rename(tmp_path / "copy.key")

    words = ("run", "--config", str(town.config), "--clock", f"sim://{CLOCK}")
    code, _, said = await asyncio.to_thread(sekisho, tmp_path, *words)
    assert code == 1
    assert f"The key of {key.stem}.db is not in" in said
    assert "Traceback" not in said
    assert list(key.parent.iterdir()) == []

    (tmp_path / "copy.key").rename(key)
    with Gateway(town, "--clock", f"sim://{CLOCK}") as gateway:
        assert await asyncio.to_thread(gateway.stop) == 0
