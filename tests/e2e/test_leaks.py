"""What is suppressed, rejected or refused leaves no byte anywhere, a kill in the middle included."""

import asyncio
import gzip
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from gateway.statedir import Mark
from sekisho.canary_fixture import look
from sekisho.window import ask
from tests.e2e.canaries import Secrets
from tests.e2e.crowd import Uplink, crowd, uplinks
from tests.e2e.processes import Gateway
from tests.e2e.sender import Sender
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

AT_DEBUG = (
    *("-X", "dev", "-c"),
    "import logging as l;l.basicConfig(level=10);l.debug('everything');import sekisho.__main__ as s;s.main()",
)
"""`sekisho run` with everything logged that anyone logs, asyncio's own words too."""


def mixed(secret: Iterator[Uplink], ordinary: Iterator[Uplink]) -> Iterator[Uplink]:
    """Three ordinary uplinks between any two secret ones."""
    for uplink in secret:
        yield uplink
        yield from islice(ordinary, 3)


def throw(port: int, data: bytes) -> None:
    """Send bytes and read until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        try:
            line.sendall(data)
            while line.recv(4096):
                pass
        except ConnectionError:
            return


async def misuse(town: Town, secrets: Secrets) -> None:
    """Everything at once, a SIGKILL in the middle, the same again, and a clean stop."""
    members = [*crowd(10, 10, 2), *secrets.members]
    town.enrol([gauge("foreign")], "somebody-else")
    token = town.enrol(members)
    now = time.time_ns() // 1000
    (town.folder / "tmp").mkdir()
    private = {"TMPDIR": str(town.folder / "tmp")}
    gateway = Gateway(town, launcher=AT_DEBUG, variables=private)
    ordinary = uplinks(members[:22], now - 500_000_000)
    for turn in range(2):
        sent = mixed(secrets.uplinks(now), ordinary)
        sender = Sender("mixed", ("fleet", token), sent, window=100)
        with gateway:
            for data in (secrets.gibberish(), secrets.impostor()):
                await asyncio.to_thread(throw, gateway.port, data)
            await asyncio.to_thread(throw, gateway.port, secrets.oversize(("fleet", token)))
            running = asyncio.create_task(sender.run(gateway.port))
            if turn == 0:
                async with asyncio.timeout(60):
                    while sender.acked < 400:
                        await asyncio.sleep(0.002)
                gateway.kill()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                assert look(town.folder, secrets.canaries()) == []
            else:
                await running
                said = json.dumps(list(ask(town.state, "terms"))).encode()
                assert look(said, secrets.canaries()) == []
                assert await asyncio.to_thread(gateway.stop) == 0


def plant(town: Town, secrets: Secrets) -> set[str]:
    """Put one canary into each place that is searched; the places."""
    lat, lon = secrets.inside[0]
    personal = next(town.state.personal_dir.glob("*.db"))
    with closing(sqlite3.connect(personal)) as db:
        blobs = bytes(16), bytes(16)
        db.execute("INSERT INTO child_tracker VALUES (1,?,?,?,?,1,NULL,NULL)", (*blobs, lat, lon))
        db.commit()
    with closing(sqlite3.connect(town.state.registry_db)) as db:
        db.execute("CREATE TABLE planted (place TEXT)")
        db.execute(
            "INSERT INTO planted VALUES (?)", (f"{secrets.home[0]:.5f} {secrets.home[1]:.5f}",)
        )
        db.commit()
    with closing(sqlite3.connect(town.state.city_db)) as db:
        db.execute("UPDATE rejection SET device = ?", (secrets.tags[3].lower(),))
        db.commit()
    (town.keys.path / "left.key").write_bytes(bytes.fromhex(secrets.tags[0]))
    with town.folder.joinpath("gateway.log").open("a") as log:
        log.write(f"fix at {lat:.7f} {lon:.7f}\n")
    packed = gzip.compress(json.dumps(secrets.elsewhere[3]).encode())
    (town.folder / "tmp" / "spool.gz").write_bytes(packed)
    return {"personal/", "registry.db", "city.db", "left.key", "gateway.log", "spool.gz"}


@pytest.mark.channel("C23", "C24")
@pytest.mark.parametrize("mark", [Mark.SIM, None], ids=["SIM", "production"])
async def test_nothing_private_is_found_anywhere(tmp_path: Path, mark: Mark | None) -> None:
    """Fixes at home, homes, tags and unknown ids in good, broken, oversize and misdirected uplinks:
    0 hits in state, keys, logs at debug level and TMPDIR; and the search finds one planted in each."""
    secrets = Secrets(5)
    town = Town(tmp_path / "town", mark)
    await misuse(town, secrets)
    log = town.folder.joinpath("gateway.log").read_text()
    assert "DEBUG:root:everything" in log, "the log was not at debug level"
    with closing(sqlite3.connect(town.state.city_db)) as db:
        (reasons,) = db.execute("SELECT count(DISTINCT reason) FROM refusals_per_day").fetchone()
        assert reasons >= 4, "too few sorts of refusal took place"
    assert look(town.folder, secrets.canaries()) == []
    planted = plant(town, secrets)
    found = look(town.folder, secrets.canaries())
    assert {place for place in planted if any(place in hit.where for hit in found)} == planted
