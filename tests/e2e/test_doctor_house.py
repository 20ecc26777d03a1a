"""`sekisho doctor` beside real people's devices, and on gateways that do not run as they should."""

import json
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sekisho import certificate
from tests.e2e.caller import Caller
from tests.e2e.clinic import HOME, Clinic, doctor, fix, now, speak
from tests.e2e.disk import small_disk
from tests.e2e.ports import free_port
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import SINCE, Town, child, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_of_a_real_child_nothing_is_said_but_that_it_was_heard(tmp_path: Path) -> None:
    """In a directory without a mark, six fixes at home and six that become rows read the same, to the
    byte: no time of a connection either, which would stand beside a row or beside none.
    """
    answers, kept = [], []
    for name, step in (("one", 0.0), ("two", 0.01)):
        town = Town(tmp_path / name, mark=None)
        token = town.enrol([child("child-1", HOME)], "child-1")
        with Gateway(town) as gateway:
            caller = await Caller.call(gateway.port, "child-1", token)
            for n in range(6):
                place = {"lat": HOME[0] + step * n, "lon": HOME[1]}
                body = {"t": now(), "seq": n, "accuracy_m": 5.0, **place}
                assert await caller.publish("child-1", json.dumps(body).encode()) == 0
            await caller.leave()
            code, out, _ = sekisho(town.folder, "doctor", "child-1", "--config", str(town.config))
            assert gateway.stop() == 0
        answers.append((code, out[out.index(" ✓ connection") :]))
        rows = sekisho(town.folder, "query", "child", "--personal", "--purpose", "a test", "--json", "--config", str(town.config))[1]  # fmt: skip
        kept.append(len(json.loads(rows)))
    assert kept[0] == 0
    assert kept[1] > 0
    assert answers[0] == answers[1]
    assert answers[0] == (
        0,
        """\
 ✓ connection     since this gateway started
 ✓ heard          today. More is not said of people's devices here
""",
    )


async def test_of_a_real_child_a_wrong_topic_is_a_note_once_it_was_heard(tmp_path: Path) -> None:
    """Nobody can say which came first, so it is shown, and is no fault for ever."""
    town = Town(tmp_path / "town", mark=None)
    token = town.enrol([child("child-1", HOME)], "child-1")
    with Gateway(town) as gateway:
        clinic = Clinic(gateway, {"child-1": token})
        assert await speak(clinic, "child-9", fix(*HOME), user="child-1") == 0x87
        code, found = await doctor(town.folder, town.config, "child-1")
        assert (code, found["step"]) == (1, "topic")
        await speak(clinic, "child-1", fix(*HOME))
        code, found = await doctor(town.folder, town.config, "child-1")
        assert (code, found["step"]) == (0, "heard")
        assert gateway.stop() == 0


async def test_a_device_at_an_anonymous_door_is_healthy(tmp_path: Path) -> None:
    """It needs no credential there, and its own was never used."""
    town = Town(tmp_path / "town")
    town.config.write_text(
        town.config.read_text().replace("port: 0", "port: 0\n    anonymous: true")
    )
    town.enrol([gauge("river-1")], "river-1")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, None, None)
        assert await caller.publish("river-1", b'{"seq": 1, "distance_m": 2.4}') == 0
        await caller.leave()
        code, out, _ = sekisho(town.folder, "doctor", "river-1", "--config", str(town.config))
        assert gateway.stop() == 0
    assert code == 0
    assert "river-1 and whoever has no user name may speak for it" in out


async def test_a_gateway_that_is_stopped_is_called_that(tmp_path: Path) -> None:
    """Nobody waits for ever for one that does not answer."""
    town = Town(tmp_path / "town")
    with Gateway(town) as gateway:
        gateway.signal(signal.SIGSTOP)
        code, found = await doctor(tmp_path, town.config)
        gateway.signal(signal.SIGCONT)
        assert gateway.stop() == 0
    assert (code, found["step"]) == (1, "gateway")
    assert "does not answer: it is stopped" in found["said"]


async def test_a_port_taken_behind_a_killed_gateway_is_named(tmp_path: Path) -> None:
    """What it left behind does not look like a gateway that runs."""
    port = free_port()
    town = Town(tmp_path / "town", port=port)
    with Gateway(town) as gateway:
        gateway.kill()
    with socket.create_server(("127.0.0.1", port)):
        code, found = await doctor(tmp_path, town.config)
    assert (code, found["step"]) == (1, "ports")


async def test_a_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    """The gateway cannot open its door; doctor says who sits there, before anything runs."""
    with socket.create_server(("127.0.0.1", 0)) as sitter:
        port = sitter.getsockname()[1]
        town = Town(tmp_path / "town", port=port)
        code, found = await doctor(tmp_path, town.config)
    assert (code, found["step"]) == (1, "ports")
    assert f"port {port} of door mqtt is taken: " in found["said"]
    assert "(process " in found["said"]
    assert "doors[mqtt].port" in found["remedy"]


async def test_an_expired_certificate_is_named_with_its_day(tmp_path: Path) -> None:
    """Devices that look at it do not connect, and say little about why."""
    then = datetime.now(UTC) - timedelta(days=400)
    made = certificate.issue(tmp_path, ["127.0.0.1"], then)
    tls = f"{{port: 0, certificate: {made.certificate}, key: {made.key}}}"
    town = Town(tmp_path / "town", tls=tls)
    code, found = await doctor(tmp_path, town.config)
    ended = (then + timedelta(days=365)).date()
    assert (code, found["step"]) == (1, "certificate")
    assert f"expired on {ended}" in found["said"]
    assert "put a new one in its place" in found["remedy"]


@pytest.mark.needs("mount")
async def test_a_full_disk_is_named_whether_a_gateway_waits_for_it_or_not(tmp_path: Path) -> None:
    """A small disk filled to the brim: nothing is acknowledged, and doctor says why."""
    with small_disk(tmp_path / "disk") as disk:
        town = Town(disk.path / "town")
        disk.fill()
        code, found = await doctor(tmp_path, town.config)
    assert (code, found["step"]) == (1, "disk")
    assert "is full: 0 MiB are left" in found["said"]
    assert "free some space" in found["remedy"]


def test_nothing_runs_and_doctor_says_so(tmp_path: Path) -> None:
    """The steps behind it are named as not reached; those before it are ticks."""
    town = Town(tmp_path / "town")
    town.enrol([gauge("river-1")], at=SINCE)
    code, out, _ = sekisho(tmp_path, "doctor", "river-1", "--config", str(town.config))
    assert code == 1
    assert " ✗ gateway        No gateway runs on " in out
    assert "not reached: store, brokers, our clock, registered, kind, credential, " in out


async def test_a_damaged_registry_is_a_finding_among_the_others(tmp_path: Path) -> None:
    """What stands before it is ticked, and what lies behind it is named as not reached."""
    town = Town(tmp_path / "town")
    town.enrol([gauge("river-1")], "river-1")
    with Gateway(town) as gateway:
        town.state.registry_db.rename(town.state.path / "away")
        town.state.registry_db.write_bytes(b"no database" * 100)
        code, out, _ = sekisho(town.folder, "doctor", "river-1", "--config", str(town.config))
        (town.state.path / "away").replace(town.state.registry_db)
        gateway.kill()
    assert code == 1
    assert " ✗ registered " in out
    assert "not a usable registry" in out
    assert "not reached: kind, credential" in out
