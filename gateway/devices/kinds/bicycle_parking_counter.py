"""Bicycle parking counter: two light beams across the way into a parking lot.

Compact binary, big endian. One uplink is either one passage, 6 bytes,

    0         1           2        3          5         6
    | 0       | direction | passer | shaded   | battery |
    | u8      | u8        | u8     | u16 1 ms | u8 20 mV|

or what passed since the last report, 9 bytes:

    0         1    3     5          7      8         9
    | 1       | in | out | interval | beam | battery |
    | u8      | u16| u16 | u16 s    | u8   | u8 20 mV|

`direction` 0 = in, 1 = out, 2 = turned back; `passer` 0 = bicycle, 1 = person, 2 = unknown; `shaded`
65535 = not measured; `interval` 0 = not said; `beam` 0 = clear, 1 = blocked for more than 30 s,
255 = not said; battery 255 = unknown.

A beam cannot see who passed. It tells a bicycle from a walker by its shadow: a pushed bicycle shades it
for a second or more, with the flicker of spokes.
"""

import struct
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.devices.packing import Packing, Slot
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

Direction = Literal["in", "out", "turned_back"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
Passer = Literal["bicycle", "person", "unknown"]
PASSERS: tuple[Passer, ...] = get_args(Passer)
_PASSAGE, _COUNTS = 0, 1
_NONE = 0xFFFF
_COUNT = Annotated[int, msgspec.Meta(ge=0, le=20_000)]


class Values(Document, kw_only=True, gc=False):
    """One passage (`direction` and `passer`), or what passed since the last report (both counts)."""

    direction: Direction | None = None
    passer: Passer | None = None
    shaded_s: Annotated[float, msgspec.Meta(ge=0.08, le=30.0)] | None = None
    in_count: _COUNT | None = None
    out_count: _COUNT | None = None
    interval_s: Annotated[int, msgspec.Meta(ge=1, le=43_200)] | None = None
    blocked: bool | None = None
    battery_v: Annotated[float, msgspec.Meta(ge=0.0, le=5.08)] | None = None


def _optional(
    name: str, meaning: str, unit: str, low: float | None, high: float | None, binary: str
) -> Field:
    return Field(name, meaning, unit, low, high, binary, Sensitivity.PUBLIC, required=False)


FIELDS = (
    _optional("direction", "of a passage: in, out, turned_back", "", None, None, "u8"),
    _optional("passer", "what passed: bicycle, person, unknown", "", None, None, "u8"),
    _optional("shaded_s", "how long it shaded the beam", "s", 0.08, 30, "u16 · 1 ms"),
    _optional("in_count", "bicycles in since the last report", "", 0, 20_000, "u16"),
    _optional("out_count", "bicycles out since the last report", "", 0, 20_000, "u16"),
    _optional("interval_s", "how long was counted", "s", 1, 43_200, "u16 · 1 s, 0 = not said"),
    _optional("blocked", "whether something stands in the beam", "", None, None, "u8"),
    _optional("battery_v", "battery voltage", "V", 0, 5.08, "u8 · 20 mV, 255 = unknown"),
)
_BATTERY = Slot("battery_v", "u8", scale=0.02, none=255)
_PASSED = Packing("a passage", (Slot("shaded_s", "u16", scale=0.001, none=_NONE), _BATTERY), FIELDS)
_COUNTED = Packing(
    "a count",
    (Slot("in_count", "u16"), Slot("out_count", "u16"), Slot("interval_s", "u16", none=0)),
    FIELDS,
)
_LAST = Packing("a count", (_BATTERY,), FIELDS)
_BEAM: Mapping[int, bool | None] = {0: False, 1: True, 255: None}


def unpack(payload: bytes) -> Values:
    """Decode either form.

    Raises:
        PayloadError: wrong length or an unknown code (undecodable), value outside the field table.
    """
    if len(payload) == 6 and payload[0] == _PASSAGE:
        _, direction, passer = payload[:3]
        if direction >= len(DIRECTIONS) or passer >= len(PASSERS):
            raise PayloadError(Reason.UNDECODABLE, "direction, passer: a code nobody defined")
        return Values(
            direction=DIRECTIONS[direction], passer=PASSERS[passer], **_PASSED.unpack(payload[3:])
        )
    if len(payload) == 9 and payload[0] == _COUNTS:
        if payload[7] not in _BEAM:
            raise PayloadError(Reason.UNDECODABLE, "beam: neither clear nor blocked")
        counts = {**_COUNTED.unpack(payload[1:7]), **_LAST.unpack(payload[8:])}
        return Values(blocked=_BEAM[payload[7]], **counts)
    raise PayloadError(
        Reason.UNDECODABLE, "bicycle_parking_counter takes 6 bytes after 0, or 9 after 1"
    )


def pack(values: Any) -> bytes:
    """Encode the form that fits.

    Raises:
        PayloadError: a value does not fit its bytes.
    """
    said = msgspec.structs.asdict(values)
    if values.direction is None:
        beam = 255 if values.blocked is None else int(values.blocked)
        return bytes([_COUNTS]) + _COUNTED.pack(said) + bytes([beam]) + _LAST.pack(said)
    try:
        codes = DIRECTIONS.index(values.direction), PASSERS.index(values.passer)
        return struct.pack(">BBB", _PASSAGE, *codes) + _PASSED.pack(said)
    except ValueError:
        raise PayloadError(Reason.OUT_OF_RANGE, "a value does not fit the binary form") from None


def check(values: Values, _device: Device) -> None:
    """Either a whole passage or whole counts, and nothing of the other."""
    passage = (values.direction, values.passer)
    counts = (values.in_count, values.out_count)
    whole = (None not in passage) != (None not in counts)
    mixed = any(v is not None for v in passage) and any(v is not None for v in counts)
    if not whole or mixed:
        raise PayloadError(
            Reason.UNDECODABLE, "either direction and passer, or in_count and out_count"
        )
    foreign = (values.interval_s, values.blocked) if values.direction else (values.shaded_s,)
    if any(value is not None for value in foreign):
        raise PayloadError(
            Reason.UNDECODABLE, "shaded_s belongs to a passage, interval_s and blocked to counts"
        )


def row(values: Values, _device: Device) -> tuple[Any, ...]:
    """The fields; a passage of anything but a walker also counts as one in or out, so that sums are whole."""
    into, out = values.in_count, values.out_count
    if values.direction is not None:
        counts = values.passer != "person"
        into, out = counts * (values.direction == "in"), counts * (values.direction == "out")
    return (
        values.direction, values.passer, values.shaded_s, into, out, values.interval_s,
        values.blocked, values.battery_v,
    )  # fmt: skip


def contradictions(attributes: Mapping[str, Any]) -> dict[str, str]:
    """A lot has room for a bicycle."""
    return {} if attributes.get("capacity", 1) >= 1 else {"capacity": "room for one at least."}


KIND = DeviceKind(
    name="bicycle_parking_counter",
    summary="Bicycles in and out of a parking lot, by light beam: one by one, or counted.",
    f_port=6,
    personal=False,
    fields=FIELDS,
    columns=(
        Column("direction", "TEXT"),
        Column("passer", "TEXT"),
        Column("shaded_s", "REAL", "s"),
        Column("in_count", "INTEGER NOT NULL"),
        Column("out_count", "INTEGER NOT NULL"),
        Column("interval_s", "INTEGER", "s"),
        Column("blocked", "INTEGER"),
        Column("battery_v", "REAL", "V"),
    ),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=row,
    contradictions=contradictions,
    attributes={"capacity": "1", "lot": "text", "gate": "text"},
    examples=(
        Example(
            "a bicycle comes in",
            '{"direction": "in", "passer": "bicycle", "shaded_s": 1.25, "battery_v": 3.6}',
            {"direction": "in", "passer": "bicycle", "shaded_s": 1.25, "in_count": None},
        ),
        # 1250 ms = 04e2, 3.6 V = 180 x 20 mV = b4
        Example(
            "the same in six bytes",
            "00 00 00 04e2 b4",
            {"direction": "in", "passer": "bicycle", "shaded_s": 1.25, "battery_v": 3.6},
        ),
        Example(
            "somebody turned back",
            "00 02 01 ffff ff",
            {"direction": "turned_back", "passer": "person", "shaded_s": None, "battery_v": None},
        ),
        Example(
            "ten minutes of the morning",
            '{"in_count": 41, "out_count": 3, "interval_s": 600, "blocked": false}',
            {"in_count": 41, "out_count": 3, "interval_s": 600, "blocked": False},
        ),
        Example(
            "the same in nine bytes",
            "01 0029 0003 0258 00 ff",
            {"in_count": 41, "out_count": 3, "interval_s": 600, "blocked": False},
        ),
        Example(
            "a box stands in the beam",
            "01 0000 0000 0000 01 b4",
            {"in_count": 0, "out_count": 0, "interval_s": None, "blocked": True},
        ),
        Example(
            "a passage and counts at once",
            '{"direction": "in", "passer": "bicycle", "in_count": 1, "out_count": 0}',
            rejected="undecodable",
        ),
        Example("only the way in", '{"in_count": 4}', rejected="undecodable"),
        Example("an insect", "00 00 02 0032 b4", rejected="out of range"),
        Example("a code nobody defined", "00 03 00 04e2 b4", rejected="undecodable"),
        Example("a counter that overflowed", "01 ffff 0000 0258 00 b4", rejected="out of range"),
        Example("a byte short", "00 00 00 04e2", rejected="undecodable"),
    ),
)
