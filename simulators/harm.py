"""Harm done on purpose: uplinks sent twice, damaged, out of range, or from a device nobody knows.

Each device has dice of its own for it, so harming one never moves another.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from gateway.devices.catalog import catalog
from gateway.devices.decode import binary_decoder, json_decoder
from gateway.devices.kind import DeviceKind
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId
from gateway.model.instant import SECOND, Instant
from gateway.model.reason import Reason
from simulators.calendar import utc
from simulators.fleet import SimDevice
from simulators.speaker import Sink, encode
from simulators.streams import stream
from simulators.uplink import SimUplink

HARMS = ("duplicate", "corrupt", "out_of_range", "unknown_device")
DEFAULT_RATE = 0.004
"""Share of uplinks that are harmed: enough that a short look at the town shows some."""

_TOO_MUCH: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "child_tracker": ({"lat": 94.2, "lon": 137.2}, {"lat": 36.7, "lon": 197.2}),
    "bus_stop_reader": ({"antenna": 9}, {"rssi_dbm": 12}),
    "river_gauge": ({"distance_m": 32.7, "stage_m": None}, {"distance_m": None, "stage_m": -12.5}),
    "wildlife_camera": ({"count": 99}, {"confidence": 1.2}),
    "bicycle_parking_counter": ({"shaded_s": 31.0}, {"in_count": 20_001}),
    "service_counter": ({"waiting": 1000}, {"open_desks": 100}),
    "people_flow_counter": ({"towards_count": 65_535}, {"interval_s": 20}),
    "weather_station": ({"temperature_c": 99.9}, {"pressure_hpa": 1200.0}),
}
"""Values just outside the field tables, as broken sensors send them; alternatives per kind."""


class _Later(Protocol):
    """What harm needs of the timeline: to send something again later."""

    def plan(self, at: Instant, happening: Callable[[Instant], None]) -> None: ...


class Harm:
    """Stands between the speakers and the outlet.

    Args:
        seed: of the simulation.
        rate: share of uplinks harmed, 0 to 1.
        timeline: on which a duplicate waits for its moment.
        devices: by id; their registry facts decide what a receiver would make of a payload.
        sink: where uplinks go on to.
    """

    def __init__(
        self,
        seed: int,
        rate: float,
        timeline: _Later,
        devices: Mapping[str, SimDevice],
        sink: Sink,
    ) -> None:
        self._seed = seed
        self._rate = rate
        self._timeline = timeline
        self._devices = devices
        self._sink = sink
        self._dice: dict[str, Random] = {}

    def pass_on(self, uplink: SimUplink) -> None:
        """Hand an uplink on, now and then harmed."""
        if self._rate <= 0.0:
            self._sink(uplink)
            return
        dice = self._dice.get(uplink.device)
        if dice is None:
            dice = self._dice[uplink.device] = stream(self._seed, uplink.device, "harm")
        if dice.random() >= self._rate:
            self._sink(uplink)
            return
        name = dice.choice(HARMS)
        if name == "duplicate":
            self._sink(uplink)
            again = uplink.sent + round(dice.uniform(0.2, 90.0) * SECOND)
            self._timeline.plan(
                again, lambda now: self._sink(uplink._replace(sent=now, harm="duplicate"))
            )
        elif name == "corrupt":
            self._sink(corrupt(uplink, dice))
        elif name == "out_of_range":
            self._sink(out_of_range(uplink, dice, self._devices[uplink.device]))
        else:
            ghost = f"ghost-{dice.randrange(1, 10_000):04}"
            self._sink(uplink._replace(device=ghost, harm="unknown_device"))


def corrupt(uplink: SimUplink, dice: Random) -> SimUplink:
    """The uplink with a payload that no receiver can decode.

    A cut JSON object is never a JSON object, and is cut beside a number, never in it: half of one may be
    out of range before the end is missed. The compact form gets a version nobody defined.
    """
    payload = uplink.payload
    if uplink.form == "json":
        payload = payload[: dice.randrange(1, len(payload))].rstrip(b"0123456789.")
    else:
        payload = bytes([dice.randrange(2, 256)]) + payload[1:]
    return uplink._replace(payload=payload, values=None, harm="corrupt")


def out_of_range(uplink: SimUplink, dice: Random, device: SimDevice) -> SimUplink:
    """The uplink with one value beyond its field's limits; unharmed where it has no such value."""
    kind = catalog()[uplink.kind]
    fields = dict(uplink.values or {})
    wrong = dict(dice.choice(_TOO_MUCH.get(uplink.kind) or _beyond(kind)))
    if uplink.kind == "bus_stop_reader":
        if not fields["reads"]:
            return uplink
        read_type = kind.document.__annotations__["reads"].__origin__.__args__[0]
        reads = [{**read} for read in fields["reads"]]
        reads[0].update(wrong)
        wrong = {"reads": tuple(read_type(**read) for read in reads)}
        fields["reads"] = reads
    else:
        fields.update(wrong)
    document = kind.document(t=utc(uplink.t or 0), seq=uplink.seq, **{**fields, **wrong})
    try:
        payload = encode(kind, uplink.form, document)
    except PayloadError:  # the binary form has no bytes for it
        return uplink
    if not _refused(uplink, payload, device):
        return uplink
    return uplink._replace(payload=payload, values=fields, harm="out_of_range")


def _beyond(kind: DeviceKind) -> tuple[Mapping[str, Any], ...]:
    """For a declared kind: each of its numbers a tenth of its span, and at least one, above its limit."""
    return tuple(
        {field.name: int(field.high + max(1.0, (field.high - field.low) / 10))}
        for field in kind.fields
        if field.low is not None and field.high is not None
    )


def _refused(uplink: SimUplink, payload: bytes, device: SimDevice) -> bool:
    """Whether a receiver would call these bytes out of range."""
    kind = catalog()[uplink.kind]
    decode = json_decoder(kind) if uplink.form == "json" else binary_decoder(kind)
    registered = Device(
        DeviceId(device.device),
        device.kind,
        device.owner,
        device.registered_at,
        attributes=device.attributes,
    )
    try:
        decode(payload, registered)
    except PayloadError as error:
        return error.reason is Reason.OUT_OF_RANGE
    return False
