"""What somebody says stands on one line: nobody writes another's line into a log, a list or a register."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import Refusal
from gateway.registry.rules import require_line
from gateway.settings.load import SettingsError, load_devices
from gateway.statedir import StateDir
from sekisho import screen
from sekisho.looking import require_purpose
from tests.fakes.front_door import Sekisho

FORGED = ["a\n23  2026-05-12  sato", "a\r23", "a\x1b[2Ka", "a\u2028b", "a\u202eb", "a\x9b2K"]


@pytest.mark.parametrize("text", FORGED)
def test_a_cell_and_a_fact_stay_on_their_line(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """What lies in a log from before is shown with its control characters named."""
    screen.table(("actor", "purpose"), [("aoki", text)])
    screen.facts([("purpose", text)])

    said = capsys.readouterr().out
    assert len(said.splitlines()) == 3
    assert all(letter == "\n" or letter.isprintable() for letter in said)
    assert said.count("\\") == 2


@given(st.text())
def test_a_text_is_one_line_or_refused(text: str) -> None:
    """No text that is let in is printed otherwise than it is."""
    if screen.plain(text) == text:
        require_line(text, "It")
        assert len(text.splitlines()) <= 1
    else:
        with pytest.raises(Refusal) as refused:
            require_line(text, "It")
        assert refused.value.exit_code == 2


@pytest.mark.parametrize("text", FORGED)
def test_what_people_say_at_the_verbs_is_one_line(
    sekisho: Sekisho, state: StateDir, text: str
) -> None:
    """Names of devices, who consents to which words, purposes, reviewers: refused, and nothing is entered."""
    where = ("--state", str(state.path))
    child = ("--kind", "child_tracker", "--owner", "16201", "--household", "h-1")
    assert sekisho("devices", "add", "child-1", *child, *where).code == 0
    for words in (
        ("devices", "set", "child-1", "--name", text),
        ("devices", "add", "child-2", *child, "--name", text),
        ("devices", "consent", "child-1", "--by", text, "--text", "sheet 1"),
        ("devices", "consent", "child-1", "--by", "Aoki", "--text", text),
        ("release", "reviewer", "add", text),
        ("release", "receipt", "open", "2026-05", "--by", text),
    ):
        answer = sekisho(*words, *where)
        assert answer.code == 2, answer
        assert "is one line" in answer.err
    with pytest.raises(Refusal, match="is one line"):
        require_purpose(state, text)
    listed = json.loads(sekisho("devices", "list", "--json", *where).out)
    assert [(one["device"], one["name"], one["consents"]) for one in listed] == [
        ("child-1", None, [])
    ]


def test_a_name_in_a_file_is_one_line(tmp_path: Path) -> None:
    """It is named with its line, as every other fault of the file."""
    file = tmp_path / "devices.yaml"
    file.write_text('devices:\n  - {id: river-1, kind: river_gauge, name: "Bridge\\n23 x"}\n')
    with pytest.raises(
        SettingsError, match=r"devices.yaml:2:44 devices\[0\].name: A name is one line"
    ):
        load_devices(file, "16201")
