"""A backup beside a gateway that writes, keys under a passphrase, and another machine that goes on with both."""

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from gateway.statedir import Mark, StateDir
from tests.e2e.crowd import Uplink, crowd, uplinks
from tests.e2e.processes import PATIENCE_S, Gateway, sekisho
from tests.e2e.sender import Sender
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

UPLINKS = 1200


async def _until(sender: Sender, acked: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while sender.acked < acked:
            await asyncio.sleep(0.002)


def _rows(state: StateDir) -> int:
    """Rows about people and things, however they are stored."""
    total = 0
    for path in [state.city_db, *sorted(state.personal_dir.glob("*.db"))]:
        with closing(sqlite3.connect(path)) as db:
            names = [
                n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            total += sum(
                db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
                for name in names
                if name in {"sealed", "child_tracker", "bus_stop_reader", "river_gauge"}
            )
    return total


@pytest.mark.channel("C29")
@pytest.mark.parametrize("mark", [None, Mark.SIM], ids=["sealed", "plain"])
async def test_another_machine_goes_on_from_a_backup(tmp_path: Path, mark: Mark | None) -> None:
    """Taken in the middle of a stream; what was acknowledged before it began is in it; keys come by export and import;
    and when everything is sent once more, every row is there once. No key and no session is in the backup.
    """
    town = Town(tmp_path / "town", mark=mark)
    members = crowd(6, 3, 2)
    token = town.enrol(members)
    start = time.time_ns() // 1000 - 3_600_000_000
    sent: list[Uplink] = list(islice(uplinks(members, start), UPLINKS))
    folder, export = tmp_path / "backup", tmp_path / "keys.sekisho"
    secret = tmp_path / "passphrase"
    secret.write_text("a town by the sea\n")
    secret.chmod(0o600)
    where = ("--state", str(town.state.path), "--keys", str(town.folder / "keys"))
    with Gateway(town) as gateway:
        sender = Sender("mixed", ("fleet", token), iter(sent), window=50)
        running = asyncio.create_task(sender.run(gateway.port))
        await _until(sender, 300)
        rows_before = await asyncio.to_thread(_rows, town.state)
        asked = ("backup", str(folder), "--state", str(town.state.path), "--json")
        code, out, err = await asyncio.to_thread(sekisho, tmp_path, *asked)
        assert code == 0, err
        await _until(sender, UPLINKS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        gateway.stop()
    assert {file["name"] for file in json.loads(out)["files"]} >= {
        "sekisho.json",
        "registry.db",
        "city.db",
    }
    assert not [p for p in folder.rglob("*") if p.suffix == ".key" or p.name.startswith("sessions")]
    passphrase = ("--passphrase-file", str(secret))
    assert sekisho(tmp_path, "keys", "export", str(export), *passphrase, *where)[0] == 0

    other = tmp_path / "other"
    words = ("--state", str(other / "state"), "--keys", str(other / "keys"))
    code, out, err = sekisho(tmp_path, "restore", str(folder), *words)
    assert (code, "Its keys are not here" in out) == (0, True), err
    code, out, err = sekisho(tmp_path, "keys", "import", str(export), *passphrase, *words)
    assert code == 0, err
    restored = town.moved(other)
    assert _rows(restored.state) >= rows_before
    again = Sender("mixed", ("fleet", token), iter(sent), window=50)
    with Gateway(restored) as gateway:
        running = asyncio.create_task(again.run(gateway.port))
        await _until(again, UPLINKS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        gateway.stop()
    assert _rows(restored.state) <= _rows(town.state)
    assert _things(restored.state) == _things(town.state)


def _things(state: StateDir) -> set[tuple[int, str, int]]:
    """What tells the city's rows apart; people's may be fewer: a guard begins closed on the other machine."""
    with closing(sqlite3.connect(state.city_db)) as db:
        return set(db.execute("SELECT observed_at, device, counter FROM river_gauge"))
