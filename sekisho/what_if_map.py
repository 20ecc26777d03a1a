"""The rows that a rule set would keep, as GeoJSON for a map: places as points, cells as squares."""

import json
from typing import Any

from gateway.model.instant import to_rfc3339
from gateway.privacy.mesh import MESHES
from sekisho.what_if import Kept, Row
from simulators.calendar import ZONE

_BY_DIGITS = {mesh.digits: mesh for mesh in MESHES.values()}


def features(kept: Kept) -> str:
    """A FeatureCollection; each row with its time as it says it, and nothing of whose it is."""
    found = sorted(
        (row.minute, row.cell or "", row.lat or 0.0, row.lon or 0.0, row.fix)
        for rows in kept.rows
        for row in rows
    )
    drawn = [
        _feature(Row(fix, minute, lat, lon, cell or None))
        for minute, cell, lat, lon, fix in found
        if cell or lat or lon
    ]
    document = {"type": "FeatureCollection", "rule_set": kept.name, "features": drawn}
    return json.dumps(document, separators=(",", ":")) + "\n"


def _feature(row: Row) -> dict[str, Any]:
    properties = {"time": to_rfc3339(row.minute, ZONE)}
    if row.cell is None:
        geometry: dict[str, Any] = {"type": "Point", "coordinates": [row.lon, row.lat]}
    else:
        mesh = _BY_DIGITS[len(row.cell)]
        south, west, north, east = mesh.bounds(mesh.of_code(row.cell))
        corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
        ring = [[round(lon, 8), round(lat, 8)] for lon, lat in corners]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        properties["cell"] = row.cell
    return {"type": "Feature", "properties": properties, "geometry": geometry}
