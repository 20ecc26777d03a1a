"""The service area: mesh against a plain point-in-polygon test of its own."""

import json
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from gateway.privacy.area import Area

SQUARE = [[137.0, 36.0], [138.0, 36.0], [138.0, 37.0], [137.0, 37.0], [137.0, 36.0]]
HOLE = [[137.4, 36.4], [137.6, 36.4], [137.6, 36.6], [137.4, 36.6], [137.4, 36.4]]
STAR = [
    [0.0, 3.0], [0.7, 0.9], [2.9, 0.9], [1.1, -0.4], [1.8, -2.4], [0.0, -1.2],
    [-1.8, -2.4], [-1.1, -0.4], [-2.9, 0.9], [-0.7, 0.9], [0.0, 3.0],
]  # fmt: skip


def crosses(ring: Any, lat: float, lon: float) -> bool:
    within = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            within = not within
    return within


@pytest.mark.parametrize(
    "polygons",
    [
        [[SQUARE]],
        [[SQUARE, HOLE]],
        [[STAR]],
        [[STAR], [[[p[0] + 2.0, p[1] + 0.5] for p in STAR]]],
        [[[[0.0, 0.0], [1e-7, 2.0], [3.0, 1.0], [0.0, 0.0]]]],
    ],
    ids=["square", "with a hole", "star", "two that overlap", "needle"],
)
def test_the_mesh_answers_as_the_polygon_does(polygons: Any) -> None:
    area = Area.from_geojson({"type": "MultiPolygon", "coordinates": polygons})
    points = [p for rings in polygons for ring in rings for p in ring]
    west, east = min(p[0] for p in points) - 0.1, max(p[0] for p in points) + 0.1
    south, north = min(p[1] for p in points) - 0.1, max(p[1] for p in points) + 0.1
    dice = Random(7)
    for _ in range(4_000):
        lat, lon = dice.uniform(south, north), dice.uniform(west, east)
        expected = any(
            crosses(rings[0], lat, lon) and not any(crosses(hole, lat, lon) for hole in rings[1:])
            for rings in polygons
        )
        assert area.contains(lat, lon) == expected


def test_a_box_includes_its_rim() -> None:
    area = Area.from_bbox(36.0, 137.0, 37.0, 138.0)
    assert all(area.contains(lat, lon) for lat in (36.0, 36.5, 37.0) for lon in (137.0, 138.0))
    assert not area.contains(37.000001, 137.5)
    assert not area.contains(36.5, 136.999999)


@pytest.mark.parametrize("strange", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_lies_outside(strange: float) -> None:
    area = Area.from_bbox(-90.0, -180.0, 90.0, 180.0)
    assert not area.contains(strange, 0.0)
    assert not area.contains(0.0, strange)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda shape: shape,
        lambda shape: {"type": "Feature", "properties": {}, "geometry": shape},
        lambda shape: {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": None, "geometry": shape}],
        },
        lambda shape: {"type": "GeometryCollection", "geometries": [shape]},
        lambda shape: {"type": "MultiPolygon", "coordinates": [shape["coordinates"]]},
    ],
)
def test_every_wrapping_of_a_polygon_is_read(wrap: Any) -> None:
    shape = {"type": "Polygon", "coordinates": [SQUARE, HOLE]}
    area = Area.from_geojson(json.loads(json.dumps(wrap(shape))))
    assert area.contains(36.2, 137.2)
    assert not area.contains(36.5, 137.5)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"type": "Point", "coordinates": [137.0, 36.0]},
        {"type": "FeatureCollection", "features": []},
        {"type": "Feature", "geometry": None},
        {"type": "Polygon", "coordinates": [SQUARE[:-1]]},
        {"type": "Polygon", "coordinates": [[[36.0, 137.0]] * 4]},
        {"type": "Polygon", "coordinates": [[[137.0, 36.0]] * 4]},
        {"type": "Polygon", "coordinates": [[[None, 36.0]] * 4]},
        {"type": "Polygon", "coordinates": [[[float("nan"), 36.0]] * 4]},
        {"type": "Polygon", "coordinates": 5},
    ],
)
def test_what_is_no_area_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        Area.from_geojson(document)


@pytest.mark.parametrize(
    "box",
    [(37.0, 137.0, 36.0, 138.0), (36.0, 179.0, 37.0, -179.0), (36.0, 137.0, float("nan"), 138.0)],
)
def test_what_is_no_box_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="bounding box"):
        Area.from_bbox(*box)
