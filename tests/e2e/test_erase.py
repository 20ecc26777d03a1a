"""A household is erased beside a gateway that runs, and after a kill."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest

from gateway.app.erasing import begun
from gateway.app.erasure_proof import is_genuine, readable
from gateway.registry.registry import Registry
from gateway.statedir import Mark
from tests.e2e.caller import Caller
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.processes import Gateway, environment, sekisho, until
from tests.e2e.sender import Sender
from tests.e2e.town import Town
from tests.fakes.sealed import opened

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

_KILLED = """
import os, signal, sys
from gateway.keys.households import HouseholdKeys
from sekisho.__main__ import main
HouseholdKeys.destroy = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main()
"""
"""`sekisho`, killed when it is about to destroy a household's key."""


def rows(town: Town) -> int:
    return sum(1 for _ in opened(town.state, "child_tracker", town.keys))


def backups(town: Town) -> list[Path]:
    """Two copies of the directory as it is: files beside their journals, and what `backup` makes."""
    plain, made = town.folder / "copy-1", town.folder / "copy-2"
    names = shutil.ignore_patterns("gateway.sock", "lock", "run.json")
    shutil.copytree(town.state.path, plain, ignore=names)
    code, _, err = sekisho(town.folder, "backup", str(made), "--config", str(town.config))
    assert code == 0, err
    return [plain, made]


@pytest.mark.parametrize("mark", [None, Mark.SIM], ids=["sealed", "plain"])
async def test_a_household_leaves_a_gateway_that_runs(tmp_path: Path, mark: Mark | None) -> None:
    """Two children walk and are stored. Once `privacy erase` has ended one of them is unknown at the door, none of its
    rows can be read, and nothing of it is stored; the other goes on; two copies were tried and are noise where rows
    are sealed, and are said to be readable where they are plain."""
    members = crowd(2, 0, 0, "e-")
    town = Town(tmp_path / "town", mark)
    gone, stays = members[0]["household"], members[1]["household"]
    token = town.enrol(members)
    now = time.time_ns() // 1000
    walks = list(islice(uplinks(members, now - 600_000_000), 80))
    with Gateway(town) as gateway:
        sender = Sender("both", ("fleet", token), iter(walks[:60]))
        await asyncio.to_thread(lambda: asyncio.run(sender.run(gateway.port)))
        before = rows(town)
        copied = await asyncio.to_thread(backups, town)
        copies = [word for path in copied for word in ("--backup", str(path))]
        words = ("privacy", "erase", gone, "--yes", "--json", *copies)
        code, out, err = await asyncio.to_thread(
            sekisho, town.folder, *words, "--config", str(town.config)
        )
        assert code == (0 if town.state.sealed else 1), err
        proof = json.loads(out)
        theirs = sum(file["theirs"] + file["deleted"] for file in proof["files"])
        assert 0 < theirs < before
        assert rows(town) == before - theirs
        assert is_genuine({name: said for name, said in proof.items() if name != "proof"})
        assert sum(f["theirs"] for copy in proof["copies"] for f in copy["files"]) == 2 * theirs
        assert readable(proof) == (0 if town.state.sealed else 2 * theirs)
        caller = await Caller.call(gateway.port, "fleet", token)
        said = [await caller.publish(uplink.device, uplink.payload) for uplink in walks[60:]]
        await caller.leave()
        answers = dict(zip((uplink.device for uplink in walks[60:]), said, strict=True))
        assert answers == {members[0]["roster"]: 0x87, members[1]["roster"]: 0}
        assert gateway.stop() == 0
    assert rows(town) > before - theirs
    assert stays != gone


def test_a_kill_in_the_middle_is_finished_by_the_next_start(tmp_path: Path) -> None:
    """The command dies with the household's key still there; a gateway that starts finishes it before it takes
    anything in, says so, and leaves the proof."""
    members = crowd(1, 0, 0, "e-")
    town = Town(tmp_path / "town", None)
    token = town.enrol(members)
    household, now = members[0]["household"], time.time_ns() // 1000
    with Gateway(town) as gateway:
        sender = Sender("both", ("fleet", token), islice(uplinks(members, now - 300_000_000), 40))
        asyncio.run(sender.run(gateway.port))
        assert gateway.stop() == 0
    assert rows(town) > 0
    words = ("privacy", "erase", household, "--yes", "--config", str(town.config))
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, *words],
        cwd=town.folder, env=environment(), check=False, capture_output=True, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    assert len(begun(town.state)) == 1
    assert town.keys.households.key(household) is not None
    with Gateway(town) as gateway:
        until(lambda: "cut off is finished" in gateway.said(), "the gateway's word")
        assert gateway.stop() == 0
    assert begun(town.state) == []
    assert town.keys.households.key(household) is None
    with Registry.open(town.state, town.keys) as registry:
        assert not any(registry.families.traces(household))
    (file,) = town.state.erasures_dir.glob("*.json")
    assert is_genuine(json.loads(file.read_text()))
    assert rows(town) == 0
