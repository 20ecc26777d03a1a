"""A public partition: zones of merged mesh cells, and which places a child's zone hides.

The mask that stands on it is a function of the zone, never of the home: two homes of one zone give the same output.
"""

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

from gateway.privacy.distance import Plane
from gateway.privacy.mesh import NOWHERE, Bounds, Mesh

_STEP = 1e-3  # degrees over which a scale is measured


class Zone(NamedTuple):
    """Some cells that hide together.

    Attributes:
        cells: of the partition's mesh; merged by their edges.
        dwellings: how many, in classes: `100 to 199`.
    """

    cells: frozenset[int]
    dwellings: str


class Partition:
    """Zones by name. No cell is in two of them.

    Attributes:
        id: its name in rules and reports.
        mesh: the level of its cells.
        zones: name to zone.
        without: cells with dwellings that no zone could hold: nothing of their children may be kept.
    """

    __slots__ = ("_densities", "_zone_of", "id", "mesh", "without", "zones")

    def __init__(
        self, name: str, mesh: Mesh, zones: Mapping[str, Zone], without: frozenset[int]
    ) -> None:
        self.id = name
        self.mesh = mesh
        self.zones = dict(zones)
        self.without = without
        self._densities: dict[str, float] = {}
        self._zone_of = {cell: zone for zone, held in self.zones.items() for cell in held.cells}

    def __repr__(self) -> str:
        return f"<partition {self.id}: {len(self.zones)} zones>"

    def zone_of(self, lat: float, lon: float) -> str | None:
        """The zone of a place in degrees; None where there is none, and for what is not finite."""
        return self._zone_of.get(self.mesh.cell(lat, lon))

    def distance_m(self, lat: float, lon: float, zone: str) -> float:
        """Metres from a place to the nearest cell of a zone; 0 within, and for a place outside the mesh.

        Raises:
            KeyError: no zone of this name.
        """
        cells = self.zones[zone].cells
        if self.mesh.cell(lat, lon) == NOWHERE:
            return 0.0
        scale = scales(lat)
        return sqrt(min(_squared(lat, lon, self.mesh.bounds(cell), scale) for cell in cells))

    def gap_m(self, box: Bounds, zone: str) -> float:
        """Metres between a box in degrees and the nearest cell of a zone; 0 where they meet.

        Raises:
            KeyError: no zone of this name.
        """
        scale = scales(box.south)
        apart = (_apart(box, self.mesh.bounds(cell), scale) for cell in self.zones[zone].cells)
        return sqrt(min(apart))

    def density(self, zone: str) -> float:
        """Dwellings a square kilometre that a zone has at least: the least of its class, over its area.

        Raises:
            KeyError: no zone of this name.
        """
        found = self._densities.get(zone)
        if found is None:
            held = self.zones[zone]
            area = sum(_area_km2(self.mesh.bounds(cell)) for cell in held.cells)
            found = self._densities[zone] = int(held.dwellings.split()[0]) / area
        return found


class Shield:
    """What one zone hides: itself, and everything within a buffer round it.

    Laid out once for each zone and buffer; then most places need one look into a table. Doubt hides: so does a place
    outside the mesh, or one that is not finite.
    """

    __slots__ = ("_cell_of", "_limit", "_near")

    def __init__(self, partition: Partition, zone: str, buffer_m: float) -> None:
        """Lay out the cells round `zone` for a buffer in metres.

        Raises:
            KeyError: no zone of this name.
        """
        mesh, cells = partition.mesh, partition.zones[zone].cells
        self._cell_of = mesh.cell
        self._limit = buffer_m * buffer_m
        self._near: dict[int, tuple[tuple[float, float], list[Bounds]] | None] = {NOWHERE: None}
        self._near |= dict.fromkeys(cells)
        rows, columns = _reach(mesh, max(cells), buffer_m)
        for near in {one for cell in cells for one in mesh.around(cell, rows, columns)} - cells:
            within = [one for one in mesh.around(near, rows, columns) if one in cells]
            lat = mesh.bounds(near).south
            self._near[near] = scales(lat), [mesh.bounds(one) for one in within]

    def __repr__(self) -> str:
        return "<shield>"

    def hides(self, lat: float, lon: float) -> bool:
        """Whether a place in degrees lies in the zone, or no farther from it than the buffer."""
        near = self._near.get(self._cell_of(lat, lon), _FAR)
        if near is None:
            return True
        scale, bounds = near
        return any(_squared(lat, lon, one, scale) <= self._limit for one in bounds)


_FAR: tuple[tuple[float, float], list[Bounds]] = ((0.0, 0.0), [])


def scales(lat: float) -> tuple[float, float]:
    """Metres of a degree of latitude and of one of longitude, at `lat`."""
    plane = Plane(lat, 0.0)
    return sqrt(plane.squared(lat + _STEP, 0.0)) / _STEP, sqrt(plane.squared(lat, _STEP)) / _STEP


def _area_km2(box: Bounds) -> float:
    up, along = scales(box.south)
    return (box.north - box.south) * up * (box.east - box.west) * along / 1e6


def _apart(one: Bounds, other: Bounds, scale: tuple[float, float]) -> float:
    """The square of the metres between two boxes."""
    up = max(other.south - one.north, one.south - other.north, 0.0) * scale[0]
    along = max(other.west - one.east, one.west - other.east, 0.0) * scale[1]
    return up * up + along * along


def _squared(lat: float, lon: float, cell: Bounds, scale: tuple[float, float]) -> float:
    """The square of the metres between a place and the nearest point of a cell."""
    south, west, north, east = cell
    up = south - lat if lat < south else lat - north if lat > north else 0.0
    along = west - lon if lon < west else lon - east if lon > east else 0.0
    up *= scale[0]
    along *= scale[1]
    return up * up + along * along


def _reach(mesh: Mesh, northernmost: int, buffer_m: float) -> tuple[int, int]:
    """How many rows and columns off a zone a cell may still be touched by the buffer; a per cent more than exact."""
    south, west, north, east = mesh.bounds(northernmost)
    up, along = scales(north)
    return (
        int(buffer_m * 1.01 / ((north - south) * up)) + 1,
        int(buffer_m * 1.01 / ((east - west) * along)) + 1,
    )
