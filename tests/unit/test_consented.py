"""A consent is for a lane that the rules in force have; for which, nobody has to guess."""

import json
from pathlib import Path

import pytest

from tests.fakes.front_door import Answer, Sekisho

SHIPPED = Path(__file__).parents[2] / "config" / "privacy"


class Place:
    """A directory with one child, under rules that are changed."""

    def __init__(self, folder: Path, sekisho: Sekisho) -> None:
        self.file = folder / "gateway.yaml"
        self.sekisho = sekisho
        self.under("toyama-zone")
        made = ("--state", f"{folder}/state", "--keys", f"{folder}/keys", "--mark", "SIM")
        assert sekisho("keys", "init", *made).code == 0
        self("add", "child-1", "--kind", "child_tracker", "--household", "h-1")

    def under(self, rules: str) -> None:
        folder = self.file.parent
        self.file.write_text(
            f"state: {folder}/state\nkeys: {folder}/keys\n"
            'owner: "16201"\ntimezone: Asia/Tokyo\nservice_area: {municipality: "16201"}\n'
            "doors: [{name: devices, kind: mqtt_listener, bind: 127.0.0.1, port: 0}]\n"
            f"privacy: {SHIPPED}/{rules}.yaml\n"
        )

    def __call__(self, *words: str) -> Answer:
        return self.sekisho("devices", *words, "--config", str(self.file))

    def agree(self, *words: str) -> Answer:
        return self("consent", "child-1", "--by", "Sato", "--text", "sheet 1", *words)

    def known(self) -> tuple[list[str], str]:
        shown = json.loads(self("show", "child-1", "--json").out)
        return shown["consents"], shown["missing"]


@pytest.fixture
def place(tmp_path: Path, sekisho: Sekisho) -> Place:
    return Place(tmp_path, sekisho)


def test_where_there_is_one_lane_it_is_meant(place: Place) -> None:
    """Rules that only show children to their guardians: `store` would let nothing in, and lists would say that all is well."""
    place.under("guardian-live")
    assert place.known() == ([], "home, consent")
    assert "lane guardian_live" in place.agree().out
    assert place.known() == (["guardian_live"], "home")
    assert "lane guardian_live" in place("withdraw", "child-1").out
    assert place.known() == ([], "home, consent")


def test_where_rows_are_kept_store_is_meant(place: Place) -> None:
    """Whatever else there is."""
    assert "lane store" in place.agree().out
    assert place.known() == (["store"], "home")


def test_a_lane_that_the_rules_do_not_have_is_said(place: Place) -> None:
    """It is recorded, since rules may follow; but what is there is named, and the device still lacks its consent."""
    place.under("guardian-live")
    answer = place.agree("--purpose", "store")
    assert answer.code == 0
    assert "no lane store of children: there is guardian_live" in answer.err
    assert place.known() == (["store"], "home, consent")


def test_rules_without_a_lane_of_children_need_no_consent(place: Place) -> None:
    """A consent for nothing is refused; and nobody says that one lacks."""
    place.under("ridership")
    answer = place.agree()
    assert answer.code == 2
    assert "there is none that asks guardians" in answer.err
    assert place.known() == ([], "home")
