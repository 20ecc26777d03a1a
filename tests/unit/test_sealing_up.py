"""Rows that an earlier version left in plain are sealed at the next start."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.app import erasing, run
from gateway.app.checkpoint import Tempo
from gateway.app.sealing_up import seal_up
from gateway.clock import SimulatedClock
from gateway.statedir import Mark
from gateway.stores import plain_rows, sqlite_file
from gateway.stores.sqlite_file import SqliteFile
from tests.fakes.erasing import begin
from tests.fakes.readings import NOON, policy
from tests.fakes.sealed import opened
from tests.unit.test_erase import WEEKS, House

TAG = (NOON, b"t" * 16, "12_1", None, 2, b"e" * 16)


class Old(House):
    """A house of before: its rows lie in plain, and a stop's reads among them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as before:
            before.setattr("gateway.statedir.StateDir.sealed", False)
            super().__init__(folder, None)
        file = SqliteFile(self.state.personal_dir / f"{WEEKS[0]}.db", "personal")
        assert file.insert("bus_stop_reader", [TAG]) == ([], [])
        file.close()


def test_plain_rows_are_sealed_under_their_households(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row can be read as before and by nobody without keys; those whose pseudonym a registered device bears go
    with their household, when it is erased; a second start has nothing to do."""
    house = Old(tmp_path, monkeypatch)
    with monkeypatch.context() as before:
        before.setattr("gateway.statedir.StateDir.sealed", False)
        plain = house.people()
    with house.registry() as registry:
        registry.ruleset("ab" * 32, NOON)
        assert seal_up(house.state, house.ring, registry) == (19, 0, ())
        assert seal_up(house.state, house.ring, registry) == (0, 0, ())
        key = [(row["minute"], row["identity"]) for row in plain]
        assert sorted(key) == sorted((row["minute"], row["identity"]) for row in house.people())
        assert sorted(map(repr, house.people())) == sorted(map(repr, plain))
        assert len(list(opened(house.state, "bus_stop_reader", house.ring))) == 1
        secrets = {row["pseudonym"] for row in plain} | {TAG[5]}
        for path in house.state.personal_dir.iterdir():
            assert path.suffix != ".db" or not plain_rows.are_there(path)
            assert not any(secret in path.read_bytes() for secret in secrets)
        erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
        erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
    left = house.people()
    theirs = {row.row[2] for row in house.rows("child-3", "h-2", 2)}
    assert len(left) == 6
    assert {row["pseudonym"] for row in left} == theirs


def test_plain_bytes_that_a_reader_holds_go_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reads a file while its rows are sealed: it is named, and remembered over a kill until nothing is left."""
    house = Old(tmp_path, monkeypatch)
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.05)
    path = house.state.personal_dir / f"{WEEKS[0]}.db"

    def plain() -> bool:
        return any(TAG[5] in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))

    with house.registry() as registry:
        registry.ruleset("ab" * 32, NOON)
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN").execute("SELECT * FROM bus_stop_reader").fetchone()
            assert seal_up(house.state, house.ring, registry) == (19, 0, (path.name,))
            assert seal_up(house.state, house.ring, registry) == (0, 0, (path.name,))
            assert plain()
        assert seal_up(house.state, house.ring, registry) == (0, 0, ())
        assert not plain()
        assert len(list(opened(house.state, "bus_stop_reader", house.ring))) == 1
        assert list(path.parent.glob("*.sealing")) == []


async def test_a_gateway_that_cannot_finish_says_which_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts all the same: the rows are sealed, and what remains of them is for the operator to end."""
    house = Old(tmp_path, monkeypatch)
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.05)
    plan = SimpleNamespace(
        state=house.state,
        keys=house.ring,
        clock=SimulatedClock(NOON),
        policy=policy(),
        tempo=Tempo(),
        counted=(),
    )
    with (
        house.registry() as registry,
        closing(sqlite3.connect(house.state.personal_dir / f"{WEEKS[0]}.db")) as reader,
    ):
        reader.execute("BEGIN").execute("SELECT * FROM bus_stop_reader").fetchone()
        begun = run._checkpoint(cast(run.Plan, plan), registry)
        await begun.store.close()

    assert {"rows sealed", "plain rows remain"} <= set(begun.facts.counts)


def test_sealing_that_was_cut_off_behind_its_commit_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file itself still has the plain rows then, behind a journal that has them overwritten."""
    house = Old(tmp_path, monkeypatch)
    with house.registry() as registry:
        registry.ruleset("ab" * 32, NOON)
        monkeypatch.setattr(SqliteFile, "close", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            seal_up(house.state, house.ring, registry)
        monkeypatch.undo()
        done = seal_up(house.state, house.ring, registry)
        assert (done.dropped, done.waiting) == (0, ())
        assert not any(TAG[5] in file.read_bytes() for file in house.state.personal_dir.iterdir())
        assert list(house.state.personal_dir.glob("*.sealing")) == []


def _cut_off(file: SqliteFile) -> bool:
    raise KeyboardInterrupt(file.path)


def test_plain_rows_of_nobody_known_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that moved to another household leaves its rows with the one that had agreed for it, and they go with
    that. What no household is known to have left is deleted: under the file's key alone no erasure would reach it."""
    house = Old(tmp_path, monkeypatch)
    with house.registry() as registry:
        registry.put_device("child-1", "child_tracker", "16201", 0, "h-2")
        registry.drop_device("child-3")
        registry.put_device("unknown", "child_tracker", "16201", 0, "h-3")
        with closing(sqlite3.connect(house.state.registry_db)) as db, db:
            db.execute("DELETE FROM consents WHERE device = 'child-3'")
        assert seal_up(house.state, house.ring, registry) == (12 + 1, 6, ())
        assert len(house.people()) == 12
        erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
        erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
    assert house.people() == []


def test_plain_rows_of_invented_people_stay(tmp_path: Path) -> None:
    """SIM directories are plain."""
    house = House(tmp_path, Mark.SIM)
    with house.registry() as registry:
        assert seal_up(house.state, house.ring, registry) == (0, 0, ())
    assert len(house.people()) == 18
