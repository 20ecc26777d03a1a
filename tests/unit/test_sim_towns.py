"""Towns by name: each as large as promised, all of them fictional, and the zones that are made of them."""

import json
import re
import shlex
from pathlib import Path
from statistics import median

import pytest

from gateway.settings.partition import read_partition
from sekisho.simulate_options import TownName
from simulators.area import in_municipality
from simulators.families import families
from simulators.scenario import DEFAULT_START, Scenario
from simulators.streets import distance
from simulators.town import SMALL, TOWNS, town
from tests.fakes.front_door import Sekisho

ROOT = Path(__file__).parents[2]
PARTITIONS = ROOT / "config" / "privacy" / "partitions"
SHIPPED = sorted(PARTITIONS.glob("*.yaml"))
PAGE = ROOT / "docs" / "privacy" / "partitions.md"


def test_every_town_can_be_asked_for() -> None:
    assert {name.value for name in TownName} == set(TOWNS)


@pytest.mark.parametrize("name", TOWNS)
def test_a_town_lies_in_its_municipality_and_hangs_together(name: str) -> None:
    """Dwellings and crossings lie inside the outline; every crossing can be walked to; degrees and metres agree."""
    here = town(name)
    places = [one.house for one in here.dwellings] + list(here.streets.nodes)

    assert all(in_municipality(*here.plane.degrees(place)) for place in places)
    assert len(here.streets.reaches(here.school)) == len(here.streets.nodes)
    for place in places[::100]:
        assert distance(here.plane.point(*here.plane.degrees(place)), place) < 1e-6


def test_the_district_is_as_dense_as_the_one_that_was_measured() -> None:
    """2 × 2 km, about 6,400 dwellings, 15 of them within 50 m in the median; children live 300 to 900 m from school."""
    here = town("district")
    nodes = here.streets.nodes
    wide, high = (max(side) - min(side) for side in zip(*nodes, strict=True))
    houses = [one.house for one in here.dwellings]
    near = [sum(distance(house, other) <= 50 for other in houses) for house in houses[:300]]
    away = [distance(one.house, here.school_yard) for one in here.family_homes]

    assert 1.9e3 < wide < 2.1e3
    assert 1.9e3 < high < 2.1e3
    assert abs(len(houses) - 6400) < 150
    assert abs(median(near) - 15) <= 1
    assert 300 <= min(away) < 320
    assert 880 < max(away) <= 900


@pytest.mark.parametrize("name", TOWNS)
def test_families_live_where_the_town_says(name: str) -> None:
    """Every child lives in a dwelling from which the way to school is as long as the town's plan has it."""
    here = town(name)

    assert {child.household.dwelling for child in families(here, 7, 60)} <= set(here.family_homes)


def test_children_of_a_named_town_report_from_there(tmp_path: Path, sekisho: Sekisho) -> None:
    """`--town` and a scenario's `town` move the fleet, and the ledger says which town it was."""
    (tmp_path / "village.yaml").write_text("town: village\nchildren: 3\nharm: 0\n")
    for words, name in (
        (("--town", "district"), "district"),
        (("--scenario", "village.yaml"), "village"),
    ):
        said = sekisho("simulate", *words, "--for", "3min", "--to", "file:out.jsonl", "--ledger", "l.jsonl", "--force")  # fmt: skip
        assert said.code == 0, said.err
        head, *lines = map(json.loads, (tmp_path / "l.jsonl").read_text().splitlines())
        here = town(name)
        truths = [
            line["truth"]
            for line in lines
            if line.get("kind") == "child_tracker" and "truth" in line
        ]
        houses = {here.plane.degrees(one.house) for one in here.family_homes}
        rounded = {(round(lat, 7), round(lon, 7)) for lat, lon in houses}

        assert (head["town"], head["fictional"]) == (name, True)
        assert {(t["lat"], t["lon"]) for t in truths if t["place"] == "home"} & rounded


def test_an_unknown_town_is_refused(tmp_path: Path, sekisho: Sekisho) -> None:
    """As an option and in a file; LoRaWAN's nodes know the small town alone."""
    (tmp_path / "s.yaml").write_text("town: atlantis\n")

    assert sekisho("simulate", "--town", "atlantis").code == 2
    assert "s.yaml:1:7" in sekisho("simulate", "--scenario", "s.yaml").err
    assert (
        "stand in the small town alone"
        in sekisho("simulate", "--lorawan", "3", "--town", "village").err
    )


def test_a_larger_fleet_of_a_town_is_of_that_town() -> None:
    """Ward by ward, in the same streets."""
    south, _ = town("village").plane.degrees(town("village").streets.nodes[0])
    scenario = Scenario(children=3, devices=100, town="village", start=DEFAULT_START)

    homes = [device.home for device in scenario.fleet() if device.home]
    assert homes
    assert all(abs(lat - south) < 0.1 for lat, _ in homes)


def test_the_shipped_zones_are_those_of_the_towns(tmp_path: Path, sekisho: Sekisho) -> None:
    """The commands of the page give the shipped bytes."""
    for name in TOWNS:
        assert sekisho("simulate", "--town", name, "--ground-out", f"ground/{name}").code == 0
    builds = re.findall(
        r"^sekisho (privacy partition build --out fictional.*)$", PAGE.read_text(), re.MULTILINE
    )
    for words in builds:
        said = sekisho(*shlex.split(words))
        assert said.code == 0, said.err

    assert len(builds) == len(SHIPPED) > 0
    for path in SHIPPED:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.channel("C40")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_zones_say_that_they_are_of_nobody(path: Path) -> None:
    """By name and source; every check was made, and nobody of the towns is without a zone."""
    head, found = read_partition(path)

    assert head.id.startswith("fictional-")
    assert "fictional" in head.source
    assert (head.not_checked, found.without) == ([], frozenset())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_no_shipped_zone_swallows_the_others(path: Path) -> None:
    """A zone whose gates want dwellings finds a neighbour that brings them, and does not grow until it is a town."""
    _head, found = read_partition(path)
    cells = [len(zone.cells) for zone in found.zones.values()]

    assert max(cells) <= 12
    assert not any(zone.dwellings.endswith("or more") for zone in found.zones.values())


def test_every_family_of_a_town_has_a_zone() -> None:
    """Of the partition that the rules for this town pin."""
    zones = {head.id: found for head, found in map(read_partition, SHIPPED)}
    for name in TOWNS:
        here = town(name)
        mine = zones["fictional-500m-k50" if name == "village" else "fictional-250m-k100"]
        assert all(mine.zone_of(*here.plane.degrees(one.house)) for one in here.family_homes)


def test_the_ground_cannot_be_written_where_a_file_is(tmp_path: Path, sekisho: Sekisho) -> None:
    """Exit code 2, and what to do."""
    (tmp_path / "there").write_text("")

    said = sekisho("simulate", "--ground-out", "there")
    assert (said.code, "Name a folder" in said.err) == (2, True)
    assert SMALL in sekisho("simulate", "--ground-out", "new", "--json").out
