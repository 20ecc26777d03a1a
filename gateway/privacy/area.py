"""The service area: polygons, tested by a grid of boxes computed beforehand.

Most boxes lie wholly inside or outside and answer at once; in the others the point is tested exactly,
against only those edges that cross the box's row. The boundary counts as inside for a bounding box;
on a polygon's edge either answer may come. Positions are degrees, WGS 84; edges are straight in them.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import floor
from typing import Any

Ring = Sequence[tuple[float, float]]
"""Points (lon, lat) as in GeoJSON; first and last are the same."""
Edge = tuple[float, float, float, float, int]
"""lat, lon, lat, lon of its two ends, and a bit that names its polygon."""

_GRID = 256
_OUTSIDE, _INSIDE, _EDGE = 0, 1, 2
_SLACK = 1e-6  # in boxes: what rounding may misplace by


class Area:
    """Where this gateway serves. Build it by `from_geojson` or `from_bbox`."""

    __slots__ = ("_boxes", "_columns", "_east", "_north", "_per_lat", "_per_lon", "_rows", "_south", "_west")  # fmt: skip

    def __init__(self, polygons: Sequence[Sequence[Ring]], grid: int = _GRID) -> None:
        """Lay the grid over `polygons` (each a shell and its holes).

        Raises:
            ValueError: no polygon, or one without extent.
        """
        points = [point for rings in polygons for ring in rings for point in ring]
        if not points:
            raise ValueError("a service area needs at least one polygon")
        self._west, self._east = min(p[0] for p in points), max(p[0] for p in points)
        self._south, self._north = min(p[1] for p in points), max(p[1] for p in points)
        if self._west == self._east or self._south == self._north:
            raise ValueError("a service area needs some extent")
        self._per_lat = grid / (self._north - self._south)
        self._per_lon = grid / (self._east - self._west)
        self._columns = grid + 1  # the last row and column hold the northern and eastern rim
        self._boxes = bytearray(self._columns * self._columns)
        self._rows: list[list[Edge]] = [[] for _ in range(self._columns)]
        borders = [list(_edges(rings, 1 << number)) for number, rings in enumerate(polygons)]
        for edges in borders:
            self._fill(edges)
        for edges in borders:  # after every filling: an edge box is never certain
            for edge in edges:
                self._mark(edge)

    @classmethod
    def from_bbox(cls, south: float, west: float, north: float, east: float) -> "Area":
        """The rectangle between two parallels and two meridians, its rim included.

        Raises:
            ValueError: not a rectangle on the globe; across the 180th meridian, cut it in two.
        """
        if not (-90.0 <= south < north <= 90.0 and -180.0 <= west < east <= 180.0):
            raise ValueError("a bounding box is south < north and west < east, in degrees")
        ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
        area = cls([[ring]], grid=1)
        area._boxes = bytearray([_INSIDE]) * len(area._boxes)
        return area

    @classmethod
    def from_geojson(cls, document: Any) -> "Area":
        """The area of a Polygon, MultiPolygon, Feature, FeatureCollection or GeometryCollection.

        Raises:
            ValueError: not such an object (RFC 7946), or a position that is not on the globe.
        """
        try:
            polygons = [[_ring(ring) for ring in rings] for rings in _polygons(document)]
        except (TypeError, AttributeError):
            raise ValueError(
                "the service area is not GeoJSON: a list is not where it belongs"
            ) from None
        return cls(polygons)

    def __repr__(self) -> str:
        return "<service area>"

    def contains(self, lat: float, lon: float) -> bool:
        """Whether a point lies in the area; never, if it is not finite."""
        if not (self._south <= lat <= self._north and self._west <= lon <= self._east):
            return False
        row = int((lat - self._south) * self._per_lat)
        box = self._boxes[row * self._columns + int((lon - self._west) * self._per_lon)]
        return box == _INSIDE or (box == _EDGE and self._contains_exactly(row, lat, lon))

    def _contains_exactly(self, row: int, lat: float, lon: float) -> bool:
        """Even-odd rule per polygon, along the parallel to the east of the point."""
        within = 0
        for lat_1, lon_1, lat_2, lon_2, polygon in self._rows[row]:
            if (lat_1 > lat) != (lat_2 > lat) and lon < lon_1 + (lat - lat_1) * (lon_2 - lon_1) / (
                lat_2 - lat_1
            ):
                within ^= polygon
        return within != 0

    def _fill(self, edges: Iterable[Edge]) -> None:
        """Sort one polygon's edges into rows and set the boxes whose middle lies in it."""
        crossings: list[list[float]] = [[] for _ in self._rows]
        for edge in edges:
            lat_1, lon_1, lat_2, lon_2, _ = edge
            low, high = sorted((lat_1, lat_2))
            for row in _span(low, high, self._south, self._per_lat, len(self._rows)):
                self._rows[row].append(edge)
                middle = self._south + (row + 0.5) / self._per_lat
                if (lat_1 > middle) != (lat_2 > middle):
                    crossings[row].append(
                        lon_1 + (middle - lat_1) * (lon_2 - lon_1) / (lat_2 - lat_1)
                    )
        for row, at in enumerate(crossings):
            at.sort()
            for enter, leave in zip(at[::2], at[1::2], strict=True):
                first = floor((enter - self._west) * self._per_lon + 0.5)
                behind = floor((leave - self._west) * self._per_lon + 0.5)
                start = row * self._columns
                self._boxes[start + first : start + behind] = bytes([_INSIDE]) * (behind - first)

    def _mark(self, edge: Edge) -> None:
        """Mark every box an edge passes through."""
        lat_1, lon_1, lat_2, lon_2, _ = edge
        if lat_1 > lat_2:
            lat_1, lon_1, lat_2, lon_2 = lat_2, lon_2, lat_1, lon_1
        slope = 0.0 if lat_1 == lat_2 else (lon_2 - lon_1) / (lat_2 - lat_1)
        for row in _span(lat_1, lat_2, self._south, self._per_lat, len(self._rows)):
            enters, leaves = lon_1, lon_2
            if slope:
                floor_lat = self._south + (row - _SLACK) / self._per_lat
                ceiling_lat = self._south + (row + 1 + _SLACK) / self._per_lat
                enters = lon_1 + (max(lat_1, floor_lat) - lat_1) * slope
                leaves = lon_1 + (min(lat_2, ceiling_lat) - lat_1) * slope
            low, high = sorted((enters, leaves))
            for column in _span(low, high, self._west, self._per_lon, self._columns):
                self._boxes[row * self._columns + column] = _EDGE


def _span(low: float, high: float, origin: float, per_degree: float, most: int) -> range:
    """Numbers of the grid lines from `low` to `high`, with a little slack, kept on the grid."""
    first = floor((low - origin) * per_degree - _SLACK)
    last = floor((high - origin) * per_degree + _SLACK)
    return range(max(first, 0), min(last, most - 1) + 1)


def _edges(rings: Sequence[Ring], polygon: int) -> Iterator[Edge]:
    for ring in rings:
        for (lon_1, lat_1), (lon_2, lat_2) in pairwise(ring):
            yield lat_1, lon_1, lat_2, lon_2, polygon


def _polygons(document: Any) -> Iterator[Any]:
    """The coordinates of every polygon in a GeoJSON object."""
    sort = document.get("type") if isinstance(document, dict) else None
    match sort:
        case "Polygon":
            yield document.get("coordinates")
        case "MultiPolygon":
            yield from document.get("coordinates") or ()
        case "Feature":
            yield from _polygons(document.get("geometry"))
        case "FeatureCollection" | "GeometryCollection":
            members = "features" if sort == "FeatureCollection" else "geometries"
            for member in document.get(members) or ():
                yield from _polygons(member)
        case _:
            raise ValueError(
                "a service area is a GeoJSON Polygon or MultiPolygon, or features of them"
            )


def _ring(positions: Any) -> list[tuple[float, float]]:
    """One closed ring of finite positions on the globe."""
    try:
        ring = [(float(position[0]), float(position[1])) for position in positions]
    except (TypeError, ValueError, IndexError, KeyError):
        raise ValueError("a ring is a list of positions [longitude, latitude]") from None
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise ValueError("a ring has four or more positions, the last equal to the first")
    for lon, lat in ring:
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
            raise ValueError("a position is longitude, then latitude, in degrees")
    return ring
