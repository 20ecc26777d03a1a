"""The registry changes in another process while the gateway runs."""

import asyncio
import json
from pathlib import Path

import pytest

from gateway.statedir import Mark
from tests.e2e.caller import Caller
from tests.e2e.judgement import stored_rows
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


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
async def test_a_new_device_speaks_at_once_and_a_revoked_one_no_more(
    tmp_path: Path, mark: Mark | None
) -> None:
    """`devices add` beside a running gateway: once it has ended the new credential is let in, and its uplink
    stored; after `devices revoke` its next uplink is refused as unknown."""
    town = Town(tmp_path, mark)
    town.enrol([gauge("old-1")], "old")
    with Gateway(town) as gateway:
        said = await command(
            *(town, "devices", "add", "new-1", "--kind", "river_gauge", "-a", "datum_m=4.2"),
            "--json",
        )
        token = json.loads(said)["token"]
        assert await admitted(gateway.port, "new-1", token), "the verb ended before it was in force"
        caller = await Caller.call(gateway.port, "new-1", token)
        assert await caller.publish("new-1", b'{"seq":1,"stage_m":1.5}') == 0
        assert [row[2] for row in stored_rows(town.state)] == ["new-1"]
        await command(town, "devices", "revoke", "new-1")
        assert await caller.publish("new-1", b'{"seq":2,"stage_m":1.5}') == 0x87
        await caller.leave()
        count = len(list(stored_rows(town.state)))
        caller = await Caller.call(gateway.port, "new-1", token)
        assert await caller.publish("new-1", b'{"seq":9999,"stage_m":1.5}') == 0x87
        await caller.leave()
        assert len(list(stored_rows(town.state))) == count


async def test_a_new_token_ends_connections_made_with_the_old_one(tmp_path: Path) -> None:
    """`devices token` gives another token: the old one opens nothing any more, and whoever came in
    with it is hung up on."""
    town = Town(tmp_path)
    token = town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        inside = await Caller.call(gateway.port, "pilot", token)
        said = await command(town, "devices", "token", "pilot", "--json")
        while await inside.listen():
            pass
        await inside.leave()
        assert not await admitted(gateway.port, "pilot", token)
        assert await admitted(gateway.port, "pilot", json.loads(said)["token"])


async def test_a_revoked_credential_is_hung_up_on(tmp_path: Path) -> None:
    """`devices revoke-credential`: whoever is in as it is out, its token opens nothing until a new one is
    given, and its device stays registered."""
    town = Town(tmp_path)
    token = town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        inside = await Caller.call(gateway.port, "pilot", token)
        await command(town, "devices", "revoke-credential", "pilot")
        while await inside.listen():
            pass
        await inside.leave()
        assert not await admitted(gateway.port, "pilot", token)
        said = await command(town, "devices", "token", "pilot", "--json")
        assert await admitted(gateway.port, "pilot", json.loads(said)["token"])
