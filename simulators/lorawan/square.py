"""A city as a square on which forwarders and nodes stand, for planning: no streets, no homes, nobody who is real.

Six nodes of ten stand in the middle eighth, as people do: of Toyama's 474 km² that can be lived on (38.2 % of 1,241 km²)
some 57 km² are densely inhabited. Half of the nodes stand outdoors, three of ten indoors behind 15 dB of walls, two of
ten ride on cars, 3 dB worse, and never twice behind the same house.
"""

from enum import Enum
from math import cos, radians, sqrt
from typing import NamedTuple

from simulators.lorawan.links import plain_loss_db
from simulators.lorawan.meters import spread
from simulators.streams import stream
from simulators.streets import Point, distance

HABITABLE_KM2 = 474.0
"""Of Toyama City."""

_DENSE_SHARE, _DENSE_PART = 0.6, 0.12
_BESIDE = 0.25
CENTRE = (36.66, 137.22)
"""The middle of Toyama's plain, in degrees of latitude and longitude."""

_LAT_M, _LON_M = (111_132.954, -559.822), (111_412.84, -93.5)
"""A degree's length on the WGS 84 ellipsoid, a + b cos: of latitude by φ's double, of longitude by φ and its triple."""


class Stand(Enum):
    """How a node stands, and how many of a hundred do."""

    OUTDOORS = "outdoors"
    INDOORS = "indoors"
    CAR = "on a car"


SHARES = {Stand.OUTDOORS: 0.5, Stand.INDOORS: 0.3, Stand.CAR: 0.2}
EXTRA_LOSS_DB = {Stand.OUTDOORS: 0.0, Stand.INDOORS: 15.0, Stand.CAR: 3.0}


class Site(NamedTuple):
    """A node: where it stands (metres from the south-west corner), and how."""

    name: str
    place: Point
    stand: Stand


def side_m(area_km2: float) -> float:
    """The side of the square."""
    return sqrt(area_km2) * 1000


def antennas(seed: int, many: int, area_km2: float) -> dict[str, Point]:
    """Forwarders: one in each of equal parts, up to a quarter of its width beside the middle, as public roofs come."""
    side = side_m(area_km2)
    cell = side / sqrt(many)
    placed = {}
    for number, middle in enumerate(spread(many, side, side), 1):
        dice = stream(seed, "mast", str(number))
        beside = cell * _BESIDE
        x, y = (value + dice.uniform(-beside, beside) for value in middle)
        placed[f"forwarder-{number:03}"] = Point(x, y)
    return placed


def sites(seed: int, many: int, area_km2: float) -> list[Site]:
    """Nodes; the same for a seed and an area, however many forwarders there are."""
    side = side_m(area_km2)
    dense = side * sqrt(_DENSE_PART)
    found = []
    for number in range(1, many + 1):
        name = f"node-{number:05}"
        dice = stream(seed, "site", name)
        width = dense if dice.random() < _DENSE_SHARE else side
        low = (side - width) / 2
        place = Point(low + dice.random() * width, low + dice.random() * width)
        stand = dice.choices(list(SHARES), list(SHARES.values()))[0]
        found.append(Site(name, place, stand))
    return found


def open_loss_db(site: Site, antenna: Point) -> float:
    """What distance and the node's stand cost, before shadows."""
    return plain_loss_db(distance(site.place, antenna)) + EXTRA_LOSS_DB[site.stand]


def degrees(place: Point, area_km2: float, centre: tuple[float, float] = CENTRE) -> tuple[float, float]:  # fmt: skip
    """Latitude and longitude, if the middle of the square lay at `centre`; to a hundred metres."""
    half = side_m(area_km2) / 2
    lat, lon = centre
    phi = radians(lat)
    lat_m = _LAT_M[0] + _LAT_M[1] * cos(2 * phi)
    lon_m = _LON_M[0] * cos(phi) + _LON_M[1] * cos(3 * phi)
    return lat + (place.y - half) / lat_m, lon + (place.x - half) / lon_m
