"""Rows as GeoJSON (RFC 7946): one Feature a row, longitude before latitude, seven decimals at most."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from gateway.privacy.mesh import MESHES
from gateway.registry.places import Standing

_BY_DIGITS = {mesh.digits: mesh for mesh in MESHES.values()}
_DECIMALS = 7  # about a centimetre; RFC 7946, section 11.2, asks for no more than the data has


def write(
    rows: Iterable[Mapping[str, Any]], standings: Mapping[str, Standing], out: TextIO
) -> None:
    """Write a FeatureCollection, one Feature a line, as the rows are read.

    A row that has a place (people's, as the mask left it) stands there, one that says a cell fills it; a thing of the
    city stands where it is registered; what stands nowhere has the geometry null.
    """
    before = '{"type": "FeatureCollection", "features": [\n'
    for row in rows:
        print(before + json.dumps(_feature(row, standings), ensure_ascii=False), end="", file=out)
        before = ",\n"
    print('{"type": "FeatureCollection", "features": []}' if before[0] == "{" else "\n]}", file=out)


def place(row: Mapping[str, Any], standings: Mapping[str, Standing]) -> tuple[float, float] | None:
    """Longitude and latitude of a row: where its thing is registered, else its own; None without either."""
    lat, lon = row.get("lat"), row.get("lon")
    if (standing := standings.get(row.get("device", ""))) is not None:
        lat, lon = standing.lat, standing.lon
    if lat is None or lon is None:
        return None
    return round(float(lon), _DECIMALS), round(float(lat), _DECIMALS)


def _feature(row: Mapping[str, Any], standings: Mapping[str, Standing]) -> dict[str, Any]:
    properties = {name: value for name, value in row.items() if name not in ("lat", "lon")}
    if (standing := standings.get(row.get("device", ""))) is not None:
        properties["urn"] = f"urn:ngsi-ld:Device:{standing.owner}:{row['device']}"
    return {"type": "Feature", "geometry": _geometry(row, standings), "properties": properties}


def _geometry(row: Mapping[str, Any], standings: Mapping[str, Standing]) -> dict[str, Any] | None:
    """A point; of a row that says a cell of the public mesh, the cell: its middle would be taken for a fix."""
    where = place(row, standings)
    if where is not None:
        return {"type": "Point", "coordinates": list(where)}
    cell = row.get("cell")
    if cell is None:
        return None
    mesh = _BY_DIGITS[len(cell)]
    south, west, north, east = mesh.bounds(mesh.of_code(cell))
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    corners = [[round(lon, _DECIMALS), round(lat, _DECIMALS)] for lon, lat in ring]
    return {"type": "Polygon", "coordinates": [corners]}
