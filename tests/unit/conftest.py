"""The front door without a process, and a directory made through it."""

import io
import sys
from pathlib import Path

import pytest

from gateway.statedir import StateDir
from sekisho.__main__ import main
from tests.fakes.front_door import Answer, Sekisho


@pytest.fixture
def sekisho(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Sekisho:
    """Runs a verb in an empty working directory, with time shown as in Tokyo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEKISHO_STATE", raising=False)
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    def run(*words: str, stdin: str = "") -> Answer:
        monkeypatch.setattr(sys, "argv", ["sekisho", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        code = left.value.code
        return Answer(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture
def state(tmp_path: Path, sekisho: Sekisho) -> StateDir:
    """A SIM directory with keys beside it, made by the command."""
    words = ("--state", "town/state", "--keys", "town/keys", "--mark", "SIM")
    assert sekisho("keys", "init", *words).code == 0
    return StateDir.open(tmp_path / "town" / "state")
