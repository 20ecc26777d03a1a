"""The command writes logs and ledgers that agree, twice the same, and says clearly what is wrong."""

import json
import os
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from sekisho.scenario_file import read_scenario
from sekisho.simulate import simulate
from sekisho.travel import report
from simulators.calendar import ZONE
from simulators.ledger import read_ledger
from simulators.scenario import Scenario

app = typer.Typer()
app.command()(simulate)


def run(*words: str) -> dict[str, Any]:
    """The command's JSON summary."""
    result = CliRunner().invoke(app, [*words, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two runs: logs and ledgers are byte-identical, and as long as each other."""
    for name in ("a", "b"):
        log, ledger = tmp_path / f"{name}.log", tmp_path / f"{name}.ledger"
        figures = run("--for", "40m", "--to", f"file:{log}", "--ledger", str(ledger))

    assert (tmp_path / "a.log").read_bytes() == (tmp_path / "b.log").read_bytes()
    assert (tmp_path / "a.ledger").read_bytes() == (tmp_path / "b.ledger").read_bytes()
    log_lines = [json.loads(line) for line in (tmp_path / "a.log").read_text().splitlines()]
    book = [line for line in read_ledger(tmp_path / "a.ledger") if "n" in line]
    assert len(log_lines) == len(book) == figures["sent"] == figures["acked"]
    for logged, noted in zip(log_lines, book, strict=True):
        payload = logged["text"].encode() if "text" in logged else bytes.fromhex(logged["hex"])
        assert noted["digest"] == blake2b(payload, digest_size=8).hexdigest()
        assert logged["at"] == noted["sent"]
        assert logged["topic"].split("/")[2] == noted["device"]


def test_a_ledger_says_that_it_is_fiction(tmp_path: Path) -> None:
    """The header comes first, then the roster, then the uplinks, numbered from 1."""
    ledger = tmp_path / "ledger"
    run("--for", "5m", "--to", f"file:{tmp_path / 'log'}", "--ledger", str(ledger))

    head, *rest = read_ledger(ledger)
    assert head["sekisho_ledger"] == 1
    assert head["fictional"] is True
    roster = [line for line in rest if "roster" in line]
    assert rest[: len(roster)] == roster
    assert [line["n"] for line in rest[len(roster) :]] == list(
        range(1, len(rest) - len(roster) + 1)
    )


def test_a_line_cut_by_a_kill_is_left_out(tmp_path: Path) -> None:
    """A ledger whose writer was killed can be read up to its last whole line."""
    path = tmp_path / "ledger"
    path.write_bytes(b'{"n":1}\n{"n":2')

    assert list(read_ledger(path)) == [{"n": 1}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--to", "ftp://x"], "uplinks go to"),
        (["--for", "soon"], "--for soon"),
        (["--for", "0s"], "--for 0s"),
        (["--start", "2026-05-12T07:00:00"], "offset"),
        (["--start", "2026-05-12T07:00:00+09:00", "--follow", "x"], "both set the clock"),
        (["--to", "mqtt://:1", "--for", "1m"], "host is missing"),
        (["--to", "mqtt://h:x"], "port is not a number"),
        (["--to", "file:/nowhere/at/all"], "cannot be written"),
        (["--register", "/nowhere/at/all"], "does not exist"),
        (["--step", "5s"], "it needs --follow"),
        (["--faults", "los=0.1"], "Did you mean loss"),
        (["--shrink"], "needs the --check"),
        (["--shrink", "--check", "false", "--to", "mqtt://h"], "and an end"),
    ],
)
def test_mistakes_are_explained(words: list[str], sentence: str) -> None:
    """A user's mistake is a sentence, never a stack trace."""
    with pytest.raises(Refusal, match=sentence):
        run(*words)


def test_no_file_is_replaced_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that --to names nor the usual one; --force replaces it."""
    monkeypatch.chdir(tmp_path)
    for name, words in (("mine", ["--to", "file:mine"]), ("uplinks-7.jsonl", [])):
        Path(name).write_text("mine")
        with pytest.raises(Refusal, match="replace it with --force"):
            run("--for", "1m", *words)
        assert Path(name).read_text() == "mine"
        run("--for", "1m", *words, "--force")
        assert Path(name).read_text() != "mine"


def told(capsys: pytest.CaptureFixture[str], **more: Any) -> tuple[str, str]:
    """What is said of a run with these figures, on both outputs."""
    kinds = {"river_gauge": {"uplinks": 9, "harmed": {"unknown_device": 1}}}
    figures = {"seed": 7, "devices": 3, "start_us": 0, "end_us": 1, "kinds": kinds, "sent": 9}
    figures |= {"acked": 9, "refused": {}, "wall_s": 1.0, "to": "mqtt://h"}
    report(figures | more, sys.stdout, as_json=False, quiet=False)
    said = capsys.readouterr()
    return said.out, said.err


def test_what_a_receiver_refused_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """An acknowledgement may be a refusal: it is counted by its code, and what was not harmed on purpose has
    a remedy. Into a file uplinks are written, and nobody acknowledges them."""
    assert "9 sent = 9 acknowledged + 0 in flight" in told(capsys)[0]
    assert "refused" not in told(capsys)[0]
    out, err = told(capsys, refused={"0x87": 1})
    assert "refused: 1 of the acknowledged (0x87 1)" in out
    assert err == ""
    out, err = told(capsys, refused={"0x87": 7, "0x99": 1})
    assert "refused: 8 of the acknowledged (0x87 7, 0x99 1)" in out
    assert "--register" in err
    out, _ = told(capsys, to="file:x")
    assert "9 written, 1.0 s" in out
    assert "acknowledged" not in out


def make_state(root: Path, mark: Mark | None) -> Path:
    """A new state directory with its keys."""
    state = StateDir.create(root / "state", mark, SystemClock())
    KeyRing.create(root / "keys", state.id, SystemClock(), ZONE)
    return state.path


def test_the_fleet_enters_a_sim_directory(tmp_path: Path) -> None:
    """Devices, homes, consents and one token; twice is as good as once."""
    state = make_state(tmp_path, Mark.SIM)
    words = ["--register", str(state), "--keys", str(tmp_path / "keys"), "--children", "12"]
    for _ in range(2):
        figures = run(*words, "--for", "1m", "--to", f"file:{tmp_path / 'log'}", "--force")

    token_file = Path(figures["token_file"])
    assert token_file.stat().st_mode & 0o777 == 0o600
    keys = KeyRing.open(tmp_path / "keys", StateDir.open(state).id, SystemClock(), ZONE)
    with Registry.open(StateDir.open(state), keys) as registry:
        directory = registry.directory()
    assert directory.credentials["fleet"].origin == "simulated"
    assert directory.credentials["fleet"].devices == frozenset(directory.devices)
    child = directory.devices["child-0001"]  # type: ignore[index]
    assert child.consents
    assert child.household is not None
    assert child.household.home is not None


def test_only_sim_directories_take_simulated_devices(tmp_path: Path) -> None:
    """Invented rows never stand among real ones."""
    state = make_state(tmp_path, None)

    with pytest.raises(Refusal, match="not marked SIM"):
        run("--register", str(state), "--keys", str(tmp_path / "keys"), "--to", "file:/dev/null")


def test_devices_out(tmp_path: Path) -> None:
    """The fleet as JSON, flagged fictional, for its owner's eyes."""
    out = tmp_path / "fleet.json"
    run("--for", "1m", "--to", f"file:{tmp_path / 'log'}", "--devices-out", str(out))

    document = json.loads(out.read_text())
    assert document["fictional"] is True
    assert len(document["devices"]) > 90
    assert out.stat().st_mode & 0o777 == 0o600


def test_the_fleet_never_takes_the_place_of_a_device(tmp_path: Path) -> None:
    """A pipe where it is to be written stays one."""
    out = tmp_path / "pipe"
    os.mkfifo(out)
    with pytest.raises(Refusal, match="a device or a pipe"):
        run("--for", "1m", "--to", f"file:{tmp_path / 'log'}", "--devices-out", str(out))
    assert out.is_fifo()


SCENARIOS = sorted((Path(__file__).resolve().parents[2] / "config" / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_shipped_scenarios_run(file: Path, tmp_path: Path) -> None:
    """Every scenario that is shipped can be run, and an option wins over the file."""
    log = f"file:{tmp_path / 'log'}"

    figures = run("--scenario", str(file), "--for", "5m", "--to", log, "--children", "3")

    assert figures["children"] == 3
    assert figures["sent"] > 0


def test_the_small_town_is_the_usual_one() -> None:
    """The commented scenario says what the command does without one."""
    small = next(file for file in SCENARIOS if file.stem == "small_town")

    assert read_scenario(small) == Scenario()


def test_a_scenario_with_faults_points_at_them(tmp_path: Path) -> None:
    """File, line, column, and the nearest word."""
    file = tmp_path / "town.yaml"
    file.write_text("seed: 7\nchildrn: 50\nreport_every: often\nstart: tomorrow\n")

    with pytest.raises(Refusal, match=r"2:1 childrn: unknown setting. Did you mean children") as e:
        run("--scenario", str(file))
    assert "3 faults" in str(e.value)


def test_a_part_of_a_scenario_ends_where_the_file_says(tmp_path: Path) -> None:
    """`until` is the end without --for; with faults the lost ones stand in the ledger alone."""
    file, ledger = tmp_path / "town.yaml", tmp_path / "ledger"
    file.write_text(
        "children: 3\nfaults: {loss: 0.3}\nonly: [child-0002]\n"
        "from: 2026-05-12T07:02:00+09:00\nuntil: 2026-05-12T07:20:00+09:00\n"
    )
    words = ("--scenario", str(file), "--to", f"file:{tmp_path / 'log'}", "--ledger", str(ledger))
    figures = run(*words)
    _, *lines = (line for line in read_ledger(ledger) if "roster" not in line)
    said = [line for line in lines if "n" in line]
    lost = [line for line in lines if "lost" in line]
    assert 5 < len(said) == figures["sent"] == figures["acked"]
    assert 1 < len(lost) == figures["kinds"]["child_tracker"]["harmed"]["loss"]
    assert len(said) + len(lost) == 18
    assert {line["device"] for line in said} == {line["lost"] for line in lost} == {"child-0002"}
