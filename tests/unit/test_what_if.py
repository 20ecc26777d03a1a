"""`sekisho privacy what-if`: rule sets side by side on the same ways, without a gateway and without keys."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gateway.model.instant import parse_rfc3339, to_rfc3339
from gateway.privacy.partition import Shield
from gateway.settings.partition import read_partition
from simulators.calendar import ZONE
from simulators.families import families
from simulators.town import town
from tests.fakes.front_door import Answer, Sekisho

ROOT = Path(__file__).parents[2]
RULES = ROOT / "config" / "privacy"
CIRCLE, ZONES = (str(RULES / f"{name}.yaml") for name in ("legacy-50m", "toyama-zone"))
WALK = str(ROOT / "tests" / "golden" / "made_up_walk.gpx")
FEW = ("--town", "district", "--children", "4", "--days", "2")


def what_if(sekisho: Sekisho, *words: str, rules: tuple[str, ...] = (CIRCLE, ZONES)) -> Answer:
    """What the verb says of these rule sets."""
    named = [word for file in rules for word in ("--rules", file)]
    return sekisho("privacy", "what-if", *named, *words)


def told(answer: Answer) -> Mapping[str, Mapping[str, Any]]:
    """Its JSON, by rule set."""
    assert answer.code == 0, answer.err
    return {one["name"]: one for one in json.loads(answer.out)["rule_sets"]}


def test_a_zone_keeps_less_of_the_same_ways_than_a_circle(sekisho: Sekisho) -> None:
    """Fewer rows, points and streets; and a home has a hundred dwellings to hide with instead of none."""
    said = told(what_if(sekisho, *FEW, "--json"))
    circle, zones = said["legacy-50m"], said["toyama-zone"]

    for figure in ("rows", "rows_per_trip", "points_percent", "streets_percent"):
        assert circle[figure] > zones[figure] > 0
    assert (circle["fewest_dwellings"], circle["by_chance_percent"]) == (1, None)
    assert zones["fewest_dwellings"] >= 100
    assert 0 < zones["by_chance_percent"] < 20
    assert zones["hidden"]["inside the household's zone"] > 0


def test_the_same_words_say_the_same(sekisho: Sekisho) -> None:
    """Keys are made anew each time and change nothing that is said; another seed does."""
    once, again = (what_if(sekisho, *FEW).out for _ in range(2))

    assert once == again
    assert once.startswith(
        "4 children of the fictional town district, seed 7, 2 days, a fix every 60 s: "
    )
    assert what_if(sekisho, *FEW, "--seed", "8").out != once


def test_the_recommended_rules_leave_rows_of_the_demos_ways(sekisho: Sekisho) -> None:
    """Three rows a trip and more, of a child's way in the demo's town: else nobody sees that a zone leaves anything."""
    words = ("--town", "small", "--children", "6", "--days", "2", "--json")
    (zones,) = told(what_if(sekisho, *words, rules=(ZONES,))).values()

    assert zones["rows_per_trip"] >= 3


def test_the_rules_for_few_houses_keep_ways_of_a_village_alone(sekisho: Sekisho) -> None:
    """In their own thin zones; of a dense town, whose zones they do not know, nothing."""
    rural = str(RULES / "rural.yaml")
    village, dense = (
        told(
            what_if(
                sekisho, "--town", name, "--children", "4", "--days", "2", "--json", rules=(rural,)
            )
        )["rural"]
        for name in ("village", "small")
    )

    assert village["rows_per_trip"] >= 3
    assert village["fewest_dwellings"] >= 50
    assert dense["rows"] == 0


def test_numbers_are_told_as_a_release_would_tell_them(sekisho: Sekisho) -> None:
    """A school board that only counts sees what would leave: each period, how many units are counted and told, and none below
    k. The same words say the same."""
    rules = (str(RULES / "patrol-analysis.yaml"), str(RULES / "open-data.yaml"))
    words = ("--town", "district", "--children", "30", "--days", "2", "--json")
    once, again = (what_if(sekisho, *words, rules=rules) for _ in range(2))
    assert once.code == 0, once.err
    assert once.out == again.out
    said = json.loads(once.out)
    assert said["rule_sets"] == []
    by_lane = {one["lane"]: one for one in said["numbers"]}
    assert {name: (one["unit"], one["k"], one["whole"]) for name, one in by_lane.items()} == {
        "analysis": ("road_edge", 5, False),
        "open": ("mesh_250", 10, False),
    }
    for one in by_lane.values():
        assert one["counted"] > one["told"] > 0
    assert int(by_lane["analysis"]["least"]) >= 5
    assert by_lane["open"]["least"] == "10-24"


def test_numbers_by_street_need_streets(sekisho: Sekisho) -> None:
    """Recorded ways lie on no street unless somebody says where those are; and numbers are no picture."""
    rules = (str(RULES / "patrol-analysis.yaml"),)
    recorded = ("--tracks", WALK, "--home", "36.90,137.20")
    answer = what_if(sekisho, *recorded, rules=rules)
    assert answer.code == 2
    assert "--roads FILE" in answer.err
    drawn = what_if(sekisho, *FEW, "--picture", "numbers.svg", rules=rules)
    assert drawn.code == 2
    assert "leave --picture out" in drawn.err


def test_what_neither_keeps_nor_counts_is_refused(sekisho: Sekisho) -> None:
    answer = what_if(sekisho, *FEW, rules=(str(RULES / "ridership.yaml"),))
    assert answer.code == 2
    assert "nothing to compare" in answer.err


def test_a_recorded_way_needs_its_home_only(sekisho: Sekisho) -> None:
    """GPX; no dwellings and no streets are known, so the guess is a place, and ground is counted in cells."""
    said = told(what_if(sekisho, "--tracks", WALK, "--home", "36.90,137.20", "--json"))

    assert said["legacy-50m"]["rows"] > 0
    assert said["legacy-50m"]["guess_off_m"] is not None
    assert said["toyama-zone"]["rows"] == 0
    assert list(said["toyama-zone"]["hidden"]) == ["no zone known"]


@pytest.fixture
def fleet(tmp_path: Path, sekisho: Sekisho) -> Path:
    """The ledger of three children of the district, a morning long."""
    words = (
        "--town",
        "district",
        "--children",
        "3",
        "--for",
        "3h",
        "--harm",
        "0",
        "--to",
        "file:u.jsonl",
    )
    assert sekisho("simulate", *words, "--ledger", "fleet.jsonl").code == 0
    return tmp_path / "fleet.jsonl"


def as_csv(ledger: Path) -> tuple[Path, Path]:
    """The same fixes and homes, as somebody else would write them."""
    fixes, homes = ["device,time,lat,lon,accuracy_m"], ["device,lat,lon"]
    for line in map(json.loads, ledger.read_text().splitlines()):
        if "roster" in line and line["home"]:
            homes.append(f"{line['roster']},{line['home'][0]},{line['home'][1]}")
        values = line.get("values") or {}
        if line.get("kind") == "child_tracker" and "device" in line:
            at = to_rfc3339(line["t"], ZONE)
            fixes.append(f"{line['device']},{at},{values.get('lat', '')},{values.get('lon', '')},{values.get('accuracy_m', '')}")  # fmt: skip
    for name, lines in (("fixes.csv", fixes), ("homes.csv", homes)):
        (ledger.parent / name).write_text("\n".join(lines) + "\n")
    return ledger.parent / "fixes.csv", ledger.parent / "homes.csv"


def test_a_ledger_and_the_same_fixes_as_csv_leave_the_same_rows(
    fleet: Path, sekisho: Sekisho
) -> None:
    """Fix by fix; a report without a fix counts too, for a run begins anew behind it."""
    fixes, homes = as_csv(fleet)
    by_ledger = told(what_if(sekisho, "--tracks", str(fleet), "--json"))
    by_csv = told(what_if(sekisho, "--tracks", str(fixes), "--homes", str(homes), "--json"))

    for name in ("legacy-50m", "toyama-zone"):
        assert by_ledger[name]["rows"] == by_csv[name]["rows"] > 0
        assert by_ledger[name]["hidden"] == by_csv[name]["hidden"]


def test_the_ground_may_be_given(fleet: Path, sekisho: Sekisho) -> None:
    """With dwellings a zone's chance is known, with roads it is streets that are counted."""
    assert sekisho("simulate", "--town", "district", "--ground-out", "ground").code == 0
    words = ("--dwellings", "ground/dwellings.csv", "--roads", "ground/roads.geojson", "--json")
    bare, with_ground = (
        told(what_if(sekisho, "--tracks", str(fleet), *more)) for more in (("--json",), words)
    )

    assert bare["toyama-zone"]["fewest_dwellings"] is None
    assert with_ground["toyama-zone"]["fewest_dwellings"] >= 100
    assert bare["toyama-zone"]["streets_percent"] != with_ground["toyama-zone"]["streets_percent"]


def test_a_building_of_many_dwellings_counts_as_many(
    fleet: Path, tmp_path: Path, sekisho: Sekisho
) -> None:
    """As for partition build: the same houses with three dwellings each hide among three times as many."""
    assert sekisho("simulate", "--town", "district", "--ground-out", "ground").code == 0
    lines = (tmp_path / "ground" / "dwellings.csv").read_text().splitlines()
    houses = sorted({line.rpartition(",")[0] for line in lines[1:]})
    found = []
    for each in (1, 3):
        file = tmp_path / f"{each}.csv"
        file.write_text(
            "\n".join(["lat,lon,dwellings", *(f"{one},{each}" for one in houses)]) + "\n"
        )
        words = ("--tracks", str(fleet), "--dwellings", str(file), "--json")
        found.append(told(what_if(sekisho, *words, rules=(ZONES,)))["toyama-zone"])

    assert found[1]["fewest_dwellings"] == 3 * found[0]["fewest_dwellings"]
    assert found[1]["by_chance_percent"] == found[0]["by_chance_percent"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("time,lat,lon,device\n2026-05-12T07:00:00+09:00,36.7,137.2\n", "t.csv:2 4 cells are needed"),
        ("device,time,lat,lon\na,2026-05-12T07:00:00+09:00,36.7,137.2,9\n", "t.csv:2 4 cells are needed, as in the first line; 5 are"),
        ("dev,time,lat,lon\n", "t.csv:1 the column dev is not known. Did you mean device?"),
        ("time,lat,lon,accuracy\n", "t.csv:1 the column accuracy is not known. Did you mean accuracy_m?"),
        ("time,lat,lon,lat\n", "t.csv:1 the column lat is there twice"),
        ("time,lat\n", "t.csv:1 columns named lat, lon, time are needed, and perhaps accuracy_m, device"),
        ("time,lat,lon\n2026-05-12T07:00,36.7,137.2\n", "t.csv:2 a time with its offset"),
        ("time,lat,lon\n2026-05-12T07:00:00+09:00,36.7,1372\n", "t.csv:2 lon is no number of degrees"),
    ],
)  # fmt: skip
def test_a_faulty_table_of_ways_is_refused_with_its_line(
    tmp_path: Path, sekisho: Sekisho, content: str, sentence: str
) -> None:
    """A line that lacks a cell would be of another child; a misspelt column, all children one."""
    (tmp_path / "t.csv").write_text(content)
    said = what_if(sekisho, "--tracks", "t.csv", "--home", "36.70,137.21")

    assert said.code == 2
    assert sentence in said.err


@pytest.mark.parametrize("accuracy", ["-8", "nan", "inf", "1e9", "abc"])
def test_an_accuracy_that_no_tracker_says_is_refused_with_its_line(
    tmp_path: Path, sekisho: Sekisho, accuracy: str
) -> None:
    """File, line, column and range; what stands there is not repeated."""
    fix = "2026-05-12T07:00:00+09:00,36.7,137.2"
    (tmp_path / "t.csv").write_text(f"time,lat,lon,accuracy_m\n{fix},\n{fix},{accuracy}\n")
    said = what_if(sekisho, "--tracks", "t.csv", "--home", "36.70,137.21")

    assert said.code == 2
    assert "t.csv:3 accuracy_m is a number of metres from 0 to 10000" in said.err


def test_a_child_with_two_homes_is_refused(tmp_path: Path, sekisho: Sekisho) -> None:
    """Nobody could tell which of the two was meant."""
    (tmp_path / "h.csv").write_text("device,lat,lon\na,36.9,137.2\nb,36.9,137.2\na,36.8,137.2\n")
    said = what_if(sekisho, "--tracks", WALK, "--homes", "h.csv")

    assert said.code == 2
    assert "h.csv:4 its child stands here twice." in said.err


def test_one_of_a_kind_is_not_many(tmp_path: Path, sekisho: Sekisho) -> None:
    """One trip of one fix is said as one."""
    (tmp_path / "t.csv").write_text("time,lat,lon\n2026-05-12T07:00:00+09:00,36.7,137.2\n")
    said = what_if(sekisho, "--tracks", "t.csv", "--home", "36.70,137.21")

    assert said.out.startswith("1 recorded, 1 fix: 1 trip, 1 fix on it\n")


def test_columns_that_nobody_reads_are_named(tmp_path: Path, sekisho: Sekisho) -> None:
    """Beside the result: whoever named their children in one of them sees it."""
    row = "2026-05-12T07:00:00+09:00,36.7,137.2,9,a"
    (tmp_path / "t.csv").write_text(f"time,lat,lon,speed,pupil\n{row}\n")
    said = what_if(sekisho, "--tracks", "t.csv", "--home", "36.70,137.21")

    assert said.code == 0, said.err
    assert "t.csv:1 not used: speed, pupil." in said.err


def test_the_map_shows_what_rows_say_and_nothing_else(tmp_path: Path, sekisho: Sekisho) -> None:
    """Under the zone rules cells and ten minutes; none of a child touches its zone or the buffer."""
    assert what_if(sekisho, "--town", "small", "--children", "1", "--days", "3", "--geojson", "map").code == 0  # fmt: skip
    rows = json.loads((tmp_path / "map" / "toyama-zone.geojson").read_text())["features"]
    points = json.loads((tmp_path / "map" / "legacy-50m.geojson").read_text())["features"]
    (child,) = families(town(), 7, 1)
    _, zones = read_partition(RULES / "partitions" / "fictional-250m-k100.yaml")
    home = town().plane.degrees(child.household.dwelling.house)
    zone = zones.zone_of(*home)
    assert zone is not None
    shield = Shield(zones, zone, 100.0)

    assert rows
    assert {row["geometry"]["type"] for row in rows} == {"Polygon"}
    assert {row["geometry"]["type"] for row in points} == {"Point"}
    for row in rows:
        assert set(row["properties"]) == {"time", "cell"}
        assert parse_rfc3339(row["properties"]["time"]) % 600_000_000 == 0
        assert not any(shield.hides(lat, lon) for lon, lat in row["geometry"]["coordinates"][0])
    assert stat.S_IMODE((tmp_path / "map" / "toyama-zone.geojson").stat().st_mode) == 0o600


def test_the_picture_stands_alone(tmp_path: Path, sekisho: Sekisho) -> None:
    """One panel for each rule set, with its figures; every home is marked in each; nobody else may read it."""
    said = what_if(sekisho, *FEW, "--picture", "both.svg")
    assert said.code == 0, said.err
    svg = ET.parse(tmp_path / "both.svg").getroot()  # noqa: S314 - our own file
    space = "{http://www.w3.org/2000/svg}"
    panels = svg.findall(f"{space}g")
    words = ["".join(panel.itertext()) for panel in panels]

    assert len(panels) == 2
    assert "legacy-50m" in words[0]
    assert "toyama-zone" in words[1]
    for panel, word in zip(panels, words, strict=True):
        marks = panel.findall(f"{space}g[@clip-path]/{space}circle") + panel.findall(f"{space}g[@clip-path]/{space}path[@stroke='#D55E00']")  # fmt: skip
        assert len(marks) == 4
        assert "homes guessed to within 50 m" in word
    assert stat.S_IMODE((tmp_path / "both.svg").stat().st_mode) == 0o600
    assert "--force" in what_if(sekisho, *FEW, "--picture", "both.svg").err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "either --tracks"),
        (("--town", "district", "--tracks", WALK), "either --tracks"),
        (("--tracks", WALK), "Nobody said where made_up_walk lives"),
        (("--tracks", "nowhere.csv", "--home", "36.9,137.2"), "cannot be read"),
        (("--tracks", "no_columns.csv", "--home", "36.9,137.2"), "no_columns.csv:1 columns named lat, lon, time"),
        (("--tracks", "no_time.csv", "--home", "36.9,137.2"), "no_time.csv:2 a time with its offset"),
        (("--tracks", "no_place.csv", "--home", "36.9,137.2"), "no_place.csv:2 lat is no number of degrees"),
        (("--tracks", WALK, "--homes", "no_place.csv"), "no_place.csv:1 columns named device, lat, lon"),
        (("--tracks", WALK, "--home", "x"), "latitude and longitude in degrees"),
        (("--town", "district", "--children", "1", "--days", "1", "--rules", str(RULES / "ridership.yaml")), "has no lane store"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, sekisho: Sekisho, words: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2, the remedy, and no coordinate of anybody."""
    (tmp_path / "no_columns.csv").write_text("a,b\n1,2\n")
    (tmp_path / "no_time.csv").write_text("time,lat,lon\nnoon,36.9123,137.2\n")
    (tmp_path / "no_place.csv").write_text("time,lat,lon\n2026-05-12T07:00:00+09:00,north,137.2\n")

    said = what_if(sekisho, *words)

    assert said.code == 2
    assert sentence in said.err
    assert "36.9123" not in said.err
