"""Writes a fictional town's ground down, as `sekisho privacy partition build` reads the ground of a real one."""

import json
from pathlib import Path

from gateway.model.errors import Refusal
from sekisho import screen
from simulators.town import Town

_DECIMALS = 7  # about a centimetre


def write_ground(here: Town, folder: Path, *, as_json: bool, quiet: bool) -> None:
    """Write `dwellings.csv` (lat, lon) and `roads.geojson` (a LineString for each street) into a folder.

    The same town gives the same bytes.

    Raises:
        Refusal: they cannot be written.
    """
    homes, roads = folder / "dwellings.csv", folder / "roads.geojson"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        homes.write_text(_dwellings(here), "utf-8")
        roads.write_text(_roads(here), "utf-8")
    except OSError as error:
        raise Refusal(f"--ground-out {folder}: {error.strerror}. Name a folder that can be written.", 2) from None  # fmt: skip
    facts = {
        "town": here.name,
        "fictional": True,
        "dwellings": len(here.dwellings),
        "streets": len(here.streets.edges),
        "files": [str(homes), str(roads)],
    }
    if as_json:
        screen.document(facts)
    elif not quiet:
        print(
            f"{homes}, {roads}: {len(here.dwellings):,} dwellings on {len(here.streets.edges):,} streets, all of "
            "them fictional"
        )


def _dwellings(here: Town) -> str:
    lines = ["lat,lon,note"]
    for lat, lon in sorted(here.plane.degrees(one.house) for one in here.dwellings):
        lines.append(f"{lat:.{_DECIMALS}f},{lon:.{_DECIMALS}f},fictional")
    return "".join(f"{line}\n" for line in lines)


def _roads(here: Town) -> str:
    features = []
    for a, b in here.streets.edges:
        ends = (here.plane.degrees(here.streets.nodes[end]) for end in (a, b))
        line = [[round(lon, _DECIMALS), round(lat, _DECIMALS)] for lat, lon in ends]
        geometry = {"type": "LineString", "coordinates": line}
        features.append(
            {"type": "Feature", "properties": {"fictional": True}, "geometry": geometry}
        )
    text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
    return text.replace('{"type":"Feature",', '\n{"type":"Feature",') + "\n"
