"""River gauge: an ultrasonic or radar sensor over the water, or a pressure probe in it.

Compact binary, big endian, 7 bytes:

    0      1        3            5         6        7
    | what | value  | temperature| battery | status |
    | u8   | i16 mm | i16 0.01 °C| u8 20 mV| u8     |

`what` 0 = distance from sensor down to water, 1 = stage above the gauge's zero. A temperature of
-32768 means "no thermometer"; battery 255 = unknown. `status` is reserved and sent as 0.
"""

import struct
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

_LAYOUT = struct.Struct(">BhhBB")
_NO_THERMOMETER = -32768
_UNKNOWN_BATTERY = 255
_HIGHEST_V = 5.08  # the byte below "unknown"
_DISTANCE, _STAGE = 0, 1


class Values(Document, kw_only=True, gc=False):
    """One reading of the water level; exactly one of `distance_m` and `stage_m`."""

    distance_m: Annotated[float, msgspec.Meta(ge=0.0, le=32.0)] | None = None
    stage_m: Annotated[float, msgspec.Meta(ge=-10.0, le=30.0)] | None = None
    temperature_c: Annotated[float, msgspec.Meta(ge=-40.0, le=60.0)] | None = None
    battery_v: Annotated[float, msgspec.Meta(ge=0.0, le=_HIGHEST_V)] | None = None


def unpack(payload: bytes) -> Values:
    """Decode the 7-byte form.

    Raises:
        PayloadError: wrong length or unknown `what` (undecodable), value outside the field table.
    """
    if len(payload) != _LAYOUT.size:
        raise PayloadError(Reason.UNDECODABLE, f"river_gauge takes {_LAYOUT.size} bytes")
    what, value, temperature, battery, _status = _LAYOUT.unpack(payload)
    if what not in (_DISTANCE, _STAGE):
        raise PayloadError(Reason.UNDECODABLE, "what: neither 0 (distance) nor 1 (stage)")
    metres = value / 1000
    if not (0.0 <= metres <= 32.0 if what == _DISTANCE else -10.0 <= metres <= 30.0):
        raise PayloadError(Reason.OUT_OF_RANGE, "distance_m" if what == _DISTANCE else "stage_m")
    if temperature != _NO_THERMOMETER and not -4000 <= temperature <= 6000:
        raise PayloadError(Reason.OUT_OF_RANGE, "temperature_c")
    return Values(
        distance_m=metres if what == _DISTANCE else None,
        stage_m=metres if what == _STAGE else None,
        temperature_c=None if temperature == _NO_THERMOMETER else temperature / 100,
        battery_v=None if battery == _UNKNOWN_BATTERY else battery / 50,
    )


def pack(values: Any) -> bytes:
    """Encode the 7-byte form.

    Raises:
        PayloadError: a value does not fit its bytes.
    """
    what, metres = (
        (_STAGE, values.stage_m) if values.distance_m is None else (_DISTANCE, values.distance_m)
    )
    temperature, battery = values.temperature_c, values.battery_v
    if battery is not None and not 0.0 <= battery <= _HIGHEST_V:
        raise PayloadError(Reason.OUT_OF_RANGE, "battery_v")
    try:
        return _LAYOUT.pack(
            what,
            round(metres * 1000),
            _NO_THERMOMETER if temperature is None else round(temperature * 100),
            _UNKNOWN_BATTERY if battery is None else round(battery * 50),
            0,
        )
    except (struct.error, TypeError) as error:
        raise PayloadError(Reason.OUT_OF_RANGE, "a value does not fit the binary form") from error


def check(values: Values, device: Device) -> None:
    """Exactly one quantity; a distance needs the gauge's datum to become a stage."""
    if (values.distance_m is None) == (values.stage_m is None):
        raise PayloadError(Reason.UNDECODABLE, "exactly one of distance_m and stage_m is needed")
    if values.distance_m is not None and "datum_m" not in device.attributes:
        raise PayloadError(Reason.UNDECODABLE, "distance_m: the registry has no datum_m")


def row(values: Values, device: Device) -> tuple[Any, ...]:
    """stage, distance, temperature, battery; stage = datum − distance where distance was sent."""
    stage = values.stage_m
    if stage is None:
        stage = round(float(device.attributes["datum_m"]) - values.distance_m, 4)  # type: ignore[operator]
    return (stage, values.distance_m, values.temperature_c, values.battery_v)


def hint(attributes: Mapping[str, Any]) -> str:
    """A gauge without a datum can send its stage alone."""
    if "datum_m" in attributes:
        return ""
    return "Without datum_m (the sensor's height) it can send stage_m only; a distance is rejected."


KIND = DeviceKind(
    name="river_gauge",
    summary="Water level of a river, measured from above (distance) or in the water (stage).",
    f_port=4,
    personal=False,
    fields=(
        Field(
            "distance_m",
            "from the sensor down to the water",
            "m",
            0,
            32,
            "i16 · 1 mm",
            Sensitivity.PUBLIC,
            required=False,
        ),
        Field(
            "stage_m",
            "water level above the gauge's zero",
            "m",
            -10,
            30,
            "i16 · 1 mm",
            Sensitivity.PUBLIC,
            required=False,
        ),
        Field(
            "temperature_c",
            "air temperature at the sensor",
            "Cel",
            -40,
            60,
            "i16 · 0.01 °C",
            Sensitivity.PUBLIC,
            required=False,
        ),
        Field(
            "battery_v",
            "battery voltage",
            "V",
            0,
            _HIGHEST_V,
            "u8 · 20 mV, 255 = unknown",
            Sensitivity.PUBLIC,
            required=False,
        ),
    ),
    columns=(
        Column("stage_m", "REAL NOT NULL", "m"),
        Column("distance_m", "REAL", "m"),
        Column("temperature_c", "REAL", "Cel"),
        Column("battery_v", "REAL", "V"),
    ),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=row,
    read_with=frozenset({"datum_m"}),
    hint=hint,
    attributes={
        "datum_m": "m",
        "watch_m": "m",
        "warn_m": "m",
        "danger_m": "m",
        "river": "text",
    },
    examples=(
        Example(
            "ultrasonic on a bridge",
            '{"distance_m": 2.41, "temperature_c": 11.5, "battery_v": 3.6}',
            {"distance_m": 2.41, "temperature_c": 11.5, "battery_v": 3.6},
            attributes={"datum_m": 4.2},
        ),
        Example(
            "the same in seven bytes",
            "00 096a 047e b4 00",
            {"distance_m": 2.41, "temperature_c": 11.5, "battery_v": 3.6},
            attributes={"datum_m": 4.2},
        ),
        Example(
            "pressure probe: stage, no datum needed",
            '{"stage_m": 1.27, "battery_v": 3.0}',
            {"stage_m": 1.27, "temperature_c": None, "battery_v": 3.0},
        ),
        Example(
            "pressure probe below the gauge's zero, no thermometer",
            "01 ff6a 8000 96 00",
            {"stage_m": -0.15, "temperature_c": None, "battery_v": 3.0},
        ),
        Example(
            "mains, no battery to measure",
            "01 0708 8000 ff 00",
            {"stage_m": 1.8, "temperature_c": None, "battery_v": None},
        ),
        Example(
            "sentinel of a sensor that sees no target",
            '{"distance_m": 65.535}',
            rejected="out of range",
        ),
        Example("distance without a datum", '{"distance_m": 2.0}', rejected="undecodable"),
        Example("neither quantity", '{"battery_v": 3.6}', rejected="undecodable"),
        Example("a byte short", "00 096a 047e b4", rejected="undecodable"),
    ),
)
