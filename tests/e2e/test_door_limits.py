"""What one client may cost the others: silence, floods, too many at once, nobody's name."""

import asyncio
import time
from itertools import islice
from pathlib import Path

import pytest

from gateway.model.instant import HOUR
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Disconnect
from tests.e2e.caller import Caller
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.processes import Gateway
from tests.e2e.sender import Sender
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


IN_FLIGHT = 1024
"""`pending` where the configuration says nothing."""


async def test_a_silent_connection_is_ended(tmp_path: Path) -> None:
    """A client that asked for a keep-alive of 1 s and says nothing is told so and hung up on, after
    one and a half of them and not before; one that pings stays."""
    town = Town(tmp_path)
    token = town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        pinging = await Caller.call(gateway.port, "pilot", token, keep_alive_s=1)
        begun = time.monotonic()
        silent = await Caller.call(gateway.port, "pilot", token, keep_alive_s=1)
        ended = asyncio.create_task(listened_to_the_end(silent))
        while not ended.done():
            assert time.monotonic() - begun < 20, "the silent connection was not ended"
            pinging.writer.write(encode.PINGREQ)
            await pinging.listen()
            await asyncio.wait({ended}, timeout=0.3)
        assert time.monotonic() - begun >= 1.4
        last = silent.heard[-1]
        assert isinstance(last, Disconnect)
        assert last.reason == Code.KEEP_ALIVE_TIMEOUT
        pinging.writer.write(encode.PINGREQ)
        assert await pinging.listen()
        await silent.leave()
        await pinging.leave()


async def listened_to_the_end(caller: Caller) -> None:
    while await caller.listen():
        pass


async def test_a_flood_does_not_starve_another_connection(tmp_path: Path) -> None:
    """While one connection floods, another one sends 50 uplinks, each when the one before is
    acknowledged: on average each waits behind less of the flood than four times what the door lets
    one connection have in flight."""
    members = crowd(40, 40, 0)
    town = Town(tmp_path)
    flood_token = town.enrol(members, "flood")
    quiet_token = town.enrol([gauge("quiet-0")], "quiet")
    start = time.time_ns() // 1000 - 20 * HOUR
    flood = Sender("flood", ("flood", flood_token), uplinks(members, start), window=4000)
    quiet = Sender(
        "quiet", ("quiet", quiet_token), islice(uplinks([gauge("quiet-0")], start), 50), window=1
    )
    with Gateway(town) as gateway:
        flooding = asyncio.create_task(flood.run(gateway.port))
        async with asyncio.timeout(60):
            while flood.acked < 2000:
                await asyncio.sleep(0.005)
        before = flood.acked
        await quiet.run(gateway.port)
        assert quiet.acked == 50
        print(f"{(flood.acked - before) / 50:.0f} of the flood for each of the other's")
        assert 0 < (flood.acked - before) / 50 < 4 * IN_FLIGHT
        assert not flooding.done()
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        assert await asyncio.to_thread(gateway.stop) == 0


async def test_the_one_too_many_is_told_so_and_room_returns(tmp_path: Path) -> None:
    """A door for three: the fourth hears "quota exceeded"; when one leaves, the next one may enter."""
    town = Town(tmp_path, connections=3)
    token = town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        inside = [await Caller.call(gateway.port, "pilot", token) for _ in range(3)]
        assert [caller.greeting for caller in inside] == [0, 0, 0]
        fourth = await Caller.call(gateway.port, "pilot", token)
        assert fourth.greeting == Code.QUOTA_EXCEEDED
        await listened_to_the_end(fourth)
        await fourth.leave()
        await inside.pop().leave()
        deadline = time.monotonic() + 10
        while True:
            inside.append(await Caller.call(gateway.port, "pilot", token))
            if inside[-1].greeting == 0:
                break
            assert time.monotonic() < deadline, "room did not return"
        for caller in inside:
            await caller.leave()


@pytest.mark.parametrize("allowed", [False, True])
async def test_anonymous_clients_come_in_only_where_configured(
    tmp_path: Path, allowed: bool
) -> None:
    """Without a user name: refused by default; where `anonymous: true`, its uplink is stored."""
    town = Town(tmp_path, anonymous=str(allowed).lower())
    town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        nobody = await Caller.call(gateway.port, None, None)
        assert nobody.greeting == (0 if allowed else Code.BAD_CREDENTIALS)
        if allowed:
            assert await nobody.publish("river-1", b'{"seq":1,"stage_m":1.5}') == 0
        await nobody.leave()
        wrong = await Caller.call(gateway.port, "pilot", "wrong")
        assert wrong.greeting == Code.BAD_CREDENTIALS
        await wrong.leave()
