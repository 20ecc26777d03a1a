"""Lays fictional towns out from dice of their own: streets, dwellings, a school, parks.

Nothing here is a real street or home (decisions 22). A layout is the same for every seed of the simulation.
"""

from math import cos, radians
from typing import NamedTuple

from simulators.streams import stream
from simulators.streets import Point, Streets, between, distance
from simulators.timetable import timetable

_FIELD_SEED = 16201
_SETBACK_M = (9.0, 18.0)  # a dwelling stands this far from the middle of its street
_SCHOOL_GROUND_M = 160.0  # nobody lives nearer to the school yard


class Plan(NamedTuple):
    """What a town is drawn from; lengths in metres.

    Attributes:
        name: also of its dice.
        corner: south-west corner, WGS 84 degrees.
        middle_lat: latitude at which a degree's length is taken.
        columns, rows, spacing_m, jitter_m: of the crossings.
        closed: share of the grid's edges left out, so that ways bend.
        frontage_m: street for one dwelling, both sides counted together.
        families_m: so far from the school, as the crow flies, live the families with trackers.
        stops: whether the timetable's bus stops stand at crossings.
        school: where, as shares of the width and the height; `parks` likewise.
    """

    name: str
    corner: tuple[float, float]
    middle_lat: float
    columns: int
    rows: int
    spacing_m: float
    jitter_m: float
    closed: float
    frontage_m: float
    families_m: tuple[float, float]
    stops: bool
    school: tuple[float, float]
    parks: tuple[tuple[float, float], ...]

    def point(self, share: tuple[float, float]) -> Point:
        """A place given as shares of the width and the height."""
        east, north = share
        return Point(self.columns * self.spacing_m * east, self.rows * self.spacing_m * north)


class Dwelling(NamedTuple):
    """An invented home: the edge it stands on, its gate on the street, and the house itself."""

    edge: int
    gate: Point
    house: Point


class Plane:
    """Local metres and WGS 84 degrees, good to a metre inside a town."""

    __slots__ = ("_corner", "_lat_m", "_lon_m")

    def __init__(self, corner: tuple[float, float], middle_lat: float) -> None:
        phi = radians(middle_lat)
        self._corner = corner
        self._lat_m = 111_132.954 - 559.822 * cos(2 * phi) + 1.175 * cos(4 * phi)
        self._lon_m = 111_412.84 * cos(phi) - 93.5 * cos(3 * phi) + 0.118 * cos(5 * phi)

    def degrees(self, point: Point) -> tuple[float, float]:
        """Latitude and longitude of a local point."""
        return self._corner[0] + point.y / self._lat_m, self._corner[1] + point.x / self._lon_m

    def point(self, lat: float, lon: float) -> Point:
        """The local point of a latitude and a longitude."""
        return Point((lon - self._corner[1]) * self._lon_m, (lat - self._corner[0]) * self._lat_m)


def streets(plan: Plan, plane: Plane) -> Streets:
    """An irregular grid, with edges left out as long as everything can still be reached."""
    dice = stream(_FIELD_SEED, plan.name, "streets")
    spacing, jitter = plan.spacing_m, plan.jitter_m
    nodes = [
        Point(
            column * spacing + dice.uniform(-jitter, jitter),
            row * spacing + dice.uniform(-jitter, jitter),
        )
        for row in range(plan.rows)
        for column in range(plan.columns)
    ]
    if plan.stops:
        _move_to_stops(nodes, plane, spacing * 0.6)
    edges = [
        (node, other)
        for node in range(len(nodes))
        for other in (node + 1, node + plan.columns)
        if other < len(nodes) and (other != node + 1 or other % plan.columns)
    ]
    for edge in dice.sample(edges, round(len(edges) * plan.closed)):
        rest = [kept for kept in edges if kept != edge]
        if len(Streets(nodes, rest).reaches(0)) == len(nodes):
            edges = rest
    return Streets(nodes, edges)


def _move_to_stops(nodes: list[Point], plane: Plane, within_m: float) -> None:
    """Let real stops stand at crossings of the invented streets."""
    for stop in timetable().stops.values():
        here = plane.point(stop.lat, stop.lon)
        nearest = min(range(len(nodes)), key=lambda n: distance(nodes[n], here))
        if distance(nodes[nearest], here) < within_m:
            nodes[nearest] = here


def dwellings(plan: Plan, network: Streets, yard: Point) -> tuple[Dwelling, ...]:
    """Homes along all streets, denser here than there, in an order that says nothing about the place."""
    dice = stream(_FIELD_SEED, plan.name, "dwellings")
    found = []
    for edge, (a, b) in enumerate(network.edges):
        start, end = network.nodes[a], network.nodes[b]
        length = distance(start, end)
        many = round(length / plan.frontage_m * dice.uniform(0.6, 1.4))
        for number in range(many):
            gate = between(start, end, 0.06 + 0.88 * (number + dice.random()) / many)
            side = dice.choice((-1.0, 1.0)) * dice.uniform(*_SETBACK_M) / length
            house = Point(gate.x - (end.y - start.y) * side, gate.y + (end.x - start.x) * side)
            if distance(house, yard) > _SCHOOL_GROUND_M:
                found.append(Dwelling(edge, gate, house))
    dice.shuffle(found)
    return tuple(found)
