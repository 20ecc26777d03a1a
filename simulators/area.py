"""Whether a place lies in the town's municipality, by its outline; the oracle's own test."""

import json
from functools import cache
from importlib.resources import files
from itertools import pairwise


@cache
def _ring() -> tuple[tuple[float, float], ...]:
    text = (files("simulators") / "data" / "municipality_16201.json").read_text(encoding="utf-8")
    return tuple((lon, lat) for lon, lat in json.loads(text)["ring_lon_lat"])


def in_municipality(lat: float, lon: float) -> bool:
    """Whether WGS 84 degrees lie inside Toyama City: a ray to the east crosses the outline oddly often."""
    inside = False
    ring = _ring()
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
