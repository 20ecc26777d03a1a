"""JIS X 0410: codes and cells of the public mesh."""

from math import inf, nan, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.privacy.mesh import MESHES, NOWHERE, Mesh

TOYAMA = ("5537", "553701", "55370136", "553701362", "5537013624", "55370136244")
meshes = st.sampled_from(list(MESHES.values()))
places = st.tuples(st.floats(0.0, 66.66), st.floats(100.0, 180.0, exclude_max=True))


def on_a_line(mesh: Mesh) -> st.SearchStrategy[tuple[float, float]]:
    """Places on mesh lines as a float has them, and their nearest floats beside."""
    rows, columns = mesh.per_degree
    nudge = st.sampled_from([-inf, inf, None])
    lines = st.tuples(
        st.integers(1, int(66 * rows)), st.integers(int(100 * columns) + 1, int(180 * columns) - 1)
    )

    def moved(line: float, towards: float | None) -> float:
        return line if towards is None else nextafter(line, towards)

    return st.builds(
        lambda line, up, along: (moved(line[0] / rows, up), moved(line[1] / columns, along)),
        lines, nudge, nudge,
    )  # fmt: skip


@pytest.mark.parametrize(("mesh", "code"), list(zip(MESHES.values(), TOYAMA, strict=True)))
def test_codes_are_those_of_jismesh(mesh: Mesh, code: str) -> None:
    """Toyama's station square, as jismesh 2.1 writes it at levels 1 to 6."""
    assert mesh.code(mesh.cell(36.6953, 137.2113)) == code


def test_the_code_of_another_city_is_that_of_jismesh() -> None:
    """Nagai lies in cell 57401023."""
    mesh = MESHES["1km"]

    assert mesh.code(mesh.cell(38.1076, 140.0406)) == "57401023"


def test_a_cell_of_250_m_is_seven_and_a_half_seconds_high_and_eleven_and_a_quarter_wide() -> None:
    """Heights and widths of JIS X 0410."""
    mesh = MESHES["250m"]
    south, west, north, east = mesh.bounds(mesh.of_code("5537013624"))

    assert (north - south) * 3600 == pytest.approx(7.5, abs=1e-8)
    assert (east - west) * 3600 == pytest.approx(11.25, abs=1e-8)


@given(meshes, places)
def test_a_cell_holds_its_place(mesh: Mesh, place: tuple[float, float]) -> None:
    """South and west rims belong to a cell, north and east rims do not."""
    bounds = mesh.bounds(mesh.cell(*place))

    assert bounds.south <= place[0] < bounds.north
    assert bounds.west <= place[1] < bounds.east


@given(st.data(), meshes)
def test_rims_never_flip(data: st.DataObject, mesh: Mesh) -> None:
    """On a line, and one float beside it, a place lies in exactly the cell whose bounds hold it."""
    lat, lon = data.draw(on_a_line(mesh))
    south, west, north, east = mesh.bounds(mesh.cell(lat, lon))

    assert south <= lat < north
    assert west <= lon < east


@given(meshes, places)
def test_a_code_names_its_cell(mesh: Mesh, place: tuple[float, float]) -> None:
    """From cell to code and back; the code has the digits of its level."""
    cell = mesh.cell(*place)

    assert len(mesh.code(cell)) == mesh.digits
    assert mesh.of_code(mesh.code(cell)) == cell


@given(places)
def test_a_parent_holds_its_cell(place: tuple[float, float]) -> None:
    """The code of every coarser level is the beginning of the finer one's, and its cell is the parent."""
    fine = MESHES["125m"]
    cell = fine.cell(*place)

    for mesh in MESHES.values():
        assert fine.code(cell)[: mesh.digits] == mesh.code(mesh.cell(*place))
        assert fine.parent(cell, mesh) == mesh.cell(*place)


@given(meshes, places)
def test_neighbours_are_neighbours_of_each_other(mesh: Mesh, place: tuple[float, float]) -> None:
    """Each shares an edge: two bounds are alike, and the way back exists."""
    cell = mesh.cell(*place)
    own = mesh.bounds(cell)

    for other in mesh.neighbours(cell):
        shared = sum(a == b for a, b in zip(own, mesh.bounds(other), strict=True))
        assert shared == 2
        assert cell in mesh.neighbours(other)


def test_the_corner_of_the_mesh_has_two_neighbours() -> None:
    """Nothing lies south of the equator or west of 100 degrees."""
    mesh = MESHES["1km"]

    assert len(mesh.neighbours(mesh.cell(0.0, 100.0))) == 2
    assert len(mesh.around(mesh.cell(0.0, 100.0), 1, 2)) == 6


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(nan, 137.0), (36.0, nan), (inf, 137.0), (36.0, -inf), (-1.0, 137.0), (67.0, 137.0), (36.0, 99.9), (36.0, 180.0), (137.2, 36.7)],
)  # fmt: skip
def test_what_has_no_cell_is_nowhere(lat: float, lon: float) -> None:
    """Not finite, outside, or latitude and longitude exchanged."""
    assert MESHES["125m"].cell(lat, lon) == NOWHERE


@pytest.mark.parametrize("code", ["", "553", "5580", "55370", "553781", "5537013625", "55\uff1370136", "553701362x"])  # fmt: skip
def test_what_is_no_code_is_refused(code: str) -> None:
    """Too short, beyond 180 degrees, a digit that no cell has, digits that are none."""
    mesh = next((one for one in MESHES.values() if one.digits == len(code)), MESHES["250m"])

    with pytest.raises(ValueError, match="not a mesh code"):
        mesh.of_code(code)
