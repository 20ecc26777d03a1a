"""What an acknowledgement means: the gateway is killed again and again under load."""

import asyncio
import time
from pathlib import Path
from random import Random

import pytest

from gateway.model.instant import HOUR, Instant, parse_rfc3339
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.judgement import judge
from tests.e2e.processes import Gateway
from tests.e2e.sender import Sender
from tests.e2e.town import Member, Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CLOCK = "2026-05-12T12:00:00+09:00"
KILLS, LEAST_RATE = 10, 5000
_CONNECTIONS = 8
_LOOK_S = 0.25


async def rate_now(senders: list[Sender]) -> float:
    """Acknowledged uplinks a second, over the next quarter of a second."""
    loop = asyncio.get_running_loop()
    begun, before = loop.time(), sum(s.acked for s in senders)
    await asyncio.sleep(_LOOK_S)
    return (sum(s.acked for s in senders) - before) / (loop.time() - begun)


async def at_full_speed(senders: list[Sender], running: list[asyncio.Task[None]]) -> float:
    """Wait until the rate is what the requirement asks for; the rate."""
    async with asyncio.timeout(20):
        while True:
            rate = await rate_now(senders)
            for task in running:
                assert not task.done() or task.result() is None, "a sender gave up"
            if rate >= LEAST_RATE:
                return rate


async def killed(
    town: Town, members: list[Member], now: Instant, kills: int, *words: str
) -> tuple[list[Sender], list[float]]:
    """Kill a gateway again and again at full speed, then stop it; who sent, and the rates before."""
    dice = Random(19)
    token = town.enrol(members)
    gateway = Gateway(town, *words)
    life = 0
    senders = [
        Sender(
            f"crowd-{n}",
            ("fleet", token),
            uplinks(members[n::_CONNECTIONS], now - 2 * HOUR),
            window=100 + 50 * n,
            life=lambda: life,
        )
        for n in range(_CONNECTIONS)
    ]
    rates = []
    with gateway:
        town.set_door(gateway.port)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(sender.run(gateway.port, 90)) for sender in senders]
            for _ in range(kills):
                rates.append(await at_full_speed(senders, running))
                await asyncio.sleep(dice.uniform(0, 0.3))
                gateway.kill()
                life += 1
                await asyncio.to_thread(gateway.start)
            await rate_now(senders)
            for sender in senders:
                sender.finish()
        assert await asyncio.to_thread(gateway.stop) == 0
    return senders, rates


def verdict(
    town: Town, members: list[Member], now: Instant, senders: list[Sender], rates: list[float]
) -> None:
    """Print the figures and assert that nothing is missing, too many or there twice."""
    found = judge(senders, members, town.state, now)
    in_flight = sum(s.sent - s.acked for sender in senders for s in sender.segments)
    print(f"{len(rates)} kills at {min(rates):,.0f} to {max(rates):,.0f} uplinks/s, {in_flight:,} in flight: {found}")  # fmt: skip
    assert found.missing == found.surplus == found.twice == 0
    assert found.acknowledged > len(rates) * LEAST_RATE * _LOOK_S
    assert found.suppressed > found.acknowledged / 20
    assert found.rows > found.acknowledged / 20
    assert in_flight > 0, "no kill met anything in flight"


async def test_ten_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Killed 10 times at random moments at 5,000 uplinks/s and more: what was acknowledged and the
    oracle says must be stored is stored, once; nothing else is."""
    members, town = crowd(children=96, gauges=56, readers=8), Town(tmp_path)
    now = parse_rfc3339(CLOCK)
    senders, rates = await killed(town, members, now, KILLS, "--clock", f"sim://{CLOCK}")
    verdict(town, members, now, senders, rates)


async def test_kills_in_production_lose_and_double_nothing(tmp_path: Path) -> None:
    """The same in a directory that is not marked, on the machine's own clock, 3 times."""
    members, town = crowd(children=96, gauges=56, readers=0), Town(tmp_path, mark=None)
    now = time.time_ns() // 1000
    senders, rates = await killed(town, members, now, 3)
    verdict(town, members, now, senders, rates)
