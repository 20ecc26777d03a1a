"""A kind that is a YAML file: from `check` through simulator and listener to `query`, without Python."""

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, Gateway, background, sekisho, until
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

KIND = "snow_gauge"


def declare(town: Town) -> Path:
    """Put the shipped declaration beside the town's configuration, where it is found by itself."""
    folder = town.config.parent / "kinds"
    folder.mkdir()
    shutil.copy(ROOT / "config" / "kinds" / f"{KIND}.yaml", folder)
    return folder / f"{KIND}.yaml"


def stored(town: Town) -> int:
    """Rows of the kind that lie in `city.db`."""
    with closing(sqlite3.connect(town.state.city_db)) as db:
        return int(db.execute("SELECT count(*) FROM snow_gauge").fetchone()[0])


def test_a_declared_kind_goes_from_check_to_query(tmp_path: Path) -> None:
    """Its examples are proven, its gauges registered, simulated, received, stored, and read again."""
    town = Town(tmp_path)
    file = declare(town)
    code, out, err = sekisho(tmp_path, "check", str(town.config))
    assert code == 0, err
    assert f"{KIND} (5 examples)" in out

    state = str(town.state.path)
    (tmp_path / "winter.yaml").write_text(f"children: 0\nharm: 0\nextra: {{{KIND}: 3}}\n")
    with Gateway(town) as gateway:
        url = f"mqtt://127.0.0.1:{gateway.port}"
        words = ["--scenario", "winter.yaml", "--register", state, "--follow", state, "--to", url]
        words += ["--for", "1h", "--pace", "0", "--seed"]
        seeds = count(1)
        with background(tmp_path, "tail", "tail", "snow", "--state", state, "--json") as (_, seen):

            def shown() -> bool:
                """Simulate a snowy hour; whether the viewer was there in time to see it."""
                code, _, err = sekisho(tmp_path, "simulate", *words, str(next(seeds)))
                assert code == 0, err
                return '"depth_cm"' in seen.read_text()

            until(shown, "a row in the viewer")
        until(lambda: stored(town) >= 15, "the gauges' rows")
        code, out, err = sekisho(tmp_path, "query", "snow", "--state", state, "--json")
        assert code == 0, err
        rows = json.loads(out)
        assert gateway.stop() == 0

    assert {row["device"] for row in rows} == {f"snow-gauge-0{n}" for n in (1, 2, 3)}
    assert all(30 < row["depth_cm"] < 50 and -8 < row["air_c"] < 5 for row in rows)
    assert "echo" not in rows[0], "a secret field is never kept"

    file.unlink()  # what is stored stays readable without the configuration
    code, out, err = sekisho(tmp_path, "query", "snow", "--state", state, "--json")
    assert (code, len(json.loads(out))) == (0, len(rows)), err
    payload = "01a9 ffe1 58"
    code, out, _ = sekisho(tmp_path, "decode", "-k", KIND, "--state", state, payload, "--json")
    assert (code, json.loads(out)["values"]["depth_cm"]) == (0, 42.5)


def test_what_a_declared_kind_sends_is_reconciled_to_the_row(tmp_path: Path) -> None:
    """Harmed on purpose, in simulated time: fates and values are those the oracle expects, or none."""
    town = Town(tmp_path)
    declare(town)
    state = str(town.state.path)
    words = ["--register", state, "--follow", state, "--children", "0", "--harm", "0.2"]
    words += ["--extra", f"{KIND}=6", "--for", "2h", "--pace", "0", "--ledger", "truth.jsonl"]
    with Gateway(town, "--clock", "sim://2026-01-20T07:00+09:00") as gateway:
        code, _, err = sekisho(tmp_path, "simulate", *words)
        assert code == 0, err
        config = str(town.config)
        code, out, err = sekisho(
            tmp_path, "reconcile", "--ledger", "truth.jsonl", "--config", config, "--json"
        )
        assert gateway.stop() == 0

    assert code == 0, out + err
    said = json.loads(out)
    assert said["unexplained"] == 0
    fates = {(t["fate"], t["reason"]) for t in said["terms"] if t["kind"] == KIND}
    assert fates >= {("stored", ""), ("duplicate", ""), ("rejected", "out of range")}


def test_a_declaration_may_grow_and_not_shrink(tmp_path: Path) -> None:
    """A new field is a new, empty column; a field that is gone is refused at the start, with the way out."""
    town = Town(tmp_path)
    file = declare(town)
    text = file.read_text()
    with Gateway(town) as gateway:
        assert gateway.stop() == 0
    grown = (
        "  - name: wet_pct\n    meaning: water in the snow\n    unit: '%'\n    limits: [0, 100]\n"
    )
    grown += "    sensitivity: public\n    required: false\n"
    file.write_text(text.replace("  - name: air_c\n", grown + "  - name: air_c\n", 1))
    with Gateway(town) as gateway:
        assert gateway.stop() == 0
    with closing(sqlite3.connect(town.state.city_db)) as db:
        names = [row[1] for row in db.execute(f"PRAGMA table_info({KIND})")]
    assert names[-3:] == ["depth_cm", "air_c", "wet_pct"]

    file.write_text(text)
    code, _, err = sekisho(tmp_path, "run", "--config", str(town.config))
    assert code == 1
    assert "no longer keeps wet_pct" in err
    assert "under a new name" in err
