"""People flow counter: how many walked by in either direction, over a minute or more.

Compact binary, big endian, 7 bytes:

    0         2      4          6         7
    | towards | away | interval | battery |
    | u16     | u16  | u16 s    | u8 20 mV|

Battery 255 = unknown. Only sums leave the device, and none of less than a minute: a single
passer-by's moment is nobody's business.
"""

from typing import Annotated, Any

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.devices.packing import Packing, Slot
from gateway.model.device import Device

_Count = Annotated[int, msgspec.Meta(ge=0, le=20_000)]


class Values(Document, kw_only=True, gc=False):
    """Sums over the interval that ends at the time of observation."""

    towards_count: _Count
    away_count: _Count
    interval_s: Annotated[int, msgspec.Meta(ge=60, le=43_200)]
    battery_v: Annotated[float, msgspec.Meta(ge=0.0, le=5.08)] | None = None


FIELDS = (
    Field(
        "towards_count", "people who walked towards", "", 0, 20_000, "u16", Sensitivity.PUBLIC
    ),
    Field("away_count", "people who walked away", "", 0, 20_000, "u16", Sensitivity.PUBLIC),
    Field(
        "interval_s", "how long was counted", "s", 60, 43_200, "u16 · 1 s", Sensitivity.PUBLIC
    ),
    Field(
        "battery_v",
        "battery voltage",
        "V",
        0,
        5.08,
        "u8 · 20 mV, 255 = unknown",
        Sensitivity.PUBLIC,
        required=False,
    ),
)  # fmt: skip

_PACKING = Packing(
    "people_flow_counter",
    (
        Slot("towards_count", "u16"),
        Slot("away_count", "u16"),
        Slot("interval_s", "u16"),
        Slot("battery_v", "u8", scale=0.02, none=255),
    ),
    FIELDS,
)


def unpack(payload: bytes) -> Values:
    """Decode the 7-byte form; raises `PayloadError`."""
    return Values(**_PACKING.unpack(payload))


def pack(values: Any) -> bytes:
    """Encode the 7-byte form; raises `PayloadError` where a value does not fit."""
    return _PACKING.pack(msgspec.structs.asdict(values))


def check(_values: Values, _device: Device) -> None:
    """The limits of the fields say everything."""


def row(values: Values, _device: Device) -> tuple[Any, ...]:
    """towards, away, interval, battery."""
    return (values.towards_count, values.away_count, values.interval_s, values.battery_v)


KIND = DeviceKind(
    name="people_flow_counter",
    summary="People who walk by in either direction, as sums over a minute or more.",
    f_port=8,
    personal=False,
    fields=FIELDS,
    columns=(
        Column("towards_count", "INTEGER NOT NULL"),
        Column("away_count", "INTEGER NOT NULL"),
        Column("interval_s", "INTEGER NOT NULL", "s"),
        Column("battery_v", "REAL", "V"),
    ),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=row,
    attributes={"street": "text", "towards": "text", "away": "text", "interval_s": "s"},
    examples=(
        Example(
            "ten minutes of a shopping street",
            '{"towards_count": 84, "away_count": 61, "interval_s": 600, "battery_v": 3.6}',
            {"towards_count": 84, "away_count": 61, "interval_s": 600, "battery_v": 3.6},
        ),
        # 84 = 0054, 61 = 003d, 600 = 0258, 3.6 V = 180 x 20 mV = b4
        Example(
            "the same in seven bytes",
            "0054 003d 0258 b4",
            {"towards_count": 84, "away_count": 61, "interval_s": 600, "battery_v": 3.6},
        ),
        Example(
            "nobody, on mains",
            "0000 0000 0e10 ff",
            {"towards_count": 0, "away_count": 0, "interval_s": 3600, "battery_v": None},
        ),
        Example(
            "one person's moment",
            '{"towards_count": 1, "away_count": 0, "interval_s": 1}',
            rejected="out of range",
        ),
        Example(
            "a count that ran backwards",
            '{"towards_count": -3, "away_count": 0, "interval_s": 600}',
            rejected="out of range",
        ),
        Example(
            "no interval", '{"towards_count": 1, "away_count": 0}', rejected="undecodable"
        ),
        Example("a counter that overflowed", "ffff 0000 0258 b4", rejected="out of range"),
        Example("a byte short", "0054 003d 0258", rejected="undecodable"),
    ),
)  # fmt: skip
