"""What lanes that count stand on: streets and facilities from pinned files, and the rules made ready to be counted."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.counting.calendar import Calendar
from gateway.counting.lane import Plan
from gateway.counting.streets import Place, Streets
from gateway.counting.units import MeshUnits, StopUnits, Units
from gateway.model.errors import Refusal
from gateway.rules.canonical import digest
from gateway.rules.counts import Count, KSuppress
from gateway.rules.model import Lane, RuleSet
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Document
from gateway.settings.schema import CountingFile, PinnedFile
from gateway.settings.search import find_file

_LEVELS = {"mesh_250": "250m", "mesh_500": "500m"}


class Ground(NamedTuple):
    """What numbers may stand on.

    Attributes:
        streets: None where none are named.
        facilities: places whose cells one shelter, clinic or home dominates; None where no file says which.
    """

    streets: Streets | None = None
    facilities: tuple[Place, ...] | None = None


def ground(wanted: CountingFile | None, document: Document, found: list[Complaint]) -> Ground:
    """The files that `counting:` names; faults are added to `found`."""
    if wanted is None:
        return Ground()
    streets = facilities = None
    if wanted.streets is not None:
        features = _features(wanted.streets, document, "streets", found)
        streets = _made(lambda: Streets(_lines(features)), document, "streets", found)
    if wanted.facilities is not None:
        features = _features(wanted.facilities, document, "facilities", found)
        facilities = _made(lambda: tuple(_points(features)), document, "facilities", found)
    return Ground(streets, facilities)


def plans(
    rules: RuleSet, on: Ground, zone: ZoneInfo, document: Document, found: list[Complaint]
) -> tuple[Plan, ...]:
    """The lanes that count, ready to be counted; what is missing for them is added to `found`."""
    made = []
    for lane in rules.lanes:
        for rule in lane.count:
            units = _units(lane, rule, on)
            if isinstance(units, str):
                found.append(complain(document, ("privacy",), f"lane {lane.name}: {units}"))
                continue
            made.append(_plan(rules, lane, rule, units, zone))
    return tuple(made)


def trial_plans(rules: RuleSet, on: Ground, zone: ZoneInfo) -> list[Plan]:
    """The lanes that count children, ready for a trial on ways.

    Raises:
        Refusal: a lane counts by streets, and none are known.
    """
    made = []
    for lane in rules.lanes:
        for rule in lane.count:
            if rule.distinct != "household":
                continue
            if rule.unit == "road_edge" and on.streets is None:
                raise Refusal(
                    f"The lane {lane.name} counts by pieces of street, and none are known: --roads FILE, or --town NAME.",
                    exit_code=2,
                )
            units = _units(lane, rule, on)
            assert not isinstance(units, str)
            made.append(_plan(rules, lane, rule, units, zone))
    return made


def _plan(rules: RuleSet, lane: Lane, rule: Count, units: Units, zone: ZoneInfo) -> Plan:
    name = lane.name if len(lane.count) == 1 else f"{lane.name}.{rule.unit}"
    calendar = Calendar(rule.period, rule.slices, zone)
    return Plan(name, lane, rule, calendar, units, f"{rules.id} {digest(rules)}")


def _units(lane: Lane, rule: Count, on: Ground) -> Units | str:
    """The units of a rule, or the sentence that says what is missing."""
    if rule.unit == "stop":
        return StopUnits()
    if rule.unit == "road_edge":
        if on.streets is None:
            return "it counts by pieces of street: name the file of streets in gateway.yaml, counting: streets."
        return on.streets
    hides = any(isinstance(one, KSuppress) and one.one_facility == "drop" for one in lane.protect)
    if hides and on.facilities is None:
        return (
            "it hides cells that one shelter, clinic or home dominates: name the file of such places in gateway.yaml, "
            "counting: facilities, with no features if there are none."
        )
    return MeshUnits(_LEVELS[rule.unit], (on.facilities or ()) if hides else ())


def _features(
    wanted: PinnedFile, document: Document, name: str, found: list[Complaint]
) -> list[Any]:
    """The features of a GeoJSON file whose digest is the pin."""
    where = ("counting", name)
    try:
        path: Path = find_file(document, wanted.file)
        content = path.read_bytes()
    except (ValueError, OSError) as error:
        sentence = str(error) if isinstance(error, ValueError) else f"{wanted.file} cannot be read: {error.strerror}."  # fmt: skip
        found.append(complain(document, (*where, "file"), sentence))
        return []
    found_pin = sha256(content).hexdigest()
    if found_pin != wanted.pin:
        sentence = (
            f"{wanted.file} is not the file that was pinned: numbers of two files must not be mixed. Bring the old one "
            f"back, or pin this one for the next period; its SHA-256 is {found_pin}."
        )
        found.append(complain(document, (*where, "pin"), sentence))
        return []
    try:
        features = json.loads(content)["features"]
    except (ValueError, KeyError, TypeError):
        features = None
    if not isinstance(features, list):
        found.append(complain(document, (*where, "file"), f"{wanted.file} is no GeoJSON FeatureCollection."))  # fmt: skip
        return []
    return features


def _made(make: Any, document: Document, name: str, found: list[Complaint]) -> Any:
    """What `make` makes of features; None, with a complaint, where one of them is none of the kind."""
    try:
        return make()
    except (IndexError, KeyError, TypeError, ValueError) as error:
        wanted = "a LineString" if name == "streets" else "a Point"
        sentence = (
            f"not every feature is {wanted} with longitude and latitude ({type(error).__name__})."
        )
        found.append(complain(document, ("counting", name, "file"), sentence))
        return None


def _lines(features: list[Any]) -> Iterator[tuple[str, list[Place]]]:
    """Name and places of each line; a feature without an id is named by its place in the file."""
    for number, feature in enumerate(features, 1):
        geometry = feature["geometry"]
        lines = geometry["coordinates"]
        if geometry["type"] == "LineString":
            lines = [lines]
        elif geometry["type"] != "MultiLineString":
            raise ValueError(geometry["type"])
        name = str(feature.get("id", number))
        for part, line in enumerate(lines, 1):
            places = [(float(at[1]), float(at[0])) for at in line]
            yield (name if len(lines) == 1 else f"{name}-{part}"), places


def _points(features: list[Any]) -> Iterator[Place]:
    for feature in features:
        if feature["geometry"]["type"] != "Point":
            raise ValueError(feature["geometry"]["type"])
        lon, lat = feature["geometry"]["coordinates"][:2]
        yield float(lat), float(lon)
