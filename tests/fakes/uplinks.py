"""Senders as a door would be, and uplinks of every sort that a gateway meets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.devices.decode import binary_decoder, json_decoder
from gateway.model.device import Device
from gateway.model.identity import DeviceId
from gateway.model.instant import SECOND, to_rfc3339
from gateway.model.reason import Reason
from gateway.model.uplink import Receiver, Route, Uplinks
from tests.fakes.readings import HOME, KINDS, METRE_NORTH, NOON, child, gauge, stop

Item: TypeAlias = tuple[Route | Reason, bytes]

TAG = "30751FEB705C5904E3D50D70"
CAMERA = Device(DeviceId("camera-1"), "wildlife_camera", "16201", 0)
BEAM = Device(DeviceId("bicycles-1"), "bicycle_parking_counter", "16201", 0)
COUNTER = Device(DeviceId("counter-1"), "service_counter", "16201", 0)
STREET = Device(DeviceId("people-1"), "people_flow_counter", "16201", 0)
STATION = Device(DeviceId("weather-1"), "weather_station", "16201", 0)


def route(device: Device, *, binary: bool = False) -> Route:
    """Where a device's topic leads."""
    kind = KINDS[device.kind]
    decode = binary_decoder(kind) if binary else json_decoder(kind)
    return Route(device, kind.name, decode)


@dataclass
class Sender:
    """One connection, which remembers what was acknowledged.

    Attributes:
        settled: number of each settled chunk with what was refused of it, in order.
        handed: how many chunks were handed over.
        told: called at every acknowledgement.
    """

    told: Callable[[], None] = lambda: None
    settled: list[tuple[int, dict[int, Reason]]] = field(default_factory=list)
    handed: int = 0

    def hand(self, receiver: Receiver, items: Iterable[Item], origin: str = "own") -> None:
        """Hand one chunk over, a minute after NOON."""
        number = self.handed
        self.handed += 1

        def settle(refused: dict[int, Reason]) -> None:
            self.settled.append((number, dict(refused)))
            self.told()

        receiver.put(self, Uplinks(origin, NOON + 60 * SECOND, list(items), settle))

    __hash__ = object.__hash__


def _json(n: int, rest: str) -> bytes:
    return f'{{"t": "{to_rfc3339(NOON + n * SECOND)}", "seq": {n}, {rest}}}'.encode()


def _fix(n: int, north_m: float, device: Device) -> Item:
    lat = HOME[0] + north_m * METRE_NORTH
    return route(device), _json(n, f'"lat": {lat:.6f}, "lon": {HOME[1]}, "accuracy_m": 5')


_READ = f'{{"epc": "{TAG}", "antenna": 1, "rssi_dbm": -55}}'

SORTS: dict[str, tuple[Callable[[int], Item], Reason | None]] = {
    "child away": (lambda n: _fix(n, 900 + n, child()), None),
    "child at home": (lambda n: _fix(n, 10, child("child-2")), None),
    "child without consent": (lambda n: _fix(n, 900, child("child-3", consent=False)), None),
    "child without home": (lambda n: _fix(n, 900, child("child-4", family=None)), None),
    "child broken": (lambda n: (route(child()), b"{%d" % n), Reason.UNDECODABLE),
    "child out of range": (lambda n: (route(child()), _json(n, '"lat": 91, "lon": 0')), Reason.OUT_OF_RANGE),
    "child undated": (lambda n: (route(child()), b'{"lat": 36.9, "lon": 137.2%d}' % n), Reason.UNDATED),
    "tag read": (lambda n: (route(stop()), _json(n, f'"reads": [{_READ}]')), None),
    "sign of life": (lambda n: (route(stop()), _json(n, '"reads": []')), None),
    "gauge": (lambda n: (route(gauge()), _json(n, '"stage_m": 1.5')), None),
    "gauge without a clock": (lambda n: (route(gauge()), b'{"seq": %d, "stage_m": 1.25}' % n), None),
    "gauge broken": (lambda n: (route(gauge(), binary=True), bytes([1, n])), Reason.UNDECODABLE),
    "gauge out of range": (lambda n: (route(gauge()), _json(n, '"stage_m": 31')), Reason.OUT_OF_RANGE),
    "camera": (lambda n: (route(CAMERA), _json(n, '"species": "bear", "count": 1, "confidence": 0.9')), None),
    "passage": (lambda n: (route(BEAM), _json(n, '"direction": "in", "passer": "bicycle"')), None),
    "queue": (lambda n: (route(COUNTER), _json(n, '"waiting": 3, "open_desks": 2')), None),
    "street": (lambda n: (route(STREET), _json(n, '"towards_count": 3, "away_count": 2, "interval_s": 600')), None),
    "weather": (lambda n: (route(STATION), _json(n, '"temperature_c": 17.5, "rain_mm": 0.5')), None),
    "unknown device": (lambda n: (Reason.UNKNOWN_DEVICE, b"%d" % n), Reason.UNKNOWN_DEVICE),
    "someone else's device": (lambda n: (Reason.NOT_ALLOWED, b"%d" % n), Reason.NOT_ALLOWED),
    "no topic": (lambda n: (Reason.UNKNOWN_TOPIC, b"%d" % n), Reason.UNKNOWN_TOPIC),
}  # fmt: skip
"""Sort → how its `n`-th uplink is made, and for which reason it must be refused (None: it must not be)."""


def uplink(sort: str, n: int) -> Item:
    """The `n`-th uplink of a sort; the same again is a redelivery."""
    return SORTS[sort][0](n)
