"""`sekisho devices`: what is said is true, what is refused is said, and nothing comes back unasked."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.control.window import reachable
from gateway.statedir import StateDir
from sekisho import following
from sekisho.following import follow
from tests.fakes.front_door import Answer, Sekisho
from tests.fakes.gateway import answering

ROOT = Path(__file__).parents[2]


class Fleet:
    """The verbs on one directory."""

    def __init__(self, sekisho: Sekisho, state: StateDir) -> None:
        self._sekisho = sekisho
        self.where = ("--state", str(state.path))

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        return self._sekisho("devices", *words, *self.where, stdin=stdin)

    def add(self, device: str, *words: str, kind: str = "river_gauge") -> Answer:
        return self("add", device, "--kind", kind, "--owner", "16201", *words)

    def shown(self, device: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("show", device, "--json").out)
        return found


@pytest.fixture
def fleet(sekisho: Sekisho, state: StateDir) -> Fleet:
    return Fleet(sekisho, state)


def test_only_restore_brings_a_revoked_device_back(fleet: Fleet) -> None:
    """`set` leaves it revoked, the list says so, and restoring what is not revoked is refused."""
    fleet.add("river-1")
    assert "not revoked" in fleet("restore", "river-1").err
    fleet("revoke", "river-1")
    fleet("set", "river-1", "--name", "Bridge")
    assert fleet.shown("river-1")["revoked_at"] is not None
    listed = fleet("list").out
    assert listed.splitlines()[0].split()[4] == "state"
    assert "revoked" in listed

    assert "may speak again" in fleet("restore", "river-1").out
    assert fleet.shown("river-1")["revoked_at"] is None


def test_a_device_of_another_family_does_not_bear_the_name_of_the_childs_before(
    fleet: Fleet,
) -> None:
    """Only an erasure of the family that gave it would take it away, and that knows the device no more."""
    fleet.add("child-1", "--household", "h-1", "--name", "Aoi", kind="child_tracker")
    fleet("set", "child-1", "--household", "h-1")
    assert fleet.shown("child-1")["name"] == "Aoi"
    fleet("set", "child-1", "--household", "h-2")
    assert fleet.shown("child-1")["name"] is None
    fleet("set", "child-1", "--household", "h-3", "--name", "Sora")
    assert fleet.shown("child-1")["name"] == "Sora"


def test_nothing_to_change_is_refused(fleet: Fleet) -> None:
    fleet.add("river-1")
    answer = fleet("set", "river-1")
    assert answer.code == 2
    assert "Say what to change: --name, --kind, --attribute, --household." in answer.err


def test_quiet_prints_the_bare_token(fleet: Fleet) -> None:
    """A new credential's token is the one line; where another credential speaks, there is none."""
    token = fleet.add("river-1", "-q").out
    assert len(token) == 33
    assert int(token, 16) >= 0
    assert fleet.add("river-2", "-q", "--credential", "river-1").out == ""


def test_an_import_asks_for_a_token_where_there_is_none(fleet: Fleet, tmp_path: Path) -> None:
    """The hint names a credential without a token, and none that has one."""
    file = tmp_path / "fleet.csv"
    file.write_text("device,kind,credential\nriver-1,river_gauge,rivers\n")
    owner = ("--config", str(ROOT / "config" / "gateway.yaml"))
    assert "sekisho devices token rivers" in fleet("import", str(file), *owner).out
    fleet("token", "rivers")
    file.write_text("device,kind,credential\nriver-2,river_gauge,rivers\n")

    again = fleet("import", str(file), *owner).out

    assert "~ credential rivers  + river-2" in again
    assert "token" not in again
    assert fleet.shown("river-1")["credentials"] == ["rivers"]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("river_gauge", "river_gauge is a thing of the city; it needs no consent."),
        ("bus_stop_reader", "bus_stop_reader belongs to no household; it needs no consent."),
    ],
)
def test_a_thing_of_the_city_needs_no_consent(fleet: Fleet, kind: str, sentence: str) -> None:
    facts = ("-a", "mount=stop", "-a", "stop=12_1") if kind == "bus_stop_reader" else ()
    fleet.add("thing-1", *facts, kind=kind)
    answer = fleet("consent", "thing-1", "--by", "a guardian", "--text", "sheet 1")
    assert answer.code == 2
    assert sentence in answer.err


@pytest.mark.parametrize("blank", ["--by", "--text"])
def test_a_consent_says_who_and_to_which_words(fleet: Fleet, blank: str) -> None:
    """It is the record of a consent: a blank is refused, and nothing is recorded."""
    fleet.add("child-1", "--household", "h-1", kind="child_tracker")
    said = {"--by": "a guardian", "--text": "sheet 1"} | {blank: "  "}
    answer = fleet("consent", "child-1", *(word for pair in said.items() for word in pair))
    assert answer.code == 2
    assert f"{blank} is blank" in answer.err
    assert "consent" in fleet.shown("child-1")["missing"]


def test_a_guardian_agrees_to_each_lane_on_its_own(fleet: Fleet) -> None:
    """Another lane's consent lets nothing be stored; withdrawing one leaves the other."""
    fleet.add("child-1", "--household", "h-1", kind="child_tracker")
    signed = ("--by", "a guardian", "--text", "sheet 1")
    assert "lane analysis" in fleet("consent", "child-1", *signed, "--purpose", "analysis").out
    assert "consent" in fleet.shown("child-1")["missing"]
    fleet("consent", "child-1", *signed)
    assert fleet.shown("child-1")["consents"] == ["analysis", "store"]

    fleet("withdraw", "child-1", "--purpose", "analysis")

    assert fleet.shown("child-1")["consents"] == ["store"]
    assert "none to withdraw" in fleet("withdraw", "child-1", "--purpose", "analysis").err


@pytest.mark.parametrize("purpose", ["analyses", "ridership"])
def test_nobody_agrees_to_what_is_no_lane_of_children(fleet: Fleet, purpose: str) -> None:
    """A misspelt lane, and the one that counts bags, are refused with the lanes there are."""
    fleet.add("child-1", "--household", "h-1", kind="child_tracker")
    signed = ("--by", "a guardian", "--text", "sheet 1", "--purpose", purpose)
    answer = fleet("consent", "child-1", *signed)
    assert answer.code == 2
    assert "analysis, guardian_live, open, research, store" in answer.err


def test_a_home_without_a_device_is_said(fleet: Fleet) -> None:
    fleet.add("child-1", "--household", "h-1", kind="child_tracker")
    homes = "household,lat,lon\nh-1,36.69,137.21\nh-2,36.70,137.21\n"
    answer = fleet("import-homes", stdin=homes)
    assert answer.code == 0
    assert "No device belongs to h-2 yet" in answer.err
    assert "h-1" not in answer.err


def test_a_verb_lets_the_running_gateway_follow(fleet: Fleet, state: StateDir) -> None:
    """It asks once what it changed to be taken in, and says what became of it."""
    asked: list[Any] = []

    def taken(question: Any) -> dict[str, Any]:
        asked.append(question["ask"])
        return {"in_force": True, "kinds": ["river_gauge"]}

    assert "No gateway runs" in follow(state).sentence
    with answering(state, follow=taken):
        assert fleet.add("river-1").err == ""
        assert "in force at the running gateway" in fleet("revoke", "river-1").out
        assert "restart it" in fleet.add("camera-1", kind="wildlife_camera").err
        assert "restart it" in fleet("set", "river-1", "--kind", "wildlife_camera").err
    assert asked == ["follow"] * 4


def test_a_gateway_that_cannot_follow_fails_no_verb(fleet: Fleet, state: StateDir) -> None:
    """One that does not understand the question, or cannot read the registry: the change is made."""
    fleet.add("river-1")
    with answering(state):
        assert "follows within a second" in fleet("revoke", "river-1").out
    with answering(state, follow=lambda _question: {"in_force": False, "kinds": []}):
        assert "cannot read the registry just now" in fleet("restore", "river-1").out


def test_a_revoked_credential_stands_until_it_has_a_new_token(fleet: Fleet) -> None:
    """It is named with the nearest where there is none such; its devices stay."""
    fleet.add("river-1")
    assert "Did you mean river-1?" in fleet("revoke-credential", "river-2").err
    assert "Nobody comes in as river-1" in fleet("revoke-credential", "river-1").out
    assert fleet.shown("river-1")["credentials"] == ["river-1"]
    assert "shown once" in fleet("token", "river-1").out


def test_a_gateway_that_does_not_answer_holds_no_verb_up(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is stopped takes the question and says nothing: the verb ends by itself."""
    monkeypatch.setattr(following, "PATIENCE_S", 0.05)
    with socket.socket(socket.AF_UNIX) as line, reachable(state.socket) as path:
        line.bind(path)
        line.listen()
        assert follow(state).sentence == "A running gateway follows within a second."


def test_on_a_terminal_homes_are_asked_for(fleet: Fleet) -> None:
    """Whoever left FILE out learns what is waited for; a pipe needs no such word."""
    homes = "household,lat,lon\nh-1,36.69,137.21\n"
    asked = "Reading homes from standard input (Ctrl-D ends)."
    assert asked not in fleet("import-homes", stdin=homes).err
    keyboard, terminal = os.openpty()
    os.write(keyboard, homes.encode() + b"\x04")
    words = ("devices", "import-homes", *fleet.where)
    done = subprocess.run(
        [sys.executable, "-m", "sekisho", *words],
        cwd=ROOT,
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(keyboard)
    os.close(terminal)
    assert "1 home sealed" in done.stdout
    assert asked in done.stderr


def test_a_codec_that_nobody_has_or_that_is_another_kinds_is_refused(fleet: Fleet) -> None:
    """With the nearest one, before a network server's uplinks are turned away for it."""
    words = ("add", "w-31", "--kind", "weather_station", "--owner", "16201")
    answer = fleet(*words, "-a", "codec=dragino_ldds75")
    assert answer.code == 2
    assert "fills the fields of river_gauge" in answer.err
