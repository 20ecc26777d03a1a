"""What the nodes measure: things of the city, each in its kind's own few bytes, on its kind's port."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, sqrt
from random import Random
from typing import Any

from gateway.devices.catalog import catalog
from gateway.model.instant import DAY, Instant
from gateway.wire.lorawan.identifiers import Eui
from simulators.fleet import SimDevice
from simulators.lorawan.battery import Battery
from simulators.lorawan.node import Identity
from simulators.speaker import plain
from simulators.streams import stream
from simulators.streets import Point
from simulators.town import MUNICIPALITY, town

KINDS = (
    "river_gauge",
    "weather_station",
    "people_flow_counter",
    "service_counter",
    "bicycle_parking_counter",
)
ON_BATTERIES = frozenset(KINDS) - {"service_counter"}
"""Kinds whose readings tell the battery's voltage; in a city hall there is mains."""

JOIN_EUI = Eui.of("5e815e815e815e81")
_EVERY_1_1 = 10
"""So many nodes, and one of them speaks LoRaWAN 1.1."""

_BESIDE_M = 60.0
_REGISTERED_BEFORE = 30 * DAY


@dataclass(frozen=True, slots=True)
class Member:
    """One node: as a registry knows it, with what is burnt into it and where it stands."""

    device: SimDevice
    identity: Identity
    place: Point


def members(seed: int, start: Instant, many: int) -> list[Member]:
    """So many nodes all over the town, of each kind in turn."""
    return [_member(seed, start, number) for number in range(1, many + 1)]


def _member(seed: int, start: Instant, number: int) -> Member:
    name = f"node-{number:04}"
    dev_eui = Eui(_secret(seed, name, "dev_eui")[:8])
    nwk_key = _secret(seed, name, "nwk_key") if number % _EVERY_1_1 == 0 else None
    place = spot(seed, name)
    lat, lon = town().plane.degrees(place)
    facts: dict[str, str | float | bool] = {
        "dev_eui": str(dev_eui),
        "lat": round(lat, 5),
        "lon": round(lon, 5),
    }
    kind = KINDS[number % len(KINDS)]
    since = start - _REGISTERED_BEFORE
    device = SimDevice(name, kind, "binary", MUNICIPALITY, since, facts)
    return Member(
        device, Identity(dev_eui, JOIN_EUI, _secret(seed, name, "app_key"), nwk_key), place
    )


def forwarder_eui(seed: int, number: int) -> Eui:
    """The EUI of the town's forwarder of this number, from 1 on."""
    return Eui(_secret(seed, f"forwarder-{number}", "eui")[:8])


def spot(seed: int, name: str) -> Point:
    """Beside one of the town's crossings."""
    dice = stream(seed, name, "place")
    crossing = dice.choice(town().streets.nodes)
    return Point(
        crossing.x + dice.uniform(-_BESIDE_M, _BESIDE_M),
        crossing.y + dice.uniform(-_BESIDE_M, _BESIDE_M),
    )


def masts(many: int) -> list[Point]:
    """Where so many forwarders stand in the town."""
    nodes = town().streets.nodes
    return spread(many, max(node.x for node in nodes), max(node.y for node in nodes))


def spread(many: int, width: float, height: float) -> list[Point]:
    """The middles of equal parts, as somebody would plan it; metres."""
    columns = ceil(sqrt(many))
    rows = ceil(many / columns)
    return [
        Point((n % columns + 0.5) / columns * width, (n // columns + 0.5) / rows * height)
        for n in range(many)
    ]


def _secret(seed: int, name: str, what: str) -> bytes:
    """Sixteen bytes that one seed always brings; secrets of nothing but a simulation."""
    return blake2b(f"{seed} {name} {what}".encode(), digest_size=16).digest()


class Meter:
    """The sensor of one node.

    Args:
        kind: one of `KINDS`.
        dice: its own.
        battery: the node's; None for one on mains.
    """

    def __init__(self, kind: str, dice: Random, battery: Battery | None = None) -> None:
        self._kind = catalog()[kind]
        self._battery = battery
        self._dice = dice
        self._level = dice.uniform(0.4, 2.0)

    @property
    def f_port(self) -> int:
        return self._kind.f_port

    def read(self) -> tuple[bytes, Mapping[str, Any]]:
        """The next reading: its bytes, and field → value as these bytes carry it."""
        kind = self._kind
        fields = self._fields()
        if self._battery is not None and kind.name in ON_BATTERIES:
            fields["battery_v"] = self._battery.volts
        payload = kind.pack(kind.document(**fields))
        return payload, plain(kind.unpack(payload))

    def _fields(self) -> dict[str, Any]:
        dice = self._dice
        self._level = min(8.0, max(0.0, self._level + dice.gauss(0.0, 0.02)))
        match self._kind.name:
            case "river_gauge":
                return {"stage_m": round(self._level, 3)}
            case "weather_station":
                return {
                    "temperature_c": round(dice.gauss(15.0, 3.0), 2),
                    "humidity_pct": round(dice.uniform(40, 95), 1),
                    "rain_mm": round(dice.expovariate(2.0), 1),
                }
            case "people_flow_counter":
                counts = {"towards_count": dice.randrange(40), "away_count": dice.randrange(40)}
                return {**counts, "interval_s": 60}
            case "service_counter":
                return {"waiting": dice.randrange(30), "open_desks": dice.randrange(1, 5)}
            case _:
                counts = {"in_count": dice.randrange(30), "out_count": dice.randrange(30)}
                return {**counts, "interval_s": 600, "blocked": False}
