"""What is known of the ground, from files: dwellings as points, roads as lines, or cells of the census."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from typing import Any, TypeAlias

from gateway.model.errors import Refusal
from gateway.privacy.mesh import NOWHERE, Mesh
from gateway.privacy.roads import Place, Roads
from gateway.privacy.zoning import Building, Survey
from sekisho.census import Cells, read_census
from sekisho.csv_file import read_table

_Point: TypeAlias = tuple[str, Any, Any, Any]
"""Where it stands, and its latitude, longitude and number of dwellings as they stand there."""


def survey(
    mesh: Mesh, cells: Sequence[Path], dwellings: Sequence[Path], roads: Sequence[Path]
) -> Survey:
    """Everything that the files say, by cells of `mesh`.

    Raises:
        Refusal: neither or both of `cells` and `dwellings`, or a file that cannot be used.
    """
    if bool(cells) == bool(dwellings):
        raise Refusal("Give either --cells (mesh counts of the census) or --dwellings (points).", exit_code=2)  # fmt: skip
    network = Roads(line for path in roads for line in read_lines(path)) if roads else None
    if not dwellings:
        counts = _census([read_census(path, mesh) for path in cells])
        return Survey(mesh, counts.dwellings, tied=counts.tied, roads=network)
    buildings: dict[int, list[Building]] = defaultdict(list)
    for path in dwellings:
        for building in read_buildings(path):
            cell = mesh.cell(*building.place)
            if cell == NOWHERE:
                raise Refusal(f"{path}: a dwelling lies outside the mesh of Japan. Are latitude and longitude exchanged?", exit_code=2)  # fmt: skip
            buildings[cell].append(building)
            if network is not None:
                network.settle(building.place, building.dwellings)
    totals = {cell: sum(one.dwellings for one in held) for cell, held in buildings.items()}
    return Survey(mesh, totals, buildings, roads=network)


def _census(parts: Sequence[Cells]) -> Cells:
    """The cells of all tables together, each cell that another one is counted in among them."""
    counts: dict[int, int] = defaultdict(int)
    known = set().union(*(part.codes for part in parts))
    for part in parts:
        for code, where in part.counted_in.items():
            if code not in known:
                raise Refusal(f"{where} HTKSAKI names the cell {code}, which stands in none of the tables. Add the one that has it.", exit_code=2)  # fmt: skip
        for cell, count in part.dwellings.items():
            counts[cell] += count
    return Cells(counts, [pair for part in parts for pair in part.tied], known, {})


def read_buildings(path: Path) -> list[Building]:
    """Points, one a building: what stands at one place is one."""
    found: dict[Place, int] = defaultdict(int)
    points = _csv(path) if path.suffix.lower() == ".csv" else _points(path)
    for where, lat, lon, dwellings in points:
        try:
            place, count = (float(lat), float(lon)), int(dwellings)
        except (TypeError, ValueError):
            place, count = (nan, nan), 0
        if not (abs(place[0]) <= 90 and abs(place[1]) <= 180):
            raise Refusal(f"{where} a latitude, a longitude and a whole number of dwellings are needed.", exit_code=2)  # fmt: skip
        if count < 0:
            raise Refusal(f"{where} dwellings cannot be fewer than 0.", exit_code=2)
        if count:
            found[place] += count
    if not found:
        raise Refusal(f"{path} holds no dwelling.", exit_code=2)
    return [Building(place, count) for place, count in sorted(found.items())]


def _csv(path: Path) -> Iterator[_Point]:
    for line, row in read_table(path, ("lat", "lon"), ("dwellings",), unused=False):
        yield f"{path}:{line}", row["lat"], row["lon"], row.get("dwellings", 1)


def _points(path: Path) -> Iterator[_Point]:
    for number, feature in enumerate(_features(path), 1):
        try:
            lon, lat = feature["geometry"]["coordinates"][:2]
            assert feature["geometry"]["type"] == "Point"
            dwellings = (feature.get("properties") or {}).get("dwellings", 1)
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
            raise Refusal(f"{path}: feature {number} is no Point.", exit_code=2) from None
        yield f"{path}: feature {number}:", lat, lon, dwellings


def read_lines(path: Path) -> Iterator[list[Place]]:
    for number, feature in enumerate(_features(path), 1):
        try:
            kind, lines = feature["geometry"]["type"], feature["geometry"]["coordinates"]
            if kind == "LineString":
                lines = [lines]
            assert kind in {"LineString", "MultiLineString"}
            places = [[(float(at[1]), float(at[0])) for at in line] for line in lines]
        except (AssertionError, IndexError, KeyError, TypeError, ValueError):
            raise Refusal(f"{path}: feature {number} is no LineString.", exit_code=2) from None
        yield from places


def _features(path: Path) -> list[Any]:
    try:
        document = json.loads(_text(path))
        features = document["features"]
        assert isinstance(features, list)
    except (AssertionError, KeyError, TypeError, ValueError):
        raise Refusal(f"{path} is no GeoJSON FeatureCollection.", exit_code=2) from None
    return features


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise Refusal(f"{path} is not a text in UTF-8.", exit_code=2) from None
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.", exit_code=2) from None
