"""`sekisho demo`: the proof it prints, and the line it offers for trying."""

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.processes import background, sekisho, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_a_demo_explains_every_uplink(tmp_path: Path) -> None:
    """`sekisho demo --seconds 18 --json`: exit 0, hundreds of uplinks, none of them unexplained."""
    code, out, err = sekisho(tmp_path, "demo", "--seconds", "18", "--json")
    assert code == 0, err
    summary = json.loads(out)
    print(summary)
    assert summary["unexplained"] == 0
    assert summary["rows_missing"] == summary["rows_too_many"] == {}
    assert summary["sent"] == sum(term["count"] for term in summary["terms"])
    assert summary["sent"] > 500
    stored = {term["kind"] for term in summary["terms"] if term["fate"] == "stored"}
    assert stored >= {"child_tracker", "river_gauge"}
    fates = {(term["kind"], term["fate"]) for term in summary["terms"]}
    assert fates >= {("bus_stop_reader", "counted"), ("child_tracker", "held")}


@pytest.mark.needs("mosquitto_pub")
def test_the_printed_line_works_as_it_stands(tmp_path: Path) -> None:
    """While a demo runs, the mosquitto_pub line that it printed, pasted into a shell, shows up in
    `sekisho tail --json` and `sekisho query river --json`; Ctrl-C then ends it with its proof."""
    with background(tmp_path, "demo", "demo", "--seconds", "60", "--children", "5") as (
        demo,
        screen,
    ):
        line = until(
            lambda: re.search(r"^mosquitto_pub .*'$", screen.read_text(), re.MULTILINE),
            "the line to try",
        )[0]
        device = re.search(r"sekisho/v1/([^/]+)/up", line)
        assert device is not None
        with background(tmp_path, "tail", "tail", "river", "--json") as (_, watched):
            # rows of the town show that the viewer is in
            until(lambda: b"river_gauge" in watched.read_bytes(), "the first row of the town")
            done = subprocess.run(["sh", "-c", line], cwd=tmp_path, timeout=60, check=False)
            assert done.returncode == 0
            until(lambda: f'"{device[1]}"' in watched.read_text(), "our row in tail")
            seen = [row for row in map(json.loads, watched.read_text().splitlines()) if row["device"] == device[1]]  # fmt: skip
        assert [row["distance_m"] for row in seen] == [2.41]
        code, out, err = sekisho(tmp_path, "query", "river", "--device", device[1], "--json")
        assert code == 0, err
        assert [row["distance_m"] for row in json.loads(out)] == [2.41]
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
        said = screen.read_text()
    assert "0 unexplained" in said
    assert "Traceback" not in said


def test_days_as_fast_as_they_go_are_explained(tmp_path: Path) -> None:
    """`sekisho demo --days 2 --json`: tens of thousands of uplinks, none of them unexplained; afterwards
    `sekisho reconcile` finds the rows as they should be, and names one that somebody takes away."""
    code, out, err = sekisho(tmp_path, "demo", "--days", "2", "--children", "10", "--json")
    assert code == 0, err
    summary = json.loads(out)
    print(summary)
    assert (summary["unexplained"], summary["fates_compared"]) == (0, True)
    assert summary["sent"] > 25_000
    assert summary["rows_per_way"] >= 3.0, "the recommended rules leave something of every way"
    assert {term["fate"] for term in summary["terms"]} >= {
        "stored",
        "duplicate",
        "suppressed",
        "counted",
    }

    words = ("reconcile", "--ledger", ".demo/ledger.jsonl", "--json")
    code, out, err = sekisho(tmp_path, *words)
    assert (code, json.loads(out)["unexplained"]) == (0, 0), err
    assert json.loads(out)["fates_compared"] is False
    with closing(sqlite3.connect(tmp_path / ".demo/state/city.db")) as city:
        newest = "SELECT observed_at, device FROM river_gauge ORDER BY 1 DESC LIMIT 1"
        city.execute(f"DELETE FROM river_gauge WHERE (observed_at, device) IN ({newest})")  # noqa: S608
        city.commit()
    code, out, err = sekisho(tmp_path, *words)
    assert (code, json.loads(out)["rows_missing"]) == (1, {"river_gauge": 1}), err
