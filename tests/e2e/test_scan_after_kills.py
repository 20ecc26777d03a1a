"""What eleven sudden deaths leave: searched for every canary in every form, backups and logs too."""

import asyncio
import resource
import signal
import tarfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from sekisho.canary_fixture import CanaryScan
from tests.e2e.canaries import Secrets
from tests.e2e.crowd import Uplink, crowd, uplinks
from tests.e2e.processes import PATIENCE_S, Gateway, sekisho
from tests.e2e.sender import Sender
from tests.e2e.test_leaks import AT_DEBUG, mixed
from tests.e2e.town import Member, Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

KILLS = 10


@pytest.fixture
def cores_allowed() -> Iterator[None]:
    """Whoever does not forbid it writes a core when it dies here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


async def _dies(
    gateway: Gateway, sender: Sender, token_of_death: signal.Signals, after: int
) -> None:
    """Send until so many are acknowledged, and end the gateway in the middle of the rest."""
    with gateway:
        running = asyncio.create_task(sender.run(gateway.port))
        async with asyncio.timeout(PATIENCE_S):
            while sender.acked < after:
                await asyncio.sleep(0.001)
        gateway.signal(token_of_death)
        code = await asyncio.to_thread(gateway.wait)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert code == -token_of_death


def _sent(secrets: Secrets, members: list[Member], turn: int) -> Iterator[Uplink]:
    now = time.time_ns() // 1000
    ordinary = uplinks(members[:10], now - 500_000_000 + turn * 1_000_000)
    return mixed(secrets.uplinks(now), islice(ordinary, 900))


@pytest.mark.channel("C27", "C28", "C29")
async def test_ten_kills_and_a_fault_of_memory_leave_nothing(
    tmp_path: Path, canary_scan: CanaryScan, cores_allowed: None
) -> None:
    """SIGKILL at ten random moments and SIGSEGV once, in a directory as in production: no hit in state, keys,
    log at debug level, TMPDIR, a backup made after each and an archive of it; and no core file."""
    del cores_allowed
    secrets = Secrets(17)
    town = Town(tmp_path / "town", mark=None)
    members = [*crowd(4, 4, 2), *secrets.members]
    token = town.enrol(members)
    for name in ("tmp", "backups"):
        (town.folder / name).mkdir()
    private = {"TMPDIR": str(town.folder / "tmp")}
    gateway = Gateway(town, launcher=AT_DEBUG, variables=private)
    dice = Random(17)
    for turn, death in enumerate([signal.SIGKILL] * KILLS + [signal.SIGSEGV]):
        sender = Sender("mixed", ("fleet", token), _sent(secrets, members, turn), window=100)
        await _dies(gateway, sender, death, dice.randrange(1, 700))
        words = ("backup", f"backups/{turn}", "--state", str(town.state.path))
        code, _out, err = await asyncio.to_thread(sekisho, town.folder, *words)
        assert code == 0, err
        with tarfile.open(town.folder / "backups" / f"{turn}.tar.gz", "w:gz") as archive:
            archive.add(town.folder / "backups" / str(turn), "backup")
        assert canary_scan(town.state.path, secrets.canaries()) == []
    assert canary_scan(town.folder, secrets.canaries()) == []
    assert list(town.folder.rglob("core*")) == []
