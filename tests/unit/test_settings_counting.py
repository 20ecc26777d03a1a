"""Lanes that count in a configuration: what they stand on is pinned, and what would not be kept to is refused."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.rules.canonical import digest
from gateway.settings.complaints import SettingsError
from gateway.settings.load import load_settings
from gateway.settings.rule_set import load_rules
from gateway.settings.settings import Settings
from sekisho.__main__ import app

RULES = Path(__file__).parents[2] / "config" / "privacy"
STREETS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "id": "way-1", "geometry": {"type": "LineString", "coordinates": [[137.2, 36.7], [137.21, 36.7]]}},
        {"type": "Feature", "geometry": {"type": "MultiLineString", "coordinates": [[[137.2, 36.7], [137.2, 36.71]], [[137.3, 36.7], [137.31, 36.7]]]}},
    ],
}  # fmt: skip
SHELTER = {"features": [{"geometry": {"type": "Point", "coordinates": [137.2113, 36.6953]}}]}


class Folder:
    """A configuration whose rule set is a shipped one, changed here and there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, name: str, content: Any) -> str:
        """Write a file; how `counting:` names it."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self.path / name).write_text(text)
        return f"{{file: {name}, pin: {sha256(text.encode()).hexdigest()}}}"

    def load(self, rules: str, counting: str = "", *changes: tuple[str, str]) -> Settings:
        """The settings; `counting` are lines below that name."""
        text = (RULES / f"{rules}.yaml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (self.path / "privacy.yaml").write_text(text)
        (self.path / "gateway.yaml").write_text(
            'state: state\nowner: "16201"\ntimezone: Asia/Tokyo\nservice_area: {municipality: "16201"}\n'
            "doors: [{name: city, kind: mqtt_listener, bind: 127.0.0.1, port: 0, anonymous: true}]\n"
            f"privacy: privacy.yaml\n{counting}"
        )
        return load_settings(self.path / "gateway.yaml")

    def fault(self, rules: str, counting: str = "", *changes: tuple[str, str]) -> str:
        """The sentence of the one fault."""
        with pytest.raises(SettingsError) as caught:
            self.load(rules, counting, *changes)
        (complaint,) = caught.value.complaints
        return str(complaint)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_shipped_lanes_are_ready_to_count(folder: Folder) -> None:
    """Stops need nothing; streets and cells stand on the files that are named."""
    (riders,) = folder.load("ridership").counted
    assert (riders.name, riders.cap, riders.units.pin) == ("ridership", 16, "stop")

    (analysis,) = folder.load("patrol-analysis", f"counting:\n  streets: {folder.file('s.geojson', STREETS)}\n").counted  # fmt: skip
    assert {analysis.units.name(unit) for unit in (1, 2, 3)} == {"way-1.1", "2-1.1", "2-2.1"}
    assert len(analysis.units.dead_ends) == 3
    assert analysis.rules == f"patrol-analysis {digest(load_rules(RULES / 'patrol-analysis.yaml'))}"

    (open_,) = folder.load("open-data", f"counting:\n  facilities: {folder.file('f.geojson', SHELTER)}\n").counted  # fmt: skip
    assert {open_.units.name(unit) for unit in open_.units.hidden} == {"5537013624"}
    assert folder.load("legacy-50m").counted == ()


def test_check_says_what_is_counted(folder: Folder) -> None:
    """Beside the rules, in words."""
    folder.load("patrol-analysis", f"counting:\n  streets: {folder.file('s.geojson', STREETS)}\n")
    said = CliRunner().invoke(app, ["check", str(folder.path / "gateway.yaml")])

    assert "analysis by piece of street, told once a month" in said.output


def test_two_counts_of_one_lane_have_names_of_their_own(folder: Folder) -> None:
    streets = folder.file("s.geojson", STREETS)
    facilities = folder.file("f.geojson", SHELTER)
    two = folder.load(
        "patrol-analysis",
        f"counting:\n  streets: {streets}\n  facilities: {facilities}\n",
        ("    protect:", "      - {unit: mesh_500, distinct: household, period: month, cap: 9}\n    protect:"),
    )  # fmt: skip

    assert [plan.name for plan in two.counted] == ["analysis.road_edge", "analysis.mesh_500"]


def test_what_a_lane_stands_on_must_be_named(folder: Folder) -> None:
    assert "privacy: lane analysis: it counts by pieces of street" in folder.fault("patrol-analysis")  # fmt: skip
    assert "lane open: it hides cells that one shelter" in folder.fault("open-data")


def test_a_file_that_was_edited_is_another_file(folder: Folder) -> None:
    """The sentence says the new digest, for whoever means it."""
    pinned = folder.file("s.geojson", STREETS)
    folder.file("s.geojson", {**STREETS, "name": "edited"})
    sentence = folder.fault("ridership", f"counting:\n  streets: {pinned}\n")

    assert "gateway.yaml:8:" in sentence
    assert sha256((folder.path / "s.geojson").read_bytes()).hexdigest() in sentence


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        {"features": {}},
        {"features": [{"geometry": {"type": "Point", "coordinates": [1, 2]}}]},
        {"features": [{"geometry": {"type": "LineString", "coordinates": [[1]]}}]},
        {"features": [{}]},
        {"features": [None]},
    ],
)
def test_a_file_of_something_else_is_a_fault_in_its_place(folder: Folder, content: Any) -> None:
    sentence = folder.fault(
        "ridership", f"counting:\n  streets: {folder.file('s.geojson', content)}\n"
    )
    assert "gateway.yaml:8:" in sentence
    assert "counting.streets.file" in sentence


def test_a_file_that_is_missing_is_a_fault(folder: Folder) -> None:
    assert "does not exist" in folder.fault("ridership", f"counting:\n  facilities: {{file: x.geojson, pin: {'0' * 64}}}\n")  # fmt: skip


def test_what_a_running_gateway_would_not_keep_to_is_refused(folder: Folder) -> None:
    """A mask of its own, a place of its own, another source: none is passed over in silence."""
    streets = f"counting:\n  streets: {folder.file('s.geojson', STREETS)}\n"
    for old, new, said in (
        ("    count:", "    validate: {accuracy: 20 m}\n    count:", "a validate of its own"),
        ("    count:", "    suppress: [{kind: stay, at_least: 15 min}]\n    count:", "a suppress of its own"),
        ("    count:", "    generalise: [{kind: mesh, cell: 1 km}]\n    count:", "a generalise of its own"),
    ):  # fmt: skip
        assert said in folder.fault("patrol-analysis", streets, (old, new))
