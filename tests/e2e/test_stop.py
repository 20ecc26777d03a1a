"""How a gateway ends, and that two never share a directory."""

import asyncio
import re
import signal
import time
from itertools import islice
from pathlib import Path

import pytest

from gateway.model.instant import HOUR, parse_rfc3339
from gateway.statedir import Mark
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Disconnect
from tests.e2e.caller import Caller
from tests.e2e.crowd import crowd, uplinks
from tests.e2e.judgement import judge, stored_rows
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.sender import Sender
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def stopped_under_load(
    town: Town, *words: str
) -> tuple[int, Sender, list[dict[str, object]]]:
    """Exit code of a gateway that got SIGTERM while uplinks poured in, and who sent them."""
    members = crowd(30, 30, 4 if words else 0)  # yesterday's tags may be too late by a real clock
    token = town.enrol(members)
    start = (parse_rfc3339(words[1][6:31]) if words else time.time_ns() // 1000) - 2 * HOUR
    sender = Sender("crowd", ("fleet", token), uplinks(members, start), window=900)
    with Gateway(town, *words) as gateway:
        running = asyncio.create_task(sender.run(gateway.port))
        async with asyncio.timeout(60):
            while sender.acked < 5000:
                await asyncio.sleep(0.01)
        code = await asyncio.to_thread(gateway.stop)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return code, sender, members


async def test_sigterm_under_load_leaves_everything_acknowledged_on_disk(tmp_path: Path) -> None:
    """SIGTERM under load: exit 0, and every acknowledged uplink that must be stored is stored, once,
    in the files themselves: no journal holds anything."""
    town = Town(tmp_path)
    clock = "2026-05-12T12:00:00+09:00"
    code, sender, members = await stopped_under_load(town, "--clock", f"sim://{clock}")
    assert code == 0
    journals = [path for path in town.state.path.rglob("*.db-wal") if path.stat().st_size]
    assert journals == []
    found = judge([sender], members, town.state, parse_rfc3339(clock))
    print(found)
    assert found.acknowledged >= 5000
    assert found.missing == found.surplus == found.twice == 0


async def test_sigterm_under_load_in_production(tmp_path: Path) -> None:
    """The same in a directory that is not marked."""
    town = Town(tmp_path, mark=None)
    code, sender, members = await stopped_under_load(town)
    assert code == 0
    found = judge([sender], members, town.state, time.time_ns() // 1000)
    assert found.acknowledged >= 5000
    assert found.missing == found.surplus == found.twice == 0


async def test_the_judgement_notices_a_missing_and_a_foreign_row(tmp_path: Path) -> None:
    """A sender whose last acknowledged uplink never arrived makes the judgement say so: it can fail."""
    members = crowd(2, 2, 0)
    town = Town(tmp_path)
    clock = "2026-05-12T12:00:00+09:00"
    now = parse_rfc3339(clock)
    token = town.enrol(members)
    sender = Sender("crowd", ("fleet", token), islice(uplinks(members, now - HOUR), 400))
    with Gateway(town, "--clock", f"sim://{clock}") as gateway:
        await sender.run(gateway.port)
        assert await asyncio.to_thread(gateway.stop) == 0
    assert judge([sender], members, town.state, now).missing == 0
    swapped = sender.handed[-1]._replace(payload=sender.handed[-1].payload.replace(b"2.", b"1.", 1))
    sender.handed[-1] = swapped
    found = judge([sender], members, town.state, now)
    assert (found.missing, found.surplus) == (1, 1)


async def test_clients_are_told_of_the_stop(tmp_path: Path) -> None:
    """SIGTERM: whoever is connected hears "server shutting down" before the line ends."""
    town = Town(tmp_path)
    token = town.enrol([gauge("river-1")], "pilot")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "pilot", token)
        assert await caller.publish("river-1", b'{"seq":1,"stage_m":1.5}') == 0
        assert await asyncio.to_thread(gateway.stop) == 0
        while await caller.listen():
            pass
        await caller.leave()
    last = caller.heard[-1]
    assert isinstance(last, Disconnect)
    assert last.reason == Code.SHUTTING_DOWN


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """While a stop waits for the disk, a second SIGTERM or SIGINT ends the process at once."""
    town = Town(tmp_path)
    gateway = Gateway(town, launcher=("-m", "tests.e2e.stuck_gateway", "closing"))
    for number in (signal.SIGTERM, signal.SIGINT):
        with gateway:
            gateway.signal(signal.SIGTERM)
            until(lambda: "closing takes for ever" in gateway.said(), "the first signal")
            assert gateway.process.poll() is None
            gateway.signal(number)
            assert gateway.wait() == 128 + number
        gateway.log.unlink()


async def test_a_stop_that_never_ends_is_ended_and_says_who_is_left(tmp_path: Path) -> None:
    """A disk that hangs inside a commit: the stop's deadline ends the process with 3. It names the store
    and how many uplinks have no acknowledgement, and leaves neither run.json nor socket behind."""
    town = Town(tmp_path)
    token = town.enrol([gauge("river-1")], "pilot")
    launcher = ("-m", "tests.e2e.stuck_gateway", "writing")
    with Gateway(town, launcher=launcher) as gateway:
        caller = await Caller.call(gateway.port, "pilot", token)
        waiting = asyncio.create_task(caller.publish("river-1", b'{"seq":1,"stage_m":1.5}'))
        while "writing takes for ever" not in gateway.said():
            await asyncio.sleep(0.01)
        assert not waiting.done()
        gateway.signal(signal.SIGTERM)
        assert await asyncio.to_thread(gateway.wait) == 3
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await caller.leave()
    assert "waiting for the store, which is still writing. 1 uplink has no ack" in gateway.said()
    assert "Traceback" not in gateway.said()
    assert not town.state.run_file.exists()
    assert not town.state.socket.exists()
    assert list(stored_rows(town.state)) == []


def test_a_running_gateway_leaves_no_core_behind(tmp_path: Path) -> None:
    """Raw positions live in its memory: the kernel may write no core of it, neither to a file nor to a
    program (core_pattern), for which 1 is the one limit that counts."""
    town = Town(tmp_path)
    with Gateway(town) as gateway:
        limits = Path(f"/proc/{gateway.process.pid}/limits").read_text()
        assert gateway.stop() == 0
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["1", "1"]


def test_a_second_gateway_is_refused_by_name_of_the_first(tmp_path: Path) -> None:
    """Two gateways on one directory: the second ends with 1 and names the process of the first, whose
    registry it has not touched, though its devices.yaml says something else."""
    town = Town(tmp_path, mark=Mark.SIM)
    with Gateway(town) as first:
        (tmp_path / "devices.yaml").write_text("devices:\n  - {id: river-7, kind: river_gauge}\n")
        with town.config.open("a") as config:
            config.write(f"devices: {tmp_path}/devices.yaml\n")
        code, out, err = sekisho(tmp_path, "run", "--config", str(town.config))
        assert code == 1
        assert str(first.process.pid) in err
        assert "already runs" in err
        assert "Traceback" not in out + err
        with town.registry() as registry:
            assert registry.devices() == []
        assert first.process.poll() is None
        assert first.stop() == 0
    assert list(stored_rows(town.state)) == []


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """`run` on a port that another process holds ends with 1 and names port, process and setting."""
    one, other = Town(tmp_path / "one"), Town(tmp_path / "other")
    with Gateway(one) as first:
        other.set_door(first.port)
        code, _, err = sekisho(tmp_path, "run", "--config", str(other.config))
        assert code == 1
        assert {str(first.port), str(first.process.pid), "doors[mqtt].port"} <= set(
            re.findall(r"[\w\[\].]*\w", err)
        ), err
        assert "Traceback" not in err
