"""The scanner's own formulas against what other people's programs make of one place in Toyama."""

import sys
from types import SimpleNamespace

import pytest

from gateway.canary import grids, projections
from gateway.canary.canaries import Canaries
from gateway.canary.search import Search
from gateway.canary.stream import scan_bytes

PLACE = 36.695304170318846, 137.21130482957152


@pytest.mark.parametrize(
    ("plane", "north", "east"),
    [
        ("plane zone VII", 77147.96172883482, 3988.716644242292),
        ("UTM 53N", 4063350.9903146946, 697549.6459592364),
        ("web map", 4396720.789757586, 15274292.584708542),
    ],
)
def test_projected_metres_are_those_of_proj(plane: str, north: float, east: float) -> None:
    """PROJ 9 for EPSG:6675, 32653 and 3857, within a quarter of a millimetre."""
    made = projections.in_metres(*PLACE)[plane]
    assert made == pytest.approx((north, east), abs=0.000_25)


def test_the_tokyo_datum_is_that_of_proj() -> None:
    """PROJ 9: cart, helmert 146.414 −507.337 −680.507, cart on Bessel's ellipsoid; within a millimetre.
    The linear formula lies within three metres of it."""
    made = projections.in_tokyo(*PLACE)
    by_proj = (36.69224749691305, 137.21435837521653)
    assert made["three parameters"] == pytest.approx(by_proj, abs=1e-8)
    assert made["linear"] == pytest.approx(by_proj, abs=3e-5)


def test_nothing_japanese_is_made_of_places_elsewhere() -> None:
    assert projections.in_tokyo(48.1, 11.5) == {}
    assert list(projections.in_metres(48.1, 11.5)) == ["web map"]


def test_codes_are_those_of_their_libraries() -> None:
    """pygeohash 3.5, openlocationcode 1.0, jismesh 2.1 (level 5), polyline 2.0."""
    assert grids.geohash(*PLACE, 9) == "xn98f24jx"
    assert grids.plus_code(*PLACE) == "8Q8VM6W64G"
    assert grids.mesh(*PLACE) == "5537013624"
    assert grids.polyline(3669530, 13721130) == "s`~~EsandY"
    assert grids.polyline(36695304, 137211305) == "oou~dAqyuudG"
    assert grids.polyline(-179_983_21) == "`~oia@"  # Google's own example


def test_h3_cells_are_looked_for_where_the_library_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """h3 4.5 names these cells of resolution 9 and 12; without it none is looked for."""
    cells = {9: "892e718596fffff", 12: "8c2e718596e6dff"}
    data = b"cell=8c2e718596e6dff"
    monkeypatch.setitem(sys.modules, "h3", None)
    assert scan_bytes(data, Search(Canaries((PLACE,)))) == []
    fake = SimpleNamespace(latlng_to_cell=lambda _lat, _lon, n: cells.get(n, f"{n:015x}"))
    monkeypatch.setitem(sys.modules, "h3", fake)
    (hit,) = scan_bytes(data, Search(Canaries((PLACE,))))
    assert (hit.coat, hit.canary, hit.offset) == ("H3", "position 0", 5)
