"""Simulated time in lock-step: however fast the town goes, the same rows lie on disk."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.model.instant import MINUTE, parse_rfc3339
from gateway.statedir import Mark
from sekisho.enrolment import token_file_of
from simulators.ledger import roster_line
from simulators.scenario import Scenario
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

START = "2026-05-12T07:42:00+09:00"
"""Children are on their way to school."""

TOWN = Scenario(start=parse_rfc3339(START), harm=0.1)

Tables = dict[str, list[tuple[Any, ...]]]


@pytest.mark.parametrize("mark", [Mark.SIM, Mark.REPLAY], ids=["plain", "sealed"])
def test_every_pace_stores_the_same_rows(tmp_path: Path, mark: Mark) -> None:
    """Four minutes of the town at pace 60, 600 and as fast as possible, from the same directory with
    the same keys: every table of the city's and the personal files is the same, times of receipt
    included, and to the byte where rows about people are sealed; so it is at QoS 0 over three connections.
    Another step gives other times of receipt, so the comparison can fail."""
    base = Town(tmp_path / "base", mark)
    token = base.enrol([roster_line(device) for device in TOWN.fleet()])
    token_file_of(base.state.path).write_text(token)
    first = lived(base, tmp_path / "first", "--pace", "0")
    people = {"child_tracker", "bus_stop_reader"} if mark is Mark.SIM else {"sealed"}
    assert {name.split("/")[1] for name, rows in first.items() if rows} >= {
        *people, "bicycle_parking_counter", "refusals_per_day",
    }  # fmt: skip
    keys = tmp_path / "first" / "keys"
    for pace in ("60", "600"):
        assert lived(base, tmp_path / pace, "--pace", pace, keys=keys) == first
    words = ("--pace", "0", "--qos", "0", "--connections", "3")
    assert lived(base, tmp_path / "qos", *words, keys=keys) == first
    other = lived(base, tmp_path / "other", "--pace", "0", "--step", "2min", keys=keys)
    assert other != first
    if mark is Mark.SIM:  # behind a seal a minute that was our clock's cannot be left out
        assert [without_receipt(rows) for rows in other.values()] == [
            without_receipt(rows) for rows in first.values()
        ]


def lived(base: Town, folder: Path, *words: str, keys: Path | None = None) -> Tables:
    """What four minutes of the town leave behind in a copy of `base`, with keys made earlier."""
    town = base.twin(folder)
    if keys is not None:
        shutil.rmtree(folder / "keys")
        shutil.copytree(keys, folder / "keys")
    with Gateway(town, "--clock", f"sim://{START}") as gateway:
        state = str(town.state.path)
        following = ("simulate", "--follow", state, "--for", "4min", "--harm", str(TOWN.harm))
        code, _, said = sekisho(folder, *following, *words)
        assert code == 0, said
        assert gateway.stop() == 0
    return {
        f"{path.stem}/{table}": rows
        for path in (town.state.city_db, *sorted(town.state.personal_dir.glob("*.db")))
        for table, rows in tables(path).items()
    }


def tables(path: Path) -> Tables:
    """Every row of every table, sorted."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {name: sorted(db.execute(f"SELECT * FROM {name}")) for name in names}  # noqa: S608


def without_receipt(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows without what lies in the minutes of the run on no sender's word: times of receipt."""
    begin = TOWN.start
    ends = {begin + n * MINUTE // 6 for n in range(1, 61)}
    return sorted((tuple(value for value in row if value not in ends) for row in rows), key=repr)
