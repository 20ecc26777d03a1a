"""The fictional town: invented streets, dwellings, school and parks around real bus stops.

Nothing here is a real street or home (decisions 22); only the bus stops and the outline of the
municipality that it lies in are real. The layout is the same for every seed.
"""

from functools import cache
from math import cos, radians
from typing import NamedTuple

from simulators.streams import stream
from simulators.streets import Point, Streets, between, distance
from simulators.timetable import timetable

MUNICIPALITY = "16201"
"""Toyama City, whose outline holds the whole town."""

LAT_0, LON_0 = 36.7330, 137.2025
"""South-west corner, WGS 84 degrees."""

_FIELD_SEED = 16201
_COLUMNS, _ROWS, _SPACING_M, _JITTER_M = 14, 10, 195.0, 38.0
_CLOSED = 0.12  # share of the grid's edges left out, so that ways bend
_SETBACK_M = (9.0, 18.0)  # a dwelling stands this far from the middle of its street

_PHI = radians(36.741)
_M_PER_LAT = 111_132.954 - 559.822 * cos(2 * _PHI) + 1.175 * cos(4 * _PHI)
_M_PER_LON = 111_412.84 * cos(_PHI) - 93.5 * cos(3 * _PHI) + 0.118 * cos(5 * _PHI)


class Dwelling(NamedTuple):
    """An invented home: the edge it stands on, its gate on the street, and the house itself."""

    edge: int
    gate: Point
    house: Point


class Town(NamedTuple):
    """Where everybody lives and goes.

    Attributes:
        streets: the street graph.
        dwellings: all homes, in a fixed order that says nothing about the place.
        school: the crossing of its gate; `school_yard` where the children sit.
        parks: crossings beside which children play.
    """

    streets: Streets
    dwellings: tuple[Dwelling, ...]
    school: int
    school_yard: Point
    parks: tuple[int, ...]


def to_degrees(point: Point) -> tuple[float, float]:
    """WGS 84 latitude and longitude of a local point, good to 1 m inside the town."""
    return LAT_0 + point.y / _M_PER_LAT, LON_0 + point.x / _M_PER_LON


def to_point(lat: float, lon: float) -> Point:
    """The local point of WGS 84 degrees."""
    return Point((lon - LON_0) * _M_PER_LON, (lat - LAT_0) * _M_PER_LAT)


def _grid() -> Streets:
    dice = stream(_FIELD_SEED, "town", "streets")
    nodes = [
        Point(
            column * _SPACING_M + dice.uniform(-_JITTER_M, _JITTER_M),
            row * _SPACING_M + dice.uniform(-_JITTER_M, _JITTER_M),
        )
        for row in range(_ROWS)
        for column in range(_COLUMNS)
    ]
    for stop in timetable().stops.values():  # real stops stand at crossings of the invented streets
        here = to_point(stop.lat, stop.lon)
        nearest = min(range(len(nodes)), key=lambda n: distance(nodes[n], here))
        if distance(nodes[nearest], here) < _SPACING_M * 0.6:
            nodes[nearest] = here
    edges = [
        (node, other)
        for node in range(len(nodes))
        for other in (node + 1, node + _COLUMNS)
        if other < len(nodes) and (other != node + 1 or other % _COLUMNS)
    ]
    for edge in dice.sample(edges, round(len(edges) * _CLOSED)):
        rest = [kept for kept in edges if kept != edge]
        if len(Streets(nodes, rest).reaches(0)) == len(nodes):
            edges = rest
    return Streets(nodes, edges)


def _dwellings(streets: Streets, school_yard: Point) -> tuple[Dwelling, ...]:
    dice = stream(_FIELD_SEED, "town", "dwellings")
    found = []
    for edge, (a, b) in enumerate(streets.edges):
        start, end = streets.nodes[a], streets.nodes[b]
        length = distance(start, end)
        for _ in range(dice.choice((1, 2, 2, 3, 3, 4))):
            gate = between(start, end, dice.uniform(0.12, 0.88))
            side = dice.choice((-1.0, 1.0)) * dice.uniform(*_SETBACK_M) / length
            house = Point(gate.x - (end.y - start.y) * side, gate.y + (end.x - start.x) * side)
            if distance(house, school_yard) > 160.0:
                found.append(Dwelling(edge, gate, house))
    dice.shuffle(found)
    return tuple(found)


@cache
def town() -> Town:
    """The one town, laid out from its own dice."""
    streets = _grid()
    school = streets.nearest(Point(_COLUMNS * _SPACING_M * 0.47, _ROWS * _SPACING_M * 0.46))
    gate = streets.nodes[school]
    yard = Point(gate.x + 14.0, gate.y + 10.0)
    corners = ((0.2, 0.25), (0.78, 0.3), (0.3, 0.8), (0.72, 0.75))
    parks = tuple(
        streets.nearest(Point(_COLUMNS * _SPACING_M * x, _ROWS * _SPACING_M * y))
        for x, y in corners
    )
    return Town(streets, _dwellings(streets, yard), school, yard, parks)
