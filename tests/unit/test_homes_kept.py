"""Homes that the rules in force cannot use are told wherever somebody looks: list, check, a start, the doctor."""

import json
import logging
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.registry import family_book
from gateway.settings.load import load_settings
from gateway.statedir import Mark, StateDir
from sekisho import homes
from sekisho.run import _prepare
from simulators.families import families
from simulators.town import town
from tests.fakes.front_door import Sekisho

SHIPPED = Path(__file__).parents[2] / "config" / "privacy"
PARTITION = "partitions/fictional-250m-k100.yaml"


class Place:
    """A directory with one child under the recommended rules, whose home is kept as its zone."""

    def __init__(self, folder: Path, sekisho: Sekisho) -> None:
        self.file = folder / "gateway.yaml"
        self.rules = folder / "privacy"
        self.sekisho = sekisho
        shutil.copytree(SHIPPED, self.rules)
        self.under("toyama-zone")
        loaded = load_settings(self.file)
        self.state = StateDir.create(loaded.state, Mark.SIM, SystemClock())
        self.ring = KeyRing.create(folder / "keys", self.state.id, SystemClock(), loaded.zone)
        (home,) = (one.household.home for one in families(town(), 16201, 1))
        assert home is not None
        where = ("--config", str(self.file))
        self.say("add", "child-1", "--kind", "child_tracker", "--household", "h-1", *where)
        self.say("consent", "child-1", "--by", "Sato", "--text", "sheet 1", *where)
        lines = f"household,lat,lon\nh-1,{home[0]},{home[1]}\n"
        self.say("import-homes", "-", *where, stdin=lines)

    def under(self, rules: str) -> None:
        """From now on another rule set is configured."""
        folder = self.file.parent
        self.file.write_text(
            f"state: {folder}/state\nkeys: {folder}/keys\n"
            'owner: "16201"\ntimezone: Asia/Tokyo\nservice_area: {municipality: "16201"}\n'
            "doors: [{name: devices, kind: mqtt_listener, bind: 127.0.0.1, port: 0}]\n"
            f"privacy: {self.rules}/{rules}.yaml\n"
        )

    def build_anew(self) -> None:
        """Another partition, in the next epoch."""
        partition = self.rules / PARTITION
        before = partition.read_bytes().rpartition(b"sha256: ")
        body = before[0] + b"# built anew\n"
        pin = sha256(body).hexdigest()
        old = before[2].strip().strip(b'"').decode()
        partition.write_bytes(body + f'sha256: "{pin}"\n'.encode())
        rules = self.rules / "toyama-zone.yaml"
        said = rules.read_text().replace(old, pin).replace("school-2026", "school-2027")
        rules.write_text(said)

    def say(self, *words: str, stdin: str = "") -> str:
        answer = self.sekisho("devices", *words, stdin=stdin)
        assert answer.code == 0, answer.err
        return answer.out

    def missing(self) -> str | None:
        where = ("--config", str(self.file))
        listed = json.loads(self.say("list", "--json", *where))[0]["missing"]
        shown = json.loads(self.say("show", "child-1", "--json", *where))["missing"]
        assert listed == shown
        assert ("lacks home" in self.say("list", *where)) == (listed == "home")
        return None if listed is None else str(listed)

    def notes(self) -> str:
        answer = self.sekisho("check", str(self.file), "--json")
        assert answer.code == 0, answer.out
        return " ".join(json.loads(answer.out)["notes"])

    def start(self, log: pytest.LogCaptureFixture) -> str:
        """What a start says before it takes anything in."""
        log.clear()
        with log.at_level(logging.WARNING, "sekisho"):
            _prepare(load_settings(self.file), self.state, self.ring, SystemClock())
        return log.text


@pytest.fixture
def place(tmp_path: Path, sekisho: Sekisho) -> Place:
    return Place(tmp_path, sekisho)


def test_a_home_of_these_rules_is_none_to_speak_of(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """So that the others can fail."""
    assert place.missing() is None
    assert "import the homes again" not in place.notes()
    assert "import the homes again" not in place.start(caplog)


def test_a_home_kept_by_another_partition_is_lacking(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """Every child of the town would be masked for good, and nobody be told."""
    place.build_anew()
    said = "1 household: the home is kept as a zone of another partition"
    assert place.missing() == "home"
    assert said in place.notes()
    assert said in place.start(caplog)


def test_a_zone_alone_is_no_home_under_a_circle(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.under("legacy-50m")
    said = "1 household: the home is kept as a zone alone, and the rules in force draw a circle"
    assert place.missing() == "home"
    assert said in place.notes()
    assert said in place.start(caplog)


def test_of_another_directory_the_configuration_says_nothing(place: Place, tmp_path: Path) -> None:
    """Whose rules are in force there nobody can tell: a home that is known is none that lacks. And check says nothing of a
    directory that is not there."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(place.state.path, elsewhere)
    place.build_anew()
    words = ("list", "--json", "--config", str(place.file), "--state", str(elsewhere))
    assert json.loads(place.say(*words, "--keys", str(tmp_path / "keys")))[0]["missing"] is None
    shutil.rmtree(place.state.path)
    assert "import the homes again" not in place.notes()


def test_the_doctor_says_why_a_home_cannot_be_used(place: Place) -> None:
    """In words, of a family without a home, and of one whose zone is another partition's or no circle's centre."""
    here = load_settings(place.file).policy
    (family,) = family_book.homes_in(place.state.registry_db, place.ring).values()
    assert homes.unusable(family, here) is homes.unusable(family, None) is None
    assert homes.unusable(None, here) == "it belongs to no household"
    place.build_anew()
    assert "of another partition" in str(homes.unusable(family, load_settings(place.file).policy))
    place.under("legacy-50m")
    assert "draw a circle" in str(homes.unusable(family, load_settings(place.file).policy))
