"""What is known of the ground, from files: dwellings as points, roads as lines, or cells of the census."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.model.errors import Refusal
from gateway.privacy.mesh import NOWHERE, Mesh
from gateway.privacy.roads import Place, Roads
from gateway.privacy.zoning import Building, Survey
from sekisho.census import read_census


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
        counts: dict[int, int] = defaultdict(int)
        tied = []
        for path in cells:
            part = read_census(path, mesh)
            tied += part.tied
            for cell, count in part.dwellings.items():
                counts[cell] += count
        return Survey(mesh, counts, tied=tied, roads=network)
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


def read_buildings(path: Path) -> list[Building]:
    """Points, one a building: what stands at one place is one."""
    found: dict[Place, int] = defaultdict(int)
    points = _csv(path) if path.suffix.lower() == ".csv" else _points(path)
    for number, lat, lon, dwellings in points:
        try:
            place, count = (float(lat), float(lon)), int(dwellings)
        except (TypeError, ValueError):
            raise Refusal(f"{path}: point {number}: a latitude, a longitude and a whole number of dwellings are needed.", exit_code=2) from None  # fmt: skip
        if count < 0:
            raise Refusal(f"{path}: point {number}: dwellings cannot be fewer than 0.", exit_code=2)
        if count:
            found[place] += count
    if not found:
        raise Refusal(f"{path} holds no dwelling.", exit_code=2)
    return [Building(place, count) for place, count in sorted(found.items())]


def _csv(path: Path) -> Iterator[tuple[int, Any, Any, Any]]:
    rows = csv.DictReader(_text(path).splitlines())
    if not {"lat", "lon"} <= set(rows.fieldnames or ()):
        raise Refusal(
            f"{path}:1 columns named lat and lon are needed, and dwellings if a point may have several.",
            exit_code=2,
        )
    for number, row in enumerate(rows, 1):
        yield number, row["lat"], row["lon"], row.get("dwellings", 1)


def _points(path: Path) -> Iterator[tuple[int, Any, Any, Any]]:
    for number, feature in enumerate(_features(path), 1):
        try:
            lon, lat = feature["geometry"]["coordinates"][:2]
            assert feature["geometry"]["type"] == "Point"
            dwellings = (feature.get("properties") or {}).get("dwellings", 1)
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
            raise Refusal(f"{path}: feature {number} is no Point.", exit_code=2) from None
        yield number, lat, lon, dwellings


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
