"""Copies for other readers: whole, consistent beside a writer, never over another file, never of real people."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE
from gateway.statedir import Mark, StateDir
from gateway.stores.copies import copy
from gateway.stores.sqlite_file import SqliteFile
from sekisho.snapshot import snapshot

ROOT = Path(__file__).parents[2]
T = 1_778_555_820_000_000
_ROW = "INSERT INTO river_gauge VALUES (?,'river-1',?,x'00',0,?,'device',0,1.5,NULL,11.5,3.6)"


def filled(path: Path, mark: Mark | None = Mark.SIM, rows: int = 3) -> StateDir:
    """A state directory with some rows, and one personal file."""
    state = StateDir.create(path, mark, SystemClock())
    city = SqliteFile(state.city_db, "city")
    city.db.executemany(_ROW, [(T + n * MINUTE, n, T) for n in range(rows)])
    city.close()
    SqliteFile(state.personal_dir / "store-2026-W20.db", "personal").close()
    return state


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return filled(tmp_path / "state")


def rows_of(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(db.execute("SELECT count(*) FROM river_levels").fetchone()[0])


def test_a_snapshot_is_one_file_that_others_may_read(state: StateDir, tmp_path: Path) -> None:
    """All rows and views, no journal beside it, group-readable, and nothing left of its making."""
    out = tmp_path / "copies" / "city.db"
    out.parent.mkdir()

    snapshot(out=out, state=state.path, quiet=True)

    assert rows_of(out) == 3
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    assert [path.name for path in out.parent.iterdir()] == ["city.db"]


def test_what_is_there_stays_unless_forced(state: StateDir, tmp_path: Path) -> None:
    out = tmp_path / "city.db"
    out.write_text("something else")

    with pytest.raises(Refusal, match="--force"):
        snapshot(out=out, state=state.path)
    assert out.read_text() == "something else"

    snapshot(out=out, state=state.path, force=True, quiet=True)
    assert rows_of(out) == 3


def test_what_is_no_file_is_never_replaced(state: StateDir, tmp_path: Path) -> None:
    """A pipe, a device or a folder stays what it is, with --force too; a link is followed, and stays."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    for out in (pipe, tmp_path):
        with pytest.raises(Refusal, match="would take its place"):
            snapshot(out=out, state=state.path, force=True)
    assert pipe.is_fifo()
    link.symlink_to("city.db")
    snapshot(out=link, state=state.path, quiet=True)
    assert link.is_symlink()
    assert rows_of(tmp_path / "city.db") == 3


def test_a_file_that_comes_meanwhile_is_not_overwritten(state: StateDir, tmp_path: Path) -> None:
    """Between the look and the last step somebody else may write there."""
    out = tmp_path / "city.db"
    out.write_text("mine")

    with pytest.raises(FileExistsError):
        copy(state.city_db, out, mode=0o640, replace=False)

    assert out.read_text() == "mine"
    assert [path.name for path in tmp_path.glob(".city*")] == []


def test_a_snapshot_is_taken_beside_a_writer(state: StateDir, tmp_path: Path) -> None:
    """Transactions of two rows: every copy holds an even number more, and the writer never waits long."""
    stop, errors = Event(), list[BaseException]()

    def write() -> None:
        try:
            with closing(sqlite3.connect(state.city_db, isolation_level=None)) as db:
                db.execute("PRAGMA journal_mode=WAL")
                n = 1000
                while not stop.is_set():
                    db.execute("BEGIN IMMEDIATE")
                    db.executemany(_ROW, [(T + i * MINUTE, i, T) for i in (n, n + 1)])
                    db.execute("COMMIT")
                    n += 2
        except BaseException as error:
            errors.append(error)
            raise

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(20):
            copy(state.city_db, tmp_path / f"{number}.db", mode=0o640, replace=False)
    finally:
        stop.set()
        writer.join()

    counts = [rows_of(tmp_path / f"{number}.db") for number in range(20)]
    assert errors == []
    assert counts == sorted(counts)
    assert counts[-1] > 3
    assert {count % 2 for count in counts} == {1}


def test_nothing_is_left_of_a_copy_that_fails(state: StateDir, tmp_path: Path) -> None:
    """Neither the target nor a draft, and the sentence says what to look at."""
    with pytest.raises(Refusal, match="nothing is left of the try"):
        copy(state.city_db, tmp_path / "no folder" / "city.db", mode=0o640, replace=False)
    state.city_db.write_bytes(b"no database at all" * 100)

    with pytest.raises(Refusal, match="not a database"):
        snapshot(out=tmp_path / "city.db", state=state.path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


@pytest.mark.parametrize("inside", ["copy.db", "personal/copy.db"])
def test_no_copy_lies_inside_the_state_directory(state: StateDir, inside: str) -> None:
    with pytest.raises(Refusal, match="inside the state directory"):
        snapshot(out=state.path / inside, state=state.path)


def test_people_of_the_real_thing_are_never_copied(tmp_path: Path) -> None:
    """A copy would outlive retention and erasure; of a fictional town it may be made."""
    real, town = filled(tmp_path / "real", None), filled(tmp_path / "town")
    out, folder = tmp_path / "city.db", tmp_path / "people"

    with pytest.raises(Refusal, match="holds the real thing") as refusal:
        snapshot(out=out, state=real.path, personal=folder)
    assert refusal.value.exit_code == 2
    assert not out.exists()
    assert not folder.exists()

    snapshot(out=out, state=town.path, personal=folder, quiet=True)
    (copied,) = folder.iterdir()
    assert copied.name == "store-2026-W20.db"
    assert stat.S_IMODE(copied.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_scripts_get_files_and_sizes(state: StateDir, tmp_path: Path) -> None:
    words = ["snapshot", "--out", "city.db", "--state", str(state.path), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "sekisho", *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    said: dict[str, Any] = json.loads(done.stdout)

    size = (tmp_path / "city.db").stat().st_size
    assert said == {"copies": [{"file": "city.db", "bytes": size}]}
    assert done.stderr == ""


def test_a_large_copy_says_how_far_it_is(state: StateDir, tmp_path: Path) -> None:
    """The share only grows, from something to all of it."""
    with closing(sqlite3.connect(state.city_db)) as db, db:
        db.executemany(_ROW, [(T + n * MINUTE, n, T) for n in range(10, 40_000)])
    shares: list[float] = []

    copy(state.city_db, tmp_path / "c.db", mode=0o640, replace=False, progress=shares.append)

    assert len(shares) > 3
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


def test_a_directory_without_rows_says_so(tmp_path: Path) -> None:
    empty = StateDir.create(tmp_path / "state", Mark.SIM, SystemClock())
    with pytest.raises(Refusal, match=r"no city\.db yet"):
        snapshot(out=tmp_path / "city.db", state=empty.path)
