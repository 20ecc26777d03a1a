"""`sekisho record` on bad days: two of them, a gateway that hangs or stops, a full disk, a kill."""

import asyncio
import gzip
import resource
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.crowd import crowd, uplinks
from tests.e2e.disk import small_disk
from tests.e2e.processes import SEKISHO, Gateway, background, ended, environment, sekisho, until
from tests.e2e.sender import Sender
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

RIVERS = crowd(0, 4, 0)


class Place(NamedTuple):
    """A running gateway of four gauges, and what the recorders are told of it."""

    town: Town
    gateway: Gateway
    token: str

    def send(self, number: int, begun_s: int = 120) -> None:
        """So many uplinks, acknowledged; the first so long ago."""
        start = time.time_ns() // 1000 - begun_s * 1_000_000
        sender = Sender("rivers", ("fleet", self.token), islice(uplinks(RIVERS, start), number))
        asyncio.run(sender.run(self.gateway.port))

    def words(self, file: Path, *more: str) -> tuple[str, ...]:
        return ("record", str(file), "--state", str(self.town.state.path), *more)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    town = Town(tmp_path / "town", None)
    token = town.enrol(RIVERS)
    with Gateway(town) as gateway:
        yield Place(town, gateway, token)


def part_of(file: Path) -> Path:
    """The name under which a recorder writes meanwhile, once it does."""
    (part,) = until(lambda: list(file.parent.glob(f"{file.name}.*.part")), "the recording")
    return Path(part)


def sent(text: bytes) -> int:
    return text.count(b'"is":"sent"')


def until_sent(part: Path, number: int) -> None:
    """Wait for so many uplinks in what a recorder writes."""
    until(lambda: sent(unpacked(part)) == number, "what was sent")


def replayed(folder: Path, file: Path) -> int:
    """Uplinks of a cassette that is cut off, and is replayed all the same."""
    folder.mkdir(exist_ok=True)
    code, said, error = sekisho(
        folder, "replay", str(file), "--state", str(folder / "again" / "state")
    )
    assert code == 0, error
    assert "cut off" in said + error
    return sent(gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes())


def test_a_second_recorder_touches_nothing_of_the_first(here: Place, tmp_path: Path) -> None:
    """Told the same FILE it is refused before it opens anything; what the first has written stays, and
    SIGTERM ends that one with all of it and the last line."""
    file = tmp_path / "one.cassette"
    with background(tmp_path, "first", *here.words(file)) as (process, said):
        part = part_of(file)
        here.send(40)
        code, _, error = sekisho(tmp_path, *here.words(file, "--force"))
        assert (code, "Another recording runs" in error) == (1, True)
        here.send(40, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, said.read_text()
    assert not part.exists()
    assert sent(file.read_bytes()) == 80
    assert b'"is":"end"' in file.read_bytes()


def test_a_file_that_comes_meanwhile_is_not_replaced(here: Place, tmp_path: Path) -> None:
    """FILE appears while it is recorded, and nobody said --force: both stay, and the place of the recording is said."""
    file = tmp_path / "one.cassette"
    with background(tmp_path, "first", *here.words(file)) as (process, said):
        part = part_of(file)
        file.write_text("mine")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 1
    assert file.read_text() == "mine"
    assert str(part) in said.read_text()
    assert b'"is":"end"' in part.read_bytes()


def test_a_gateway_that_is_stopped_holds_no_recorder(here: Place, tmp_path: Path) -> None:
    """While it is stopped (SIGSTOP) Ctrl-C ends a recording after a while (exit 1), a second one at once (130), and a
    third recorder does not begin; what came before stands in the files."""
    one, two = tmp_path / "one.cassette", tmp_path / "two.cassette.gz"
    for file, code in ((one, 1), (two, 130)):
        with background(tmp_path, file.name, *here.words(file)) as (process, said):
            part = part_of(file)
            here.send(40, 120 if file is one else 60)
            until_sent(part, 40)
            here.gateway.signal(signal.SIGSTOP)
            try:
                process.send_signal(signal.SIGINT)
                if file is one:
                    third = here.words(tmp_path / "three.cassette")
                    refused, _, error = sekisho(tmp_path, *third)
                    assert (refused, "does not answer" in error) == (1, True)
                else:
                    time.sleep(0.5)
                    process.send_signal(signal.SIGINT)
                assert process.wait(20) == code, said.read_text()
            finally:
                here.gateway.signal(signal.SIGCONT)
        assert str(file) in said.read_text()
        assert replayed(tmp_path / file.name.partition(".")[0], file) == 40


def unpacked(part: Path) -> bytes:
    """What can be read of a part now."""
    raw = part.read_bytes()
    return zlib.decompressobj(31).decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


@pytest.mark.parametrize("name", ["small.cassette", "small.cassette.gz"])
def test_a_full_disk_leaves_what_was_written(here: Place, tmp_path: Path, name: str) -> None:
    """No more room than for some lines (RLIMIT_FSIZE): exit 1, the reason, and a cassette that is cut off at the end of
    a line and can be replayed."""
    file = tmp_path / name
    with limited(tmp_path, here.words(file), 8192) as (process, said):
        part_of(file)
        for number in range(5 if file.suffix == ".gz" else 1):
            here.send(400, 1000 - 100 * number)
        assert process.wait(20) == 1
    assert "File too large" in said.read_text()
    assert 0 < replayed(tmp_path / "again", file) < 2000


@pytest.mark.needs("mount")
@pytest.mark.parametrize("name", ["small.cassette", "small.cassette.gz"])
def test_a_disk_that_fills_up_leaves_what_was_written(
    here: Place, tmp_path: Path, name: str
) -> None:
    """The disk is full in the middle of a recording: exit 1, the reason, and a cassette that can be replayed. Once
    it is full, no recording begins, and nothing of the try stays."""
    with small_disk(tmp_path / "disk", "256k") as disk:
        file = disk.path / name
        with background(tmp_path, "full", *here.words(file)) as (process, said):
            part = part_of(file)
            here.send(40)
            until_sent(part, 40)
            disk.fill()
            here.send(4000, 5000)
            assert process.wait(20) == 1
        assert "No space left on device" in said.read_text()
        assert replayed(tmp_path / "again", file) >= 40
        disk.fill()
        code, _, error = sekisho(tmp_path, *here.words(disk.path / "more.cassette"))
        assert (code, "make room there" in error) == (1, True)
        assert sorted(path.name for path in disk.path.iterdir()) == ["ballast", name]


@contextmanager
def limited(folder: Path, words: tuple[str, ...], size: int) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:  # fmt: skip
    """A command whose files have so many bytes at most, and the file with what it prints."""
    said = folder / "limited.txt"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *SEKISHO, *words],
            cwd=folder,
            env=environment(),
            stdout=out,
            stderr=out,
        )
    with ended(process, signal.SIGINT):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))
        yield process, said


def begun(folder: Path, words: tuple[str, ...]) -> tuple[int, str, str] | None:
    """What a recorder said; None where it was refused."""
    said = sekisho(folder, *words)
    return said if said[0] == 0 else None


def test_a_packed_recording_outlives_a_kill(here: Place, tmp_path: Path) -> None:
    """kill -9: a moment after lines came they can be unpacked, the next recorder of FILE says where they
    lie, and a part that a recorder is writing is none."""
    file = tmp_path / "one.cassette.gz"
    with background(tmp_path, "killed", *here.words(file)) as (process, _):
        part = part_of(file)
        here.send(40)
        until_sent(part, 40)
        process.kill()
        process.wait(20)
    out = subprocess.run(["gzip", "-dc", str(part)], capture_output=True, check=False).stdout
    (tmp_path / "got.cassette").write_bytes(out)
    assert replayed(tmp_path / "got", tmp_path / "got.cassette") == 40
    words = here.words(file, "--for", "0s")
    _, _, error = until(lambda: begun(tmp_path, words), "the end of the first recording")
    assert error.count(".part was left by a recorder that was killed") == 1
    assert str(part) in error
    assert file.exists()


def test_a_gateway_that_stops_ends_the_recording(here: Place, tmp_path: Path) -> None:
    """SIGTERM to the gateway, while its recorder lags (SIGSTOP, for a second): every line comes, and the last."""
    file = tmp_path / "one.cassette"
    with background(tmp_path, "lagging", *here.words(file, "--json")) as (process, said):
        part_of(file)
        process.send_signal(signal.SIGSTOP)
        here.send(4000, 2000)
        here.gateway.signal(signal.SIGTERM)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        assert process.wait(20) == 0, said.read_text()
        assert here.gateway.wait() == 0
    assert sent(file.read_bytes()) == 4000
    assert b'"is":"end","lines":4000' in file.read_bytes()


def test_a_recorder_that_never_reads_on_does_not_hold_a_gateway(
    here: Place, tmp_path: Path
) -> None:
    """Its recorder is stopped for good: the gateway stops all the same, and the cassette is cut off."""
    file = tmp_path / "one.cassette"
    with background(tmp_path, "stuck", *here.words(file)) as (process, said):
        part_of(file)
        process.send_signal(signal.SIGSTOP)
        here.send(4000, 2000)
        assert here.gateway.stop() == 0
        process.send_signal(signal.SIGCONT)
        assert process.wait(20) == 1
    assert "The gateway has gone" in said.read_text()
    assert 0 < replayed(tmp_path / "again", file) < 4000


def test_a_recorder_waits_for_a_gateway(tmp_path: Path) -> None:
    """--wait: it is there first, and records as soon as there is a gateway; without it, it says that there is none."""
    town = Town(tmp_path / "town", None)
    town.enrol(RIVERS)
    file = tmp_path / "one.cassette"
    words = ("record", str(file), "--state", str(town.state.path), "--for", "0s")
    code, _, error = sekisho(tmp_path, *words)
    assert (code, "No gateway runs" in error) == (1, True)
    with background(tmp_path, "waiting", *words, "--wait", "60s") as (process, said), Gateway(town):
        assert process.wait(30) == 0, said.read_text()
    assert b'"is":"end"' in file.read_bytes()
