"""Zones of the public mesh: what merges, what a zone hides, and what is not believed."""

from math import cos, radians, sqrt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.privacy.distance import Plane
from gateway.privacy.mesh import MESHES
from gateway.privacy.partition import Partition, Shield, Zone
from gateway.privacy.roads import Roads
from gateway.privacy.zoning import Building, Survey, Zoning, build
from gateway.settings.complaints import SettingsError
from gateway.settings.partition import read_partition, render

MESH = MESHES["250m"]
FIRST = MESH.of_code("5537013611")
ROW, COLUMN = 1 << 16, 1


def block(counts: list[list[int]]) -> dict[int, int]:
    """Counts of a block of cells, rows from the south."""
    return {
        FIRST + up * ROW + along * COLUMN: count
        for up, row in enumerate(counts)
        for along, count in enumerate(row)
        if count
    }


def middle(cell: int) -> tuple[float, float]:
    south, west, north, east = MESH.bounds(cell)
    return (south + north) / 2, (west + east) / 2


counts = st.lists(st.lists(st.integers(0, 60), min_size=4, max_size=4), min_size=1, max_size=5).map(
    block
)


@given(counts, st.integers(2, 120))
def test_every_inhabited_cell_is_in_one_zone_or_in_none(dwellings: dict[int, int], k: int) -> None:
    """Zones have k dwellings and hang together; only cells without a neighbour to merge with are left without; and
    the order in which cells were counted changes nothing."""
    zoning = build(Survey(MESH, dwellings), k, 1)
    held = [cell for zone in zoning.zones for cell in zone.cells]

    assert sorted([*held, *zoning.without]) == sorted(dwellings)
    for zone in zoning.zones:
        assert zone.dwellings == sum(dwellings[cell] for cell in zone.cells) >= k
        reached = {min(zone.cells)}
        while more := {n for c in reached for n in MESH.neighbours(c)} & zone.cells - reached:
            reached |= more
        assert reached == zone.cells
    for cell in zoning.without:
        assert not set(MESH.neighbours(cell)) & set(held)
    assert build(Survey(MESH, dict(reversed(dwellings.items()))), k, 1) == zoning


def test_the_smallest_is_merged_with_its_smallest_neighbour() -> None:
    """5 goes to 20 rather than to 90, and 25 then to 90 as its only other neighbour."""
    zoning = build(Survey(MESH, block([[90, 5, 20, 100]])), 25, 1)

    assert [zone.dwellings for zone in zoning.zones] == [90, 25, 100]


def test_one_house_of_many_flats_is_no_zone() -> None:
    """A zone has five buildings, and no 50 m hold more than half of its dwellings."""
    lat, lon = middle(FIRST)
    flats = {FIRST: [Building((lat, lon), 150)]}
    spread = [Building((lat + 0.0004 * n, lon + 0.0008 * (n % 2)), 30) for n in range(-2, 3)]
    crowd = [Building((lat + 0.00001 * n, lon), 30) for n in range(5)]

    assert build(Survey(MESH, {FIRST: 150}, flats), 100, 1).zones == []
    assert build(Survey(MESH, {FIRST: 150}, {FIRST: crowd}), 100, 1).zones == []
    assert len(build(Survey(MESH, {FIRST: 150}, {FIRST: spread}), 100, 1).zones) == 1


def test_cells_that_are_known_together_only_stay_together() -> None:
    """What the census counted in another cell is in that cell's zone, though it has k alone."""
    dwellings = block([[200, 0, 200]])
    tied = [(FIRST + COLUMN, FIRST)]
    zones = build(Survey(MESH, dwellings, tied=tied), 100, 1).zones

    assert [len(zone.cells) for zone in zones] == [2, 1]


def houses(cell: int, at: float, number: int) -> list[Building]:
    """Houses in a row across a cell, at a share of its height."""
    south, west, north, east = MESH.bounds(cell)
    return [
        Building((south + (north - south) * at, west + (east - west) * (n + 0.5) / number), 5)
        for n in range(number)
    ]


@pytest.mark.channel("C5")
@pytest.mark.parametrize(("k_gate", "joined", "zones"), [(5, False, 1), (10, False, 0), (10, True, 1)])  # fmt: skip
def test_few_houses_behind_a_gate_are_too_few(k_gate: int, joined: bool, zones: int) -> None:
    """Two roads cross a zone and do not meet; behind the one lie 5 dwellings, and the child who vanishes there would
    live in one of them. Where a third road joins them, all 55 lie behind each gate."""
    buildings = {FIRST: [*houses(FIRST, 0.8, 10), *houses(FIRST, 0.2, 1)]}
    south, west, north, east = MESH.bounds(FIRST)
    upper, lower = south + (north - south) * 0.8, south + (north - south) * 0.2
    lines = [[(at, west - 0.01), (at, west + 0.001), (at, east + 0.01)] for at in (upper, lower)]
    if joined:
        lines.append([(upper, west + 0.001), (lower, west + 0.001)])
    roads = Roads(lines)
    for one in buildings[FIRST]:
        roads.settle(one.place, one.dwellings)

    zoning = build(Survey(MESH, {FIRST: 55}, buildings, roads=roads), 50, k_gate)
    assert len(zoning.zones) == zones


@pytest.mark.channel("C5")
def test_one_road_into_a_zone_is_too_few() -> None:
    """Who enters by the only road is known to live behind it; a second road is asked for."""
    buildings = {FIRST: houses(FIRST, 0.5, 10)}
    south, west, north, east = MESH.bounds(FIRST)
    half = (south + north) / 2
    dead_end = Roads([[(half, west - 0.01), (half, east - 0.0001)]])
    through = Roads([[(half, west - 0.01), (half, east + 0.01)]])

    assert build(Survey(MESH, {FIRST: 50}, buildings, roads=dead_end), 50, 1).zones == []
    assert len(build(Survey(MESH, {FIRST: 50}, buildings, roads=through), 50, 1).zones) == 1


ZONES = {
    "z-1": Zone(frozenset({FIRST, FIRST + COLUMN, FIRST + ROW}), "100 to 199"),
    "z-2": Zone(frozenset({FIRST + ROW + COLUMN}), "100 to 199"),
}
PARTITION = Partition("two", MESH, ZONES, frozenset())
near = st.tuples(st.floats(36.66, 36.69), st.floats(137.10, 137.16))


@given(near, st.floats(0, 400))
def test_a_shield_hides_what_lies_within_the_buffer(
    place: tuple[float, float], buffer_m: float
) -> None:
    """Against the distance to every point of a lattice on the zone, measured on a plane laid at the place: what the
    shield shows is farther than the buffer, and what it hides is not, but for a centimetre."""
    plane = Plane(*place)
    south, west, _, _ = MESH.bounds(FIRST)
    nearest = 1e9
    for cell in ZONES["z-1"].cells:
        south, west, north, east = MESH.bounds(cell)
        lat = min(max(place[0], south), north)
        lon = min(max(place[1], west), east)
        nearest = min(nearest, sqrt(plane.squared(lat, lon)))

    hidden = Shield(PARTITION, "z-1", buffer_m).hides(*place)
    assert PARTITION.distance_m(*place, "z-1") == pytest.approx(nearest, rel=1e-3, abs=0.01)
    if abs(nearest - buffer_m) > 0.01 + nearest * 1e-4:
        assert hidden == (nearest <= buffer_m)
    else:
        assert nearest <= buffer_m + 0.1


@given(st.integers(0, 2**32))
@settings(max_examples=25)
def test_a_shield_and_the_zone_agree_inside(seed: int) -> None:
    """Whatever lies in the zone is at no distance from it, and hidden without a buffer."""
    cell = sorted(ZONES["z-1"].cells)[seed % 3]
    place = middle(cell)

    assert PARTITION.zone_of(*place) == "z-1"
    assert PARTITION.distance_m(*place, "z-1") == 0.0
    assert Shield(PARTITION, "z-1", 0.0).hides(*place)


@pytest.mark.channel("C16")
def test_doubt_hides() -> None:
    """What is not finite or outside the mesh has no zone, no distance, and is hidden."""
    shield = Shield(PARTITION, "z-1", 100.0)

    for place in ((float("nan"), 137.1), (36.67, float("inf")), (-1.0, 137.1)):
        assert PARTITION.zone_of(*place) is None
        assert shield.hides(*place)
    assert not shield.hides(36.0, 138.0)


def test_a_large_buffer_in_the_north_reaches_every_cell_that_it_touches() -> None:
    """Columns are narrower there: 5 km at 45 degrees are more of them than at 36."""
    cell = MESH.cell(45.0, 142.0)
    partition = Partition("north", MESH, {"z": Zone(frozenset({cell}), "")}, frozenset())
    _, west, north, _ = MESH.bounds(cell)
    shield = Shield(partition, "z", 5000.0)
    step = 4990 / (111_320 * cos(radians(north)))

    assert shield.hides(north - 0.0001, west - step)
    assert not shield.hides(north - 0.0001, west - step * 1.02)


def written(tmp_path: Path, zoning: Zoning) -> Path:
    file = tmp_path / "zones.yaml"
    content = render(
        zoning, name="here", mesh=MESH, k=20, k_gate=10, source='a "list"', day="2026-04-01",
        checked=["dwellings"],
    )  # fmt: skip
    file.write_bytes(content)
    return file


@given(dwellings=counts)
@settings(max_examples=30)
def test_a_file_says_what_was_built(
    tmp_path_factory: pytest.TempPathFactory, dwellings: dict[int, int]
) -> None:
    """Zones and cells come back as they were; counts only as classes of k."""
    zoning = build(Survey(MESH, dwellings), 20, 10)
    head, found = read_partition(written(tmp_path_factory.mktemp("p"), zoning))

    assert [zone.cells for zone in found.zones.values()] == [zone.cells for zone in zoning.zones]
    assert found.without == zoning.without
    assert {zone.dwellings for zone in found.zones.values()} <= {"20 to 39", "40 to 99", "100 to 199", "200 or more"}  # fmt: skip
    assert (head.id, head.source, head.not_checked) == ("here", 'a "list"', ["buildings", "discs", "entries", "gates"])  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("k: 20", "k: 30", "zones.yaml:20:9 sha256: the lines above do not have this digest"),
        ("5537013611", "5537013612", "the lines above do not have this digest"),
        ("id: here", "id: here\nhouses: 3", "zones.yaml:5:1 houses: "),
        ("level: 250m", "level: 260m", "zones.yaml:5:8 level: "),
    ],
)  # fmt: skip
def test_an_edited_file_is_refused(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """With file, line and column, whatever was changed."""
    file = written(tmp_path, build(Survey(MESH, block([[30, 40]])), 20, 10))
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))

    with pytest.raises(SettingsError) as refused:
        read_partition(file)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("second", "sentence"),
    [(FIRST, "cell 5537013611 is in z-0001 already: zones overlap."), (FIRST + 3000 * COLUMN, "")],
)
def test_zones_that_overlap_are_refused(tmp_path: Path, second: int, sentence: str) -> None:
    """Even where the digest is right: it was made so."""
    groups = build(Survey(MESH, {FIRST: 30}), 20, 10).zones
    file = written(tmp_path, Zoning([*groups, groups[0]._replace(cells=frozenset({second}))], frozenset()))  # fmt: skip

    if not sentence:
        assert len(read_partition(file)[1].zones) == 2
        return
    with pytest.raises(SettingsError, match=r"zones\.yaml:18:12") as refused:
        read_partition(file)
    assert sentence in str(refused.value)
