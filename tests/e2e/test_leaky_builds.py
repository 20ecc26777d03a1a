"""A build that leaks on purpose is caught, wherever it leaks; the same build without its leak is clean."""

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from gateway.canary.canaries import Hit
from sekisho.canary_fixture import CanaryScan
from sekisho.window import ask
from tests.e2e.canaries import Secrets
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.leaky_gateway import LEAKS
from tests.e2e.processes import SEKISHO, Gateway, sekisho
from tests.e2e.sender import Sender
from tests.e2e.test_leaks import mixed
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

BACKUPS = "backups"
METRICS = "metrics.json"


async def _used(town: Town, secrets: Secrets, *launcher: str, kill: bool) -> None:
    """Secret and ordinary uplinks, a backup and the counters' page; then a stop, or a SIGKILL."""
    members = [*crowd(4, 4, 2), *secrets.members]
    token = town.enrol(members)
    now = time.time_ns() // 1000
    ordinary = islice(uplinks(members[:10], now - 500_000_000), 400)
    with Gateway(town, launcher=launcher) as gateway:
        sent = mixed(secrets.uplinks(now), ordinary)
        await Sender("mixed", ("fleet", token), sent, window=20).run(gateway.port)
        (town.folder / METRICS).write_text(json.dumps(list(ask(town.state, "terms"))))
        await asyncio.to_thread(_back_up, town)
        if kill:
            gateway.kill()
        else:
            assert await asyncio.to_thread(gateway.stop) == 0


def _back_up(town: Town) -> None:
    folder = town.folder / BACKUPS
    folder.mkdir()
    copy = folder / "city.db"
    code, _, said = sekisho(
        town.folder, "snapshot", "--out", str(copy), "--state", str(town.state.path)
    )
    assert code == 0, said
    (folder / "city.db.gz").write_bytes(gzip.compress(copy.read_bytes()))
    copy.unlink()


PLACES: dict[str, Callable[[Hit], bool]] = {
    "SQL row": lambda hit: hit.where == "state/city.db" and hit.coat == "float64 BE",
    "WAL": lambda hit: hit.where == "state/city.db-wal" and hit.coat == "float64 BE",
    "backup": lambda hit: hit.where == f"{BACKUPS}/city.db.gz > gzip",
    "log line": lambda hit: hit.where == "gateway.log" and hit.coat == "decimal text",
    "exception text": lambda hit: hit.where == "gateway.log" and hit.coat == "decimal text",
    "metric label": lambda hit: hit.where == METRICS and hit.coat == "decimal text",
}
"""Leak → the hit that tells of it."""


@pytest.mark.channel("C23", "C26", "C27")
@pytest.mark.parametrize("leak", LEAKS)
async def test_a_leaky_build_is_caught(leak: str, tmp_path: Path, canary_scan: CanaryScan) -> None:
    """The mask hides a fix at home and a build leaks it beside: the search names the place of the leak."""
    secrets = Secrets(11)
    town = Town(tmp_path / "town")
    await _used(town, secrets, "-m", "tests.e2e.leaky_gateway", leak, kill=leak == "WAL")
    hits = canary_scan(town.folder, secrets.canaries())
    assert any(PLACES[leak](hit) for hit in hits), {hit.where for hit in hits}


async def test_the_same_without_a_leak_is_clean(tmp_path: Path, canary_scan: CanaryScan) -> None:
    """State, keys, log, counters and backup of a gateway as it is, killed: no hit."""
    secrets = Secrets(11)
    town = Town(tmp_path / "town")
    await _used(town, secrets, *SEKISHO, kill=True)
    assert canary_scan(town.folder, secrets.canaries()) == []
