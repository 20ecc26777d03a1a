"""Bad days: what the device sees, what the operator sees, and that nothing needs a restart to go on."""

import asyncio
import json
import os
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.model.instant import to_rfc3339
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.packets import Disconnect, PingResp
from sekisho.window import ask
from tests.e2e.caller import Caller
from tests.e2e.disk import small_disk
from tests.e2e.faults import failing, no_more_files
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.town import Town, child, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def level(seq: int) -> bytes:
    t = to_rfc3339(time.time_ns() // 1000)
    return json.dumps({"t": t, "seq": seq, "distance_m": 2.4}).encode()


def rows(town: Town) -> list[int]:
    """Counters of the stored gauge rows, in order."""
    with closing(sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True)) as db:
        return [n for (n,) in db.execute("SELECT counter FROM river_gauge ORDER BY counter")]


def asked(town: Town) -> dict[str, Any]:
    """What the gateway says to `doctor`."""
    (answer,) = ask(town.state, "doctor")
    return answer


def waits(town: Town) -> bool:
    """Whether it says that its disk refuses just now."""
    return "store unavailable" in asked(town)["standing"]


async def until_waiting(town: Town) -> None:
    await asyncio.to_thread(until, lambda: waits(town), "the gateway to wait for its disk")


def step_of_fault(town: Town) -> str:
    """Where `sekisho doctor` stops."""
    code, out, _ = sekisho(town.folder, "doctor", "--config", str(town.config), "--json")
    assert code == 1
    return str(json.loads(out)["findings"][-1]["step"])


@pytest.mark.needs("mount")
async def test_a_full_disk_delays_and_loses_nothing(tmp_path: Path) -> None:
    """The device gets no acknowledgement while the disk is full, and gets it once there is room: the
    same process, the same connection, one row. The operator reads one line, and doctor names the disk."""
    with small_disk(tmp_path / "disk") as disk:
        town = Town(disk.path / "town")
        token = town.enrol([gauge("river-1")], "river-1")
        with Gateway(town) as gateway:
            caller = await Caller.call(gateway.port, "river-1", token)
            assert await caller.publish("river-1", level(1)) == 0
            disk.fill()
            waiting = asyncio.create_task(caller.publish("river-1", level(2)))
            await until_waiting(town)
            assert not waiting.done()
            assert step_of_fault(town) == "disk"
            disk.empty()
            assert await waiting == 0
            assert 1 <= gateway.said().count("The disk refuses to write (SQLITE_FULL)") <= 4
            await caller.leave()
            assert gateway.stop() == 0
        assert rows(town) == [1, 2]


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("pwrite64:error=EROFS", "SQLITE_IOERR_WRITE"),
        ("pwrite64:error=ENOSPC", "SQLITE_FULL"),
        ("fdatasync:error=EIO", "SQLITE_IOERR_FSYNC"),
    ],
    ids=["read-only", "full", "fsync"],
)
async def test_a_disk_that_refuses_delays_and_loses_nothing(
    tmp_path: Path, fault: str, name: str
) -> None:
    """The kernel lets the call fail, as a disk remounted read-only does, or one whose cache is lost:
    no acknowledgement meanwhile; after it one row, also after a kill."""
    town = Town(tmp_path / "town")
    token = town.enrol([gauge("river-1")], "river-1")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "river-1", token)
        assert await caller.publish("river-1", level(1)) == 0
        with failing(gateway.process.pid, tmp_path, fault):
            waiting = asyncio.create_task(caller.publish("river-1", level(2)))
            await until_waiting(town)
            assert not waiting.done()
            assert step_of_fault(town) == "store"
        assert await waiting == 0
        assert not waits(town)
        assert name in gateway.said()
        await caller.leave()
        gateway.kill()
    assert rows(town) == [1, 2]


@pytest.mark.needs("strace")
async def test_a_slow_disk_slows_answers_and_nothing_else(tmp_path: Path) -> None:
    """Each commit takes half a second: whoever pings meanwhile is answered, and whoever waits is too."""
    town = Town(tmp_path / "town")
    token = town.enrol([gauge("river-1")], "river-1")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "river-1", token)
        with failing(gateway.process.pid, tmp_path, "fdatasync:delay_enter=500000"):
            caller.writer.write(encode.publish(5, b"sekisho/v1/river-1/up", level(1), 1, 1))
            await asyncio.sleep(0.1)  # the commit has begun, and takes a few times that
            caller.writer.write(encode.PINGREQ)
            await caller.listen()
            assert isinstance(caller.heard[-1], PingResp)
            while isinstance(caller.heard[-1], PingResp):
                await caller.listen()
        await caller.leave()
        assert rows(town) == [1]
        assert gateway.stop() == 0


async def test_a_damaged_journal_is_told_and_what_is_sound_is_kept(tmp_path: Path) -> None:
    """After a kill a byte of the journal has changed: rows before it are there, the log says that pages
    were left out, and the gateway goes on; sent again, the rows behind it are stored again."""
    town = Town(tmp_path / "town")
    token = town.enrol([gauge("river-1")], "river-1")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "river-1", token)
        for seq in range(20):
            assert await caller.publish("river-1", level(seq)) == 0
        await caller.leave()
        gateway.kill()
        log = town.state.city_db.with_name("city.db-wal")
        data = bytearray(log.read_bytes())
        data[-5000] ^= 1
        log.write_bytes(data)
        gateway.start()
        assert "The journal of city.db does not hold to its end" in gateway.said()
        kept = rows(town)
        assert kept == list(range(len(kept)))
        assert 0 < len(kept) < 20
        caller = await Caller.call(gateway.port, "river-1", token)
        for seq in range(len(kept), 20):
            assert await caller.publish("river-1", level(seq)) == 0
        await caller.leave()
        assert gateway.stop() == 0
    assert rows(town) == list(range(20))


async def test_without_files_to_open_those_who_are_in_go_on(tmp_path: Path) -> None:
    """The user may open no more files: who is connected is served and stored, who comes is turned away,
    the log says so; once there are files again, the next one comes in."""
    town = Town(tmp_path / "town")
    token = town.enrol([gauge("river-1"), gauge("river-2")], "river-1")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "river-1", token)
        assert await caller.publish("river-1", level(1)) == 0
        with no_more_files(gateway.process.pid):
            assert await turned_away(gateway.port)
            assert await caller.publish("river-1", level(2)) == 0
            await asyncio.to_thread(
                until, lambda: "may open no more files" in gateway.said(), "the word about it"
            )
        again = await Caller.call(gateway.port, "river-1", token)
        assert await again.publish("river-2", level(3)) == 0
        await again.leave()
        await caller.leave()
        assert gateway.stop() == 0
    assert rows(town) == [1, 2, 3]


async def turned_away(port: int) -> bool:
    """Whether a connection is ended, or not taken, before a word is said."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.write(encode.connect(5, "late", "river-1", b"", 60))
    try:
        answer = await asyncio.wait_for(reader.read(1), 2)
    except (ConnectionError, TimeoutError):
        answer = b""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return answer == b""


async def test_a_device_that_vanished_is_let_go_and_may_come_back_at_once(tmp_path: Path) -> None:
    """A line without an end (power cut, tunnel): its place is taken by the device itself the moment it
    is back, and after one and a half keep-alives by nobody."""
    town = Town(tmp_path / "town")
    token = town.enrol([gauge("river-1")], "river-1")
    with Gateway(town) as gateway:
        gone = await Caller.call(gateway.port, "river-1", token, keep_alive_s=1)
        while await gone.listen():
            pass
        ended = gone.heard[-1]
        assert isinstance(ended, Disconnect)
        assert ended.reason == 0x8D
        await gone.leave()
        back = await Caller.call(gateway.port, "river-1", token)
        assert await back.publish("river-1", level(1)) == 0
        await back.leave()
        assert gateway.stop() == 0


async def test_ten_thousand_unknown_devices_leave_a_number(tmp_path: Path) -> None:
    """Each is told; on disk stands one row with their count, no id; the log and the memory stay short,
    and the device between them is stored."""
    town = Town(tmp_path / "town")
    token = town.enrol([gauge("river-1"), child("child-1", (36.7, 137.2))], "river-1")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "river-1", token)
        assert await caller.publish("river-1", level(1)) == 0
        before = resident(gateway.process.pid)
        for start in range(0, 10_000, 500):
            names = [f"ghost-{n:05}" for n in range(start, start + 500)]
            assert set(await caller.publish_all(names, b"{}")) == {0x87}
            assert await caller.publish("river-1", level(2 + start)) == 0
        assert resident(gateway.process.pid) - before < 8 << 20
        assert len(asked(town)["knocks"]) == 20
        await caller.leave()
        assert gateway.stop() == 0
    assert len(rows(town)) == 21
    with closing(sqlite3.connect(town.state.city_db)) as db:
        counts = db.execute("SELECT reason, count FROM refusals_per_day").fetchall()
    assert sum(count for _, count in counts) == 10_000
    assert {reason for reason, _ in counts} == {"unknown device"}
    files = [path.read_bytes() for path in town.state.path.rglob("*") if path.is_file()]
    assert not any(b"ghost-" in content for content in [*files, gateway.log.read_bytes()])
    assert gateway.said().count("\n") < 40


def resident(process: int) -> int:
    """Bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_a_frozen_gateway_that_thaws_goes_on(tmp_path: Path) -> None:
    """Suspended in the middle (a laptop's lid, a machine that is moved): what was sent meanwhile is
    taken, stored once and acknowledged."""
    town = Town(tmp_path / "town")
    token = town.enrol([gauge("river-1")], "river-1")
    with Gateway(town) as gateway:
        caller = await Caller.call(gateway.port, "river-1", token)
        gateway.signal(signal.SIGSTOP)
        waiting = asyncio.create_task(caller.publish("river-1", level(1)))
        await asyncio.sleep(1.0)
        assert not waiting.done()
        gateway.signal(signal.SIGCONT)
        assert await waiting == 0
        await caller.leave()
        assert gateway.stop() == 0
    assert rows(town) == [1]
