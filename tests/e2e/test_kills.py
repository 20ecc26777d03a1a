"""What an acknowledgement means: the gateway is killed again and again under load."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.model.instant import HOUR, Instant, parse_rfc3339
from tests.e2e.companions import Aio, Companion, Mosquitto, Npm, Paho
from tests.e2e.conforming_client import ConformingClient
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.judgement import judge, stored_rows
from tests.e2e.ports import free_port
from tests.e2e.processes import Gateway
from tests.e2e.sender import Sender
from tests.e2e.town import Member, Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CLOCK = "2026-05-12T12:00:00+09:00"
KILLS, LEAST_RATE = 20, 5000
_CONNECTIONS = 8
_LOOK_S = 0.25
_COMMON: list[tuple[Any, int, int]] = [
    (Mosquitto, 1, 5), (Mosquitto, 2, 5), (Paho, 1, 5), (Paho, 2, 4), (Aio, 1, 5), (Aio, 2, 5),
    (Npm, 1, 4), (Npm, 2, 5),
]  # fmt: skip
"""Client, QoS, version."""


async def rate_now(senders: list[Sender]) -> float:
    """Acknowledged uplinks a second, over the next quarter of a second."""
    loop = asyncio.get_running_loop()
    begun, before = loop.time(), sum(s.acked for s in senders)
    await asyncio.sleep(_LOOK_S)
    return (sum(s.acked for s in senders) - before) / (loop.time() - begun)


async def at_full_speed(senders: list[Sender], running: list[asyncio.Task[None]]) -> float:
    """Wait until the rate is what the requirement asks for; the rate."""
    async with asyncio.timeout(60):
        while True:
            rate = await rate_now(senders)
            for task in running:
                assert not task.done() or task.result() is None, "a sender gave up"
            if rate >= LEAST_RATE:
                return rate


async def killed(
    town: Town,
    members: list[Member],
    now: Instant,
    kills: int,
    *words: str,
    beside: Callable[[tuple[str, str]], list[Companion]] = lambda _credential: [],
) -> tuple[list[Sender], list[float], list[Companion]]:
    """Kill a gateway again and again at full speed, then stop it.

    Args:
        beside: makes further clients.

    Returns:
        who sent, at QoS 1 and 2 in turns; the rates before each kill; the further clients.
    """
    dice = Random(19)
    token = town.enrol(members)
    companions = beside(("fleet", token))
    flood = [member for member in members if not member["roster"].startswith("beside-")]
    gateway = Gateway(town, *words)
    life = 0
    senders = [
        Sender(
            f"crowd-{n}",
            ("fleet", token),
            uplinks(flood[n::_CONNECTIONS], now - 2 * HOUR),
            window=100 + 50 * n,
            life=lambda: life,
            qos=1 + n % 2,
        )
        for n in range(_CONNECTIONS)
    ]
    rates = []
    town.set_door(free_port())
    with gateway:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(sender.run(gateway.port, 150)) for sender in senders]
            running += [group.create_task(other.run(gateway.port)) for other in companions]
            for _ in range(kills):
                rates.append(await at_full_speed(senders, running))
                await asyncio.sleep(dice.uniform(0, 0.3))
                gateway.kill()
                life += 1
                await asyncio.to_thread(gateway.start)
            await rate_now(senders)
            ending: list[Sender | Companion] = [*senders, *companions]
            for sender in ending:
                sender.finish()
        assert await asyncio.to_thread(gateway.stop) == 0
    return senders, rates, companions


def verdict(
    town: Town,
    members: list[Member],
    now: Instant,
    senders: list[Sender],
    rates: list[float],
    apart: Collection[str] = (),
) -> None:
    """Print the figures and assert that nothing is missing, too many or there twice."""
    found = judge(senders, members, town.state, now, apart)
    in_flight = sum(s.sent - s.acked for sender in senders for s in sender.segments)
    print(f"{len(rates)} kills at {min(rates):,.0f} to {max(rates):,.0f} uplinks/s, {in_flight:,} in flight: {found}")  # fmt: skip
    assert found.missing == found.surplus == found.twice == 0
    assert found.acknowledged > len(rates) * LEAST_RATE * _LOOK_S
    assert found.suppressed > found.acknowledged / 20
    assert found.rows > found.acknowledged / 20
    assert in_flight > 0, "no kill met anything in flight"


def companions(gauges: list[Member], now: Instant, credential: tuple[str, str]) -> list[Companion]:
    """Every common client at QoS 1 and 2, over both versions, and one that obeys MQTT 5; a gauge each."""
    ways = [uplinks([member], now - 2 * HOUR) for member in gauges]
    common = [
        made(credential, way, qos, version)
        for (made, qos, version), way in zip(_COMMON, ways, strict=False)
    ]
    obedient = [
        ConformingClient(f"obedient-{qos}", credential, way, qos)
        for qos, way in zip((1, 2), ways[len(_COMMON) :], strict=True)
    ]
    return [*common, *obedient]


@pytest.mark.needs("mosquitto_pub", "npm")
async def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Killed 20 times at random moments at 5,000 uplinks/s and more, at QoS 1 and 2: what was acknowledged
    and the oracle says must be stored is stored, once; nothing else is. Beside the flood mosquitto_pub,
    paho-mqtt, aiomqtt, npm mqtt and a client that obeys MQTT 5 send a gauge's readings each: all that any
    of them was given is stored in the end, once, and the obedient one never had to throw anything away."""
    flood = crowd(children=96, gauges=56, readers=8)
    gauges = [gauge(f"beside-{n}") for n in range(len(_COMMON) + 2)]
    town, now = Town(tmp_path), parse_rfc3339(CLOCK)
    senders, rates, others = await killed(
        *(town, flood + gauges, now, KILLS, "--clock", f"sim://{CLOCK}"),
        beside=lambda credential: companions(gauges, now, credential),
    )
    names = {member["roster"] for member in gauges}
    verdict(town, flood, now, senders, rates, names)

    stored = Counter(row[2] for row in stored_rows(town.state) if row[2] in names)
    handed = {member["roster"]: len(other.handed) for member, other in zip(gauges, others, strict=True)}  # fmt: skip
    print(f"beside: {handed}")
    assert stored == handed
    assert min(handed.values()) > 5
    obedient = [other for other in others if isinstance(other, ConformingClient)]
    for client in obedient:
        assert client.discarded == []
        assert client.present == [False, *[True] * (len(client.present) - 1)]
        assert len(client.present) > KILLS


async def test_kills_in_production_lose_and_double_nothing(tmp_path: Path) -> None:
    """The same in a directory that is not marked, on the machine's own clock, 3 times."""
    members, town = crowd(children=96, gauges=56, readers=0), Town(tmp_path, mark=None)
    now = time.time_ns() // 1000
    senders, rates, _ = await killed(town, members, now, 3)
    verdict(town, members, now, senders, rates)
