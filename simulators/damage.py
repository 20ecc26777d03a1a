"""Payloads as broken hardware makes them: damaged, out of range, or said once more with other contents."""

from collections.abc import Mapping
from random import Random
from typing import Any

from gateway.devices.catalog import catalog
from gateway.devices.decode import binary_decoder, json_decoder
from gateway.devices.kind import DeviceKind, Document
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId
from gateway.model.instant import Instant
from gateway.model.reason import Reason
from simulators.calendar import utc
from simulators.fleet import SimDevice
from simulators.speaker import encode, plain
from simulators.uplink import SimUplink

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
    fields = dict(uplink.values or {})
    wrong = dict(dice.choice(_TOO_MUCH.get(uplink.kind) or _beyond(catalog()[uplink.kind])))
    if uplink.kind == "bus_stop_reader":
        if not fields["reads"]:
            return uplink
        first, *others = fields["reads"]
        fields["reads"] = [{**first, **wrong}, *others]
    else:
        fields.update(wrong)
    try:
        kind = catalog()[uplink.kind]
        payload = encode(kind, uplink.form, _document(uplink, uplink.t, uplink.seq, fields))
    except PayloadError:  # the binary form has no bytes for it
        return uplink
    if not _refused(uplink, payload, device):
        return uplink
    return uplink._replace(payload=payload, values=fields, harm="out_of_range")


def said_again(
    uplink: SimUplink,
    *,
    t: Instant | None = None,
    seq: int | None = None,
    fields: Mapping[str, Any] | None = None,
) -> SimUplink:
    """The uplink with another time, counter or contents, as its device would say it."""
    kind = catalog()[uplink.kind]
    t = uplink.t if t is None else t
    seq = uplink.seq if seq is None else seq
    document = _document(uplink, t, seq, uplink.values or {} if fields is None else fields)
    payload = encode(kind, uplink.form, document)
    if uplink.form == "binary":
        document = kind.unpack(kind.pack(document))
    return uplink._replace(payload=payload, t=t, seq=seq, values=plain(document))


def _document(
    uplink: SimUplink, t: Instant | None, seq: int | None, fields: Mapping[str, Any]
) -> Document:
    kind = catalog()[uplink.kind]
    contents = dict(fields)
    if "reads" in contents:
        read_type = kind.document.__annotations__["reads"].__origin__.__args__[0]
        contents["reads"] = tuple(read_type(**read) for read in contents["reads"])
    return kind.document(t=None if t is None else utc(t), seq=seq, **contents)


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
