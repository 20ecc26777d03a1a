"""The registry changes in another process while the gateway runs."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from gateway.statedir import Mark
from tests.e2e.caller import Caller
from tests.e2e.judgement import stored_rows
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

IN_FORCE_S = 1.0


async def command(town: Town, *words: str) -> str:
    """Run a registry command of its own process; what it printed."""
    code, out, err = await asyncio.to_thread(
        sekisho, town.folder, *words, "--config", str(town.config)
    )
    assert code == 0, err
    return out


async def admitted(port: int, user: str, token: str) -> bool:
    """Whether the door lets this credential in, now."""
    caller = await Caller.call(port, user, token)
    await caller.leave()
    return caller.greeting == 0


@pytest.mark.parametrize("mark", [Mark.SIM, None], ids=["SIM", "production"])
async def test_a_new_device_speaks_within_a_second_and_a_revoked_one_no_more(
    tmp_path: Path, mark: Mark | None
) -> None:
    """`devices add` beside a running gateway: the new credential is let in, and its uplink stored,
    within one second; after `devices revoke` its next uplink is refused as unknown."""
    town = Town(tmp_path, mark)
    town.enrol([gauge("old-1")], "old")
    with Gateway(town) as gateway:
        said = await command(
            *(town, "devices", "add", "new-1", "--kind", "river_gauge", "-a", "datum_m=4.2"),
            "--json",
        )
        added = time.monotonic()
        token = json.loads(said)["token"]
        while not await admitted(gateway.port, "new-1", token):
            assert time.monotonic() - added < IN_FORCE_S, "not let in within a second"
            await asyncio.sleep(0.02)
        caller = await Caller.call(gateway.port, "new-1", token)
        assert await caller.publish("new-1", b'{"seq":1,"stage_m":1.5}') == 0
        assert [row[2] for row in stored_rows(town.state)] == ["new-1"]
        await command(town, "devices", "revoke", "new-1")
        revoked = time.monotonic()
        seq = 2
        while await caller.publish("new-1", b'{"seq":%d,"stage_m":1.5}' % seq) != 0x87:
            assert time.monotonic() - revoked < IN_FORCE_S, "still heard after a second"
            seq += 1
            await asyncio.sleep(0.02)
        await caller.leave()
        count = len(list(stored_rows(town.state)))
        caller = await Caller.call(gateway.port, "new-1", token)
        assert await caller.publish("new-1", b'{"seq":9999,"stage_m":1.5}') == 0x87
        await caller.leave()
        assert len(list(stored_rows(town.state))) == count


async def test_a_new_token_ends_connections_made_with_the_old_one(tmp_path: Path) -> None:
    """`devices token` gives another token: within a second the old one opens nothing, and whoever
    came in with it is hung up on."""
    town = Town(tmp_path)
    token = town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        inside = await Caller.call(gateway.port, "pilot", token)
        said = await command(town, "devices", "token", "pilot", "--json")
        changed = time.monotonic()
        while await inside.listen():
            pass
        assert time.monotonic() - changed < IN_FORCE_S
        await inside.leave()
        assert not await admitted(gateway.port, "pilot", token)
        assert await admitted(gateway.port, "pilot", json.loads(said)["token"])
