"""Every simulated device of the town, as a registry anywhere would need to know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.devices.catalog import catalog
from gateway.model.instant import DAY, Instant
from simulators.amenities import AMENITIES
from simulators.families import families
from simulators.streams import stream
from simulators.timetable import timetable
from simulators.town import MUNICIPALITY, Town
from simulators.vehicles import vehicles

CAMERAS = 8
_JSON, _BINARY = "json", "binary"
_REGISTERED_BEFORE = 30 * DAY


@dataclass(frozen=True, slots=True)
class SimDevice:
    """One simulated box.

    Attributes:
        device: its id.
        kind: its device kind.
        form: "json" or "binary": the form of every payload it sends.
        owner: municipality code.
        registered_at: when it was registered; before the simulation begins.
        attributes: registry facts of its kind.
        household: the family of a personal device.
        home: that family's home, WGS 84 degrees; None where there is none or nobody told it.
        radius_m: the family's own home radius; None = the policy's.
        consent: whether a guardian opted in (children only).
    """

    device: str
    kind: str
    form: str
    owner: str
    registered_at: Instant
    attributes: Mapping[str, str | float | bool] = field(default_factory=dict)
    household: str | None = None
    home: tuple[float, float] | None = None
    radius_m: float | None = None
    consent: bool = False


GAUGES: Mapping[str, tuple[str, Mapping[str, str | float | bool]]] = {
    "river-01": (
        _JSON,
        {"river": "Kasagawa (fictional)", "datum_m": 7.2, "watch_m": 2.0, "warn_m": 2.8, "danger_m": 3.6},
    ),
    "river-02": (
        _BINARY,
        {"river": "Kasagawa (fictional)", "watch_m": 1.6, "warn_m": 2.3, "danger_m": 3.0},
    ),
    "river-03": (
        _BINARY,
        {"river": "Shirotani (fictional)", "datum_m": 4.8, "watch_m": 1.0, "warn_m": 1.5, "danger_m": 2.0},
    ),
}  # fmt: skip
"""River gauges: form and registry attributes; those with a datum measure a distance from above."""


def build_fleet(
    here: Town,
    seed: int,
    start: Instant,
    children: int,
    extra: Mapping[str, int] = MappingProxyType({}),
) -> tuple[SimDevice, ...]:
    """All devices: `children` trackers, a reader at every stop and bus, the things of the city, and of
    each declared kind as many as `extra` says.
    """
    since = start - _REGISTERED_BEFORE

    def city(
        device: str, kind: str, form: str, attributes: Mapping[str, str | float | bool]
    ) -> SimDevice:
        return SimDevice(device, kind, form, MUNICIPALITY, since, attributes)

    def standing(
        device: str, kind: str, form: str, attributes: Mapping[str, str | float | bool]
    ) -> SimDevice:
        lat, lon = town_place(here, device)
        return city(device, kind, form, {**attributes, "lat": lat, "lon": lon})

    trackers = [
        SimDevice(
            child.device,
            "child_tracker",
            _BINARY if number % 3 == 0 else _JSON,
            MUNICIPALITY,
            since,
            {},
            child.household.household,
            child.household.home,
            child.household.radius_m,
            child.consent,
        )
        for number, child in enumerate(families(here, seed, children), 1)
    ]
    stops = [
        city(
            f"stop-{stop}",
            "bus_stop_reader",
            _BINARY if number % 2 else _JSON,
            {"mount": "stop", "stop": stop},
        )
        for number, stop in enumerate(timetable().stops)
    ]
    doors = [
        city(bus, "bus_stop_reader", _JSON, {"mount": "door", "vehicle": bus})
        for bus in vehicles().fleet
    ]
    gauges = [standing(name, "river_gauge", form, facts) for name, (form, facts) in GAUGES.items()]
    cameras = [
        standing(
            f"camera-{number:02}",
            "wildlife_camera",
            _BINARY if number % 4 == 0 else _JSON,
            {"model": "sim-trap-1"},
        )
        for number in range(1, CAMERAS + 1)
    ]
    amenities = [standing(*amenity) for amenity in AMENITIES]
    others = [
        standing(
            f"{kind.replace('_', '-')}-{number:02}",
            kind,
            _JSON if number % 2 else _BINARY,
            invented_facts(catalog()[kind].attributes),
        )
        for kind, many in extra.items()
        for number in range(1, many + 1)
    ]
    return (*trackers, *stops, *doors, *gauges, *cameras, *amenities, *others)


def town_place(here: Town, device: str) -> tuple[float, float]:
    """Where a thing stands in a town: at one of the crossings, the same for every seed."""
    crossings = here.streets.nodes
    lat, lon = here.plane.degrees(crossings[stream(0, device, "place").randrange(len(crossings))])
    return round(lat, 5), round(lon, 5)


def invented_facts(attributes: Mapping[str, str]) -> dict[str, str | float | bool]:
    """Something for every fact of a kind."""
    return {
        name.lstrip("*"): "fictional" if unit.lstrip("*") == "text" else 1.0
        for name, unit in attributes.items()
    }
