"""Where one file is on disk and the next is not: a kill at each seam costs and doubles nothing."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path

import pytest

from gateway.model.instant import HOUR, MINUTE, Instant, parse_rfc3339
from tests.e2e.crashing_gateway import SEAMS
from tests.e2e.crowd import Uplink, crowd, uplinks
from tests.e2e.judgement import judge, stored_rows
from tests.e2e.ports import free_port
from tests.e2e.processes import SEKISHO, Gateway
from tests.e2e.sender import Sender
from tests.e2e.town import Member, Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MONDAY = "2026-05-11T02:00:00+09:00"
"""The gateway's clock: two hours into an ISO week."""

ROUNDS = 150
HALVES = 2

Crowd = tuple[list[Member], Instant]
"""Devices, and when the first of their uplinks was."""


def both(half: int, *crowds: Crowd) -> Iterator[Uplink]:
    """All uplinks of every other device of each crowd, the crowds in turn: any batch of two has both weeks."""
    mine = [(members[half::HALVES], start) for members, start in crowds]
    told = (islice(uplinks(some, start), ROUNDS * len(some)) for some, start in mine)
    return (one for turn in zip_longest(*told) for one in turn if one is not None)


@pytest.mark.parametrize("seam", SEAMS)
async def test_a_kill_at_a_seam_loses_and_doubles_nothing(tmp_path: Path, seam: str) -> None:
    """Killed between two files, inside a transaction, before the acknowledgement or while a file comes
    into being, with batches of two weeks and the city: all that is acknowledged is stored, once,
    nothing else."""
    now = parse_rfc3339(MONDAY)
    last_week, this_week = (
        (crowd(20, 0, 0, "late-"), now - 3 * HOUR),
        (crowd(20, 20, 3), now - 100 * MINUTE),
    )
    town = Town(tmp_path)
    token = town.enrol(last_week[0] + this_week[0])
    gateway = Gateway(
        town,
        *("--clock", f"sim://{MONDAY}"),
        launcher=("-m", "tests.e2e.crashing_gateway", seam),
    )
    life = 0
    senders = [
        Sender(
            f"crowd-{n}",
            ("fleet", token),
            both(n, last_week, this_week),
            window=100,
            life=lambda: life,
        )
        for n in range(HALVES)
    ]
    town.set_door(free_port())
    with gateway:
        async with asyncio.TaskGroup() as group:
            for sender in senders:
                group.create_task(sender.run(gateway.port, 60))
            assert await asyncio.to_thread(gateway.wait) == -signal.SIGKILL
            life += 1
            await asyncio.to_thread(gateway.start, SEKISHO)
        assert await asyncio.to_thread(gateway.stop) == 0
    assert f"killed {seam}" in gateway.said()
    found = judge(senders, last_week[0] + this_week[0], town.state, now)
    print(f"{seam}: {found}")
    assert found.acknowledged == ROUNDS * (len(last_week[0]) + len(this_week[0]))
    assert found.missing == found.surplus == found.twice == 0
    assert len(list(town.state.personal_dir.glob("*.db"))) == 2
    assert all({segment.life for segment in sender.segments} == {0, 1} for sender in senders)


def undated(members: list[Member], rounds: int) -> Iterator[Uplink]:
    """Uplinks with a counter and no time: our clock dates them, another one after each kill."""
    for uplink in islice(uplinks(members, 0), rounds * len(members)):
        document = json.loads(uplink.payload)
        del document["t"]
        yield uplink._replace(payload=json.dumps(document).encode())


@pytest.mark.parametrize("seam", ["between personal files and the city's", *SEAMS[-2:]])
async def test_uplinks_without_a_time_are_not_doubled_by_a_kill(tmp_path: Path, seam: str) -> None:
    """Gauges and tag readers without a clock of their own: handed over again ten minutes after the
    kill, by our clock, each is stored once."""
    members = crowd(0, 20, 10)
    town = Town(tmp_path)
    token = town.enrol(members)
    noon, later = ("sim://2026-05-12T12:00:30+09:00", "sim://2026-05-12T12:10:30+09:00")
    gateway = Gateway(town, "--clock", noon, launcher=("-m", "tests.e2e.crashing_gateway", seam))
    sender = Sender("undated", ("fleet", token), undated(members, ROUNDS), window=100)
    town.set_door(free_port())
    with gateway:
        async with asyncio.TaskGroup() as group:
            group.create_task(sender.run(gateway.port, 60))
            assert await asyncio.to_thread(gateway.wait) == -signal.SIGKILL
            gateway.words = ("--clock", later)
            await asyncio.to_thread(gateway.start, SEKISHO)
        assert await asyncio.to_thread(gateway.stop) == 0
    handed = [json.loads(uplink.payload) for uplink in sender.handed]
    assert sender.acked == ROUNDS * len(members)
    rows = Counter(row[0] for row in stored_rows(town.state))
    assert rows["river_gauge"] == sum("distance_m" in document for document in handed)
    assert rows["bus_stop_reader"] == sum(len(document.get("reads", ())) for document in handed)
