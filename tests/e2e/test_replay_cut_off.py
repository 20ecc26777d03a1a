"""A replay that is interrupted or killed: what it kept is whole, and run again it ends as if nothing had been."""

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import ROOT, SEKISHO, ended, environment, sekisho, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

EUI = "d1d1e80000000033"
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
COUNT = 20_000
_DEVICES = f"""\
devices:
  - id: station
    kind: weather_station
    dev_eui: {EUI}
    codec: wyres_base
"""


def document(n: int) -> dict[str, Any]:
    at = (BEGIN + timedelta(minutes=n)).isoformat()
    return {"deviceInfo": {"devEui": EUI}, "devAddr": "00189440", "fPort": 1, "fCnt": n, "rxInfo": [],
            "time": at, "object": {"temperature": n % 400 / 10}}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration, a log, and what a replay without a cut makes of it."""
    made = tmp_path_factory.mktemp("cut")
    shutil.copytree(ROOT / "config", made / "config")
    (made / "config" / "devices.yaml").write_text(_DEVICES)
    text = "".join(json.dumps(document(n)) + "\n" for n in range(COUNT))
    (made / "log.ndjson").write_text(text)
    code, _, said = sekisho(made, *words("whole"))
    assert code == 0, said
    return made


def words(name: str) -> tuple[str, ...]:
    return ("replay", "log.ndjson", "--format", "chirpstack_v4", "--state", f"{name}/state")


def rows(folder: Path, name: str) -> list[tuple[Any, ...]]:
    path = folder / name / "state" / "city.db"
    if not path.exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        try:
            return db.execute("SELECT * FROM weather_station ORDER BY 1").fetchall()
        except sqlite3.OperationalError:  # its tables are not made yet
            return []


def begun(folder: Path, name: str) -> bool:
    """Whether there is a row, asked for as little as possible."""
    path = folder / name / "state" / "city.db"
    if not path.exists():
        return False
    uri = f"file:{path}?mode=ro"
    with suppress(sqlite3.OperationalError), sqlite3.connect(uri, uri=True) as db:
        return bool(db.execute("SELECT 1 FROM weather_station LIMIT 1").fetchone())
    return False


def test_a_terminal_shows_how_far_it_is(folder: Path) -> None:
    """A bar with the share that is read and the recording's own time; nothing of it in a file."""
    ours, theirs = pty.openpty()
    line = [sys.executable, *SEKISHO, *words("seen")]
    done = subprocess.Popen(
        line, cwd=folder, env=environment(TERM="xterm"), stderr=theirs, stdout=subprocess.PIPE
    )
    os.close(theirs)
    shown = b""
    with ended(done):
        with suppress(OSError):  # the end of a terminal whose other side is gone
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        out, _ = done.communicate(timeout=60)
    assert done.returncode == 0
    assert b"stored" in out
    assert b"\x1b" not in out
    assert b"log.ndjson" in shown
    assert b"100 %" in shown
    assert b"2026-05-14T" in shown  # the last of 20,000 minutes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_replay_that_was_stopped_goes_on(folder: Path, number: signal.Signals) -> None:
    """Ctrl-C ends with 130 and leaves a directory that is closed; kill -9 leaves one that is sound. Either way
    the rows of before are a beginning of the whole, and run again it ends with the very same rows."""
    name = number.name.lower()
    paced = ("--pace", "300000")  # a few seconds for what else takes half of one
    line = [sys.executable, *SEKISHO, *words(name), *paced]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background ignores it
    process = subprocess.Popen(line, cwd=folder, env=environment(), stderr=subprocess.DEVNULL)
    with ended(process):
        until(lambda: begun(folder, name), "the first rows")
        process.send_signal(number)
        assert process.wait(60) == (130 if number is signal.SIGINT else -signal.SIGKILL)
    kept, whole = rows(folder, name), rows(folder, "whole")
    assert len(whole) == COUNT
    assert 0 < len(kept) < COUNT
    assert kept == whole[: len(kept)]
    code, out, said = sekisho(folder, *words(name), "--json")
    assert code == 0, said
    again = json.loads(out)
    assert again["duplicate"] >= len(kept)  # a commit that the kill met may be whole on disk
    assert again["duplicate"] + again["stored"] == COUNT
    assert rows(folder, name) == whole
