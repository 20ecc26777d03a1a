"""Weather station: air, wind, rain and sun, as far as the station measures them.

Compact binary, big endian, 18 bytes:

    0             2          3          5      7      9           11     13        15      17
    | temperature | humidity | pressure | wind | gust | direction | rain | rate    | sun   | battery |
    | i16 0.01 °C | u8 0.5 % | u16      | u16  | u16  | u16 1°    | u16  | u16     | u16   | u8      |
    |             |          | 0.1 hPa  | 0.1 m/s     |           | 0.1 mm | 0.1 mm/h| W/m² | 20 mV |

A temperature of -32768, u8 255 and u16 65535 mean "not measured". Limits are the measurement ranges
of WMO-No. 8 (Guide to Instruments and Methods of Observation), vol. I, annex 1.A, sun aside.
Pressure is the station's own, not reduced to sea level; wind is the mean of ten minutes, gust the highest
three seconds since the last report, direction where the wind comes from, rain what fell since then.
"""

from typing import Annotated, Any

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.devices.packing import Packing, Slot
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason


class Values(Document, kw_only=True, gc=False):
    """What the station measured; what it has no sensor for is absent."""

    temperature_c: Annotated[float, msgspec.Meta(ge=-80.0, le=60.0)] | None = None
    humidity_pct: Annotated[float, msgspec.Meta(ge=0.0, le=100.0)] | None = None
    pressure_hpa: Annotated[float, msgspec.Meta(ge=500.0, le=1080.0)] | None = None
    wind_m_s: Annotated[float, msgspec.Meta(ge=0.0, le=75.0)] | None = None
    gust_m_s: Annotated[float, msgspec.Meta(ge=0.0, le=150.0)] | None = None
    wind_from_deg: Annotated[float, msgspec.Meta(ge=0.0, le=360.0)] | None = None
    rain_mm: Annotated[float, msgspec.Meta(ge=0.0, le=500.0)] | None = None
    rain_mm_h: Annotated[float, msgspec.Meta(ge=0.0, le=2000.0)] | None = None
    solar_w_m2: Annotated[float, msgspec.Meta(ge=0.0, le=1600.0)] | None = None
    battery_v: Annotated[float, msgspec.Meta(ge=0.0, le=5.08)] | None = None
    brightness: Annotated[float, msgspec.Meta(ge=0.0, le=65535.0)] | None = None


def _field(
    name: str, meaning: str, unit: str, low: float, high: float, binary: str
) -> Field:  # fmt: skip
    return Field(name, meaning, unit, low, high, binary, Sensitivity.PUBLIC, required=False)


FIELDS = (
    _field("temperature_c", "air temperature", "Cel", -80, 60, "i16 · 0.01 °C"),
    _field("humidity_pct", "relative humidity", "%", 0, 100, "u8 · 0.5 %"),
    _field("pressure_hpa", "air pressure at the station", "hPa", 500, 1080, "u16 · 0.1 hPa"),
    _field("wind_m_s", "wind, mean of ten minutes", "m/s", 0, 75, "u16 · 0.1 m/s"),
    _field("gust_m_s", "highest gust since the last report", "m/s", 0, 150, "u16 · 0.1 m/s"),
    _field("wind_from_deg", "where the wind comes from, clockwise from north", "deg", 0, 360, "u16 · 1°"),
    _field("rain_mm", "rain since the last report", "mm", 0, 500, "u16 · 0.1 mm"),
    _field("rain_mm_h", "how hard it rains now", "mm/h", 0, 2000, "u16 · 0.1 mm/h"),
    _field("solar_w_m2", "global radiation on the level", "W/m2", 0, 1600, "u16 · 1 W/m²"),
    _field("battery_v", "battery voltage", "V", 0, 5.08, "u8 · 20 mV"),
    _field("brightness", "brightness as the sensor counts it: only to be compared with itself", "1", 0, 65535, ""),
)  # fmt: skip

_NONE = 0xFFFF
_PACKING = Packing(
    "weather_station",
    (
        Slot("temperature_c", "i16", scale=0.01, none=-32768),
        Slot("humidity_pct", "u8", scale=0.5, none=255),
        Slot("pressure_hpa", "u16", scale=0.1, none=_NONE),
        Slot("wind_m_s", "u16", scale=0.1, none=_NONE),
        Slot("gust_m_s", "u16", scale=0.1, none=_NONE),
        Slot("wind_from_deg", "u16", none=_NONE),
        Slot("rain_mm", "u16", scale=0.1, none=_NONE),
        Slot("rain_mm_h", "u16", scale=0.1, none=_NONE),
        Slot("solar_w_m2", "u16", none=_NONE),
        Slot("battery_v", "u8", scale=0.02, none=255),
    ),
    FIELDS,
)
_MEASURED = tuple(field.name for field in FIELDS if field.name != "battery_v")


def unpack(payload: bytes) -> Values:
    """Decode the 18-byte form; raises `PayloadError`."""
    return Values(**_PACKING.unpack(payload))


def pack(values: Any) -> bytes:
    """Encode the 18-byte form; raises `PayloadError` where a value does not fit."""
    return _PACKING.pack(msgspec.structs.asdict(values))


def check(values: Values, _device: Device) -> None:
    """At least one quantity; a gust is no weaker than the wind it is part of."""
    if all(getattr(values, name) is None for name in _MEASURED):
        raise PayloadError(Reason.UNDECODABLE, "at least one measured quantity is needed")
    wind, gust = values.wind_m_s, values.gust_m_s
    if wind is not None and gust is not None and gust < wind:
        raise PayloadError(Reason.OUT_OF_RANGE, "gust_m_s: weaker than the mean wind")


def row(values: Values, _device: Device) -> tuple[Any, ...]:
    """All quantities in the order of the columns."""
    return tuple(getattr(values, field.name) for field in FIELDS)


_SUMMER = {
    "temperature_c": 27.35, "humidity_pct": 81.5, "pressure_hpa": 1004.2, "wind_m_s": 3.4,
    "gust_m_s": 8.1, "wind_from_deg": 215.0, "rain_mm": 0.4, "rain_mm_h": 2.4, "solar_w_m2": 140.0,
    "battery_v": 3.6,
}  # fmt: skip

KIND = DeviceKind(
    name="weather_station",
    summary="Air, wind, rain and sun at one place.",
    f_port=9,
    personal=False,
    fields=FIELDS,
    columns=tuple(Column(field.name, "REAL", field.unit) for field in FIELDS),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=row,
    attributes={"altitude_m": "m", "wind_height_m": "m", "site": "text"},
    examples=(
        Example(
            "a shower in summer",
            '{"temperature_c": 27.35, "humidity_pct": 81.5, "pressure_hpa": 1004.2, "wind_m_s": 3.4, '
            '"gust_m_s": 8.1, "wind_from_deg": 215, "rain_mm": 0.4, "rain_mm_h": 2.4, '
            '"solar_w_m2": 140, "battery_v": 3.6}',
            _SUMMER,
        ),
        # 2735 = 0aaf, 163 = a3, 10042 = 273a, 34 = 0022, 81 = 0051, 215 = 00d7, 4, 24 = 0018, 140 = 008c
        Example(
            "the same in eighteen bytes",
            "0aaf a3 273a 0022 0051 00d7 0004 0018 008c b4",
            _SUMMER,
        ),
        Example(
            "a rain gauge alone, below zero it would be snow",
            "8000 ff ffff ffff ffff ffff 0002 ffff ffff ff",
            {"temperature_c": None, "wind_m_s": None, "rain_mm": 0.2, "battery_v": None},
        ),
        Example(
            "a cold morning",
            "fed4 be ffff 0000 0000 ffff 0000 0000 0000 ff",
            {"temperature_c": -3.0, "humidity_pct": 95.0, "wind_m_s": 0.0, "solar_w_m2": 0.0},
        ),
        Example(
            "a thermometer alone", '{"temperature_c": -3}', {"temperature_c": -3.0, "rain_mm": None}
        ),
        Example("nothing but its battery", '{"battery_v": 3.6}', rejected="undecodable"),
        Example("kelvin", '{"temperature_c": 300.5}', rejected="out of range"),
        Example("pascal", '{"pressure_hpa": 100420}', rejected="out of range"),
        Example(
            "a gust weaker than the wind",
            '{"wind_m_s": 8.1, "gust_m_s": 3.4}',
            rejected="out of range",
        ),
        Example("361 degrees", "8000 ff ffff ffff ffff 0169 ffff ffff ffff ff", rejected="out of range"),
        Example("a byte short", "0aaf a3 273a 0022 0051 00d7 0004 0018 008c", rejected="undecodable"),
    ),
)  # fmt: skip
