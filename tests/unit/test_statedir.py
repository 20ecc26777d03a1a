"""The state directory refuses what is not its own and keeps its mark."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.model.errors import Refusal
from gateway.statedir import Mark, StateDir, write_durably
from tests.fakes.clock import ManualClock

CLOCK = ManualClock(1_778_000_000_000_000)


@pytest.mark.parametrize("mark", [Mark.SIM, Mark.REPLAY, None])
def test_reopened_as_created(tmp_path: Path, mark: Mark | None) -> None:
    """A directory keeps id, mark and time of creation."""
    made = StateDir.create(tmp_path / "state", mark, CLOCK)

    again = StateDir.open(tmp_path / "state")

    assert (again.id, again.mark, again.created_at) == (made.id, mark, made.created_at)
    assert len(made.id) == 32


def test_modes(tmp_path: Path) -> None:
    """The directory is 0750 and the personal folder 0700, whatever the umask."""
    old = os.umask(0)
    try:
        state = StateDir.create(tmp_path / "state", None, CLOCK)
    finally:
        os.umask(old)

    assert stat.S_IMODE(state.path.stat().st_mode) == 0o750
    assert stat.S_IMODE(state.personal_dir.stat().st_mode) == 0o700


def test_the_mark_cannot_be_added_later(tmp_path: Path) -> None:
    """Creating over an existing directory is refused, so that no mark can be added."""
    StateDir.create(tmp_path / "state", None, CLOCK)

    with pytest.raises(Refusal, match="mark cannot be changed"):
        StateDir.create(tmp_path / "state", Mark.SIM, CLOCK)


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    """A directory with other people's files does not become a state directory."""
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(Refusal, match="not Sekisho's"):
        StateDir.create(tmp_path, None, CLOCK)


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        (None, "is not a state directory"),
        ("{", "cannot be read"),
        ("[]", "does not describe"),
        ('{"format": 1, "id": "x", "mark": null, "created_at": ""}', "does not describe"),
        ('{"format": 2}', "newer Sekisho"),
    ],
)
def test_damaged_cards_are_refused_with_a_remedy(
    tmp_path: Path, card: str | None, sentence: str
) -> None:
    """What is not a whole card is refused by a sentence, never by a stack trace."""
    if card is not None:
        (tmp_path / "sekisho.json").write_text(card)

    with pytest.raises(Refusal, match=sentence):
        StateDir.open(tmp_path)


def test_a_directory_of_another_user_is_said_to_be_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is broken: the sentence says whose it is, and speaks of no backup."""
    StateDir.create(tmp_path / "state", None, CLOCK)

    def closed(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", closed)
    with pytest.raises(Refusal, match=rf"closed to this user.*sudo -u {tmp_path.owner()}"):
        StateDir.open(tmp_path / "state")


def test_missing_directory(tmp_path: Path) -> None:
    """A directory that is not there is refused, and nothing is made."""
    with pytest.raises(Refusal, match="does not exist"):
        StateDir.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_one_gateway_at_a_time(tmp_path: Path) -> None:
    """A second process is refused by the first one's number; the lock goes with the block."""
    state = StateDir.create(tmp_path / "state", None, CLOCK)
    second = (
        "import sys; from pathlib import Path; from gateway.statedir import StateDir\n"
        "from gateway.model.errors import Refusal\n"
        "try:\n"
        "    with StateDir.open(Path(sys.argv[1])).lock(): print('held')\n"
        "except Refusal as refusal: print(refusal)\n"
    )
    command = [sys.executable, "-c", second, str(state.path)]

    with state.lock():
        refused = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    free = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert f"process {os.getpid()}" in refused
    assert free == "held\n"


def test_write_durably_replaces_whole_files(tmp_path: Path) -> None:
    """A durable write leaves the new content and no draft."""
    target = tmp_path / "run.json"
    write_durably(target, b"{}", 0o600)
    write_durably(target, json.dumps({"a": 1}).encode(), 0o600)

    assert json.loads(target.read_bytes()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]
