"""A town whose rows are sealed: whoever has the keys sees what was stored, and whoever has not sees bytes."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.model.instant import parse_rfc3339
from gateway.statedir import Mark
from sekisho.enrolment import token_file_of
from simulators.ledger import roster_line
from simulators.scenario import Scenario
from tests.e2e.processes import Gateway, background, sekisho, until
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

START = "2026-05-12T07:30:00+09:00"
TOWN = Scenario(start=parse_rfc3339(START), harm=0.02)


def test_every_verb_reads_a_sealed_town_through_its_keys(tmp_path: Path) -> None:
    """Half an hour of the town in a directory marked REPLAY: `reconcile` finds no row
    unexplained, `tail` shows rows as they come, `query` and `export` read the same number; the files hold
    nothing but sealed rows, all of one length, and without the keys every verb refuses."""
    town = Town(tmp_path / "town", Mark.REPLAY)
    token_file_of(town.state.path).write_text(
        town.enrol([roster_line(device) for device in TOWN.fleet()])
    )
    state, ledger = ("--state", str(town.state.path)), str(tmp_path / "truth.jsonl")
    with Gateway(town, "--clock", f"sim://{START}") as gateway:
        with background(tmp_path, "tail", "tail", "child", "-n", "3", "--json", *state) as (
            process,
            seen,
        ):
            until(lambda: len(list(town.state.path.glob("*.sock"))) == 1, "the control socket")
            words = ("simulate", "--follow", state[1], "--for", "30min", "--harm", "0.02")
            code, _, said = sekisho(tmp_path, *words, "--pace", "0", "--ledger", ledger)
            assert code == 0, said
            assert process.wait(20) == 0
        shown = [json.loads(line) for line in seen.read_text().splitlines()]
        assert {len(row["pseudonym"]) for row in shown} == {32}
        assert gateway.stop() == 0
    code, out, err = sekisho(tmp_path, "reconcile", "--ledger", ledger, *state)
    assert code == 0, out + err
    stored = {
        kind: queried(tmp_path, kind, *state) for kind in ("child_tracker", "bus_stop_reader")
    }
    assert min(stored.values()) > 0
    bodies: list[bytes] = []
    for file in town.state.personal_dir.glob("*.db"):
        with closing(sqlite3.connect(file)) as db:
            bodies += [body for (body,) in db.execute("SELECT body FROM sealed")]
            for query in ("SELECT 1 FROM child_tracker", "SELECT 1 FROM bus_stop_reader"):
                assert db.execute(query).fetchone() is None
    assert len(bodies) == sum(stored.values())
    assert len({len(body) for body in bodies}) == 1
    export = ("export", "child_places", "--format", "csv", "--out", "places.csv", *state)
    assert "--personal" in sekisho(tmp_path, *export)[2]
    assert sekisho(tmp_path, *export, "--personal")[0] == 0
    lines = (tmp_path / "places.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 1 + stored["child_tracker"]
    (town.folder / "keys").rename(tmp_path / "away")
    tries: list[tuple[str, ...]] = [
        ("query", "child"),
        ("reconcile", "--ledger", ledger),
        ("export", "child", "--format", "csv", "--out", "other.csv", "--personal"),
    ]
    for verb in tries:
        code, out, err = sekisho(tmp_path, *verb, *state)
        assert (code, out) == (1, ""), verb
        assert "keys" in err


def queried(folder: Path, kind: str, *words: str) -> int:
    code, out, err = sekisho(folder, "query", kind, "--json", *words)
    assert code == 0, err
    return len(json.loads(out))
