"""Service counter: the queue before one line of desks, as its ticket machine or call system tells it.

Compact binary, big endian, 5 bytes:

    0         2            3             5
    | waiting | open desks | last called |
    | u16     | u8         | u16         |

`last called` 65535 = nobody was called yet today.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.devices.packing import Packing, Slot
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason


class Values(Document, kw_only=True, gc=False):
    """How it stands at the counter now; a ticket's number names nobody, and starts again every day."""

    waiting: Annotated[int, msgspec.Meta(ge=0, le=999)]
    open_desks: Annotated[int, msgspec.Meta(ge=0, le=99)]
    last_called: Annotated[int, msgspec.Meta(ge=0, le=9999)] | None = None


FIELDS = (
    Field("waiting", "people who wait with a ticket", "", 0, 999, "u16", Sensitivity.PUBLIC),
    Field(
        "open_desks", "desks that serve now, 0 = closed", "", 0, 99, "u8", Sensitivity.PUBLIC
    ),
    Field(
        "last_called",
        "number of the ticket called last",
        "",
        0,
        9999,
        "u16, 65535 = none yet",
        Sensitivity.PUBLIC,
        required=False,
    ),
)  # fmt: skip

_PACKING = Packing(
    "service_counter",
    (Slot("waiting", "u16"), Slot("open_desks", "u8"), Slot("last_called", "u16", none=0xFFFF)),
    FIELDS,
)


def unpack(payload: bytes) -> Values:
    """Decode the 5-byte form; raises `PayloadError`."""
    return Values(**_PACKING.unpack(payload))


def pack(values: Any) -> bytes:
    """Encode the 5-byte form; raises `PayloadError` where a value does not fit."""
    return _PACKING.pack(msgspec.structs.asdict(values))


def check(values: Values, device: Device) -> None:
    """No more desks are open than there are."""
    desks = device.attributes.get("desks")
    if isinstance(desks, (int, float)) and values.open_desks > desks:
        raise PayloadError(Reason.OUT_OF_RANGE, "open_desks: the registry has fewer desks")


def row(values: Values, _device: Device) -> tuple[Any, ...]:
    """waiting, open desks, last called."""
    return (values.waiting, values.open_desks, values.last_called)


def contradictions(attributes: Mapping[str, Any]) -> dict[str, str]:
    """A counter has desks, whole ones."""
    desks = attributes.get("desks", 1)
    return {} if desks >= 1 and desks == int(desks) else {"desks": "one desk or more, no parts."}


_FOUR = {"desks": 4.0}

KIND = DeviceKind(
    name="service_counter",
    summary="Queue at an office's counter: who waits, who serves, which number was called.",
    f_port=7,
    personal=False,
    fields=FIELDS,
    columns=(
        Column("waiting", "INTEGER NOT NULL"),
        Column("open_desks", "INTEGER NOT NULL"),
        Column("last_called", "INTEGER"),
    ),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=row,
    read_with=frozenset({"desks"}),
    contradictions=contradictions,
    attributes={"desks": "1", "office": "text", "service": "text"},
    examples=(
        Example(
            "a full hall at noon",
            '{"waiting": 14, "open_desks": 3, "last_called": 127}',
            {"waiting": 14, "open_desks": 3, "last_called": 127},
            attributes=_FOUR,
        ),
        # 14 = 000e, 127 = 007f
        Example(
            "the same in five bytes",
            "000e 03 007f",
            {"waiting": 14, "open_desks": 3, "last_called": 127},
            attributes=_FOUR,
        ),
        Example(
            "before the first call",
            "0002 01 ffff",
            {"waiting": 2, "open_desks": 1, "last_called": None},
        ),
        Example(
            "closed for the night",
            '{"waiting": 0, "open_desks": 0}',
            {"waiting": 0, "open_desks": 0, "last_called": None},
        ),
        Example(
            "more desks than there are",
            '{"waiting": 1, "open_desks": 5}',
            rejected="out of range",
            attributes=_FOUR,
        ),
        Example("half a person", '{"waiting": 0.5, "open_desks": 1}', rejected="undecodable"),
        Example("without its desks", '{"waiting": 3}', rejected="undecodable"),
        Example("a thousand people", "03e8 03 007f", rejected="out of range"),
        Example("a byte short", "000e 03 00", rejected="undecodable"),
    ),
)
