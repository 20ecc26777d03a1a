"""Rows that an earlier version left in plain are sealed at the next start."""

from pathlib import Path

import pytest

from gateway.app import erasing
from gateway.app.sealing_up import seal_up
from gateway.statedir import Mark
from gateway.stores import plain_rows
from gateway.stores.sqlite_file import SqliteFile
from tests.fakes.readings import NOON
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
        assert seal_up(house.state, house.ring, registry) == 19
        assert seal_up(house.state, house.ring, registry) == 0
        key = [(row["minute"], row["identity"]) for row in plain]
        assert sorted(key) == sorted((row["minute"], row["identity"]) for row in house.people())
        assert sorted(map(repr, house.people())) == sorted(map(repr, plain))
        assert len(list(opened(house.state, "bus_stop_reader", house.ring))) == 1
        secrets = {row["pseudonym"] for row in plain} | {TAG[5]}
        for path in house.state.personal_dir.iterdir():
            assert path.suffix != ".db" or not plain_rows.are_there(path)
            assert not any(secret in path.read_bytes() for secret in secrets)
        erasure = erasing.begin(house.state, house.ring, registry, "h-1", (), NOON)
        erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
    left = house.people()
    weekly = [row for row in plain if row["pseudonym"] in {r["pseudonym"] for r in left}]
    assert (
        len(left) == len(weekly) == 6 + 4
    )  # the last week's pseudonyms of a day are no device's own


def test_plain_rows_of_invented_people_stay(tmp_path: Path) -> None:
    """SIM directories are plain."""
    house = House(tmp_path, Mark.SIM)
    with house.registry() as registry:
        assert seal_up(house.state, house.ring, registry) == 0
    assert len(house.people()) == 18
