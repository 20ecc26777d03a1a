"""A journal's damaged end is seen before SQLite silently leaves it out."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from gateway.stores.journal import frames_left_out


def written(folder: Path, commits: int) -> tuple[Path, Path]:
    """A database and its journal as a kill leaves them: nothing checkpointed."""
    live, left = folder / "live.db", folder / "left.db"
    with closing(sqlite3.connect(live, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE t (n INTEGER, body BLOB)")
        for n in range(commits):
            db.execute("INSERT INTO t VALUES (?, randomblob(3000))", (n,))
        for ending in ("", "-wal"):
            shutil.copy(f"{live}{ending}", f"{left}{ending}")
    return left, Path(f"{left}-wal")


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        (count,) = db.execute("SELECT count(*) FROM t").fetchone()
        return int(count)


def test_a_sound_journal_has_nothing_to_leave_out(tmp_path: Path) -> None:
    """As a kill leaves it, used once or used again after a checkpoint."""
    left, log = written(tmp_path, 20)
    assert frames_left_out(log) == 0
    assert rows(left) == 20

    again = tmp_path / "again.db"
    with closing(sqlite3.connect(again, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE t (n INTEGER, body BLOB)")
        for n in range(30):
            db.execute("INSERT INTO t VALUES (?, randomblob(3000))", (n,))
        db.execute("PRAGMA wal_checkpoint(RESTART)")
        db.execute("INSERT INTO t VALUES (99, NULL)")
        assert frames_left_out(Path(f"{again}-wal")) == 0


def test_no_journal_and_an_empty_one_are_whole(tmp_path: Path) -> None:
    empty = tmp_path / "x.db-wal"
    assert frames_left_out(empty) == 0
    empty.write_bytes(b"")
    assert frames_left_out(empty) == 0
    empty.write_bytes(bytes(4096))
    assert frames_left_out(empty) == 0


def test_a_cut_last_frame_is_no_damage_to_speak_of(tmp_path: Path) -> None:
    """A commit that a kill cut off in the middle of a page was acknowledged to nobody."""
    left, log = written(tmp_path, 20)
    log.write_bytes(log.read_bytes()[:-1000])
    assert frames_left_out(log) == 0
    assert rows(left) == 19


@given(place=st.floats(0.05, 0.95))
def test_a_changed_byte_costs_every_frame_from_there_on_and_is_seen(place: float) -> None:
    """What SQLite then leaves out is what was said to be left out."""
    with TemporaryDirectory() as folder:
        left, log = written(Path(folder), 20)
        data = bytearray(log.read_bytes())
        data[32 + int((len(data) - 32) * place)] ^= 0x40
        log.write_bytes(data)
        frames = (len(data) - 32) // (24 + 4096)
        left_out = frames_left_out(log)

        assert 0 < left_out <= frames
        assert rows_or_none(left) < 20


def rows_or_none(path: Path) -> int:
    try:
        return rows(path)
    except sqlite3.OperationalError:  # the table itself was behind the damage
        return 0
