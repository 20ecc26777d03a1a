"""The last trusted time, from one start of the gateway to the next."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.app.trusted_time import last_trusted, remember
from gateway.clock import kernel_synchronised
from gateway.model.instant import DAY, MINUTE
from tests.e2e.processes import Gateway
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def started_and_stopped(town: Town, *words: str) -> None:
    with Gateway(town, *words) as gateway:
        assert await asyncio.to_thread(gateway.stop) == 0


async def test_a_word_for_the_clock_is_given_once_and_remembered(tmp_path: Path) -> None:
    """A clock that lies a month behind the remembered time stays doubted through restarts, unless the
    kernel vouches for it; `--clock-is-right` confirms it, and the next start needs no word."""
    town = Town(tmp_path, mark=None)
    now = time.time_ns() // 1000
    remember(town.state, now + 30 * DAY)
    if not kernel_synchronised():
        before = town.state.clock_file.read_bytes()
        for _ in range(2):
            await started_and_stopped(town)
        assert town.state.clock_file.read_bytes() == before
    await started_and_stopped(town, "--clock-is-right")
    last = last_trusted(town.state)
    assert last is not None
    assert now - MINUTE <= last <= now + 5 * MINUTE
    log = tmp_path / "gateway.log"
    doubts = log.read_text().count("clock jumped")  # of the starts before
    await started_and_stopped(town)
    assert log.read_text().count("clock jumped") == doubts


async def test_simulated_time_is_not_remembered(tmp_path: Path) -> None:
    """It may begin anywhere, any number of times."""
    town = Town(tmp_path)
    await started_and_stopped(town, "--clock", "sim://2026-05-12T07:00:00+09:00")
    assert not town.state.clock_file.exists()
