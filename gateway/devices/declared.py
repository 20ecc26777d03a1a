"""Builds a kind from a declaration: names, limits and bytes by table, for things of the city alone.

A kind about people cannot be declared: the mask must know every field of it.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from gateway.devices.kind import (
    Column,
    DeviceKind,
    Document,
    Example,
    Field,
    Motion,
    Pretence,
    Sensitivity,
)
from gateway.devices.packing import Packing, Slot
from gateway.devices.tables import CITY_HEAD
from gateway.model.device import Device

RESERVED = frozenset(
    {"t", "seq", "kind", "minute", "id", "rowid", "urn"} | {c.name for c in CITY_HEAD}
)
"""Names that every row or document has already, or that SQLite keeps for itself."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a file says of a kind, in the words of `DeviceKind`.

    Attributes:
        fields: numbers with limits, public or secret.
        slots: the compact binary payload, in order; every required field has one.
        whole: names of the fields that take whole numbers only.
        attributes: as `DeviceKind.attributes`.
        every_s: how often a simulated one reports.
        motions: how its values move; a field that is missing walks about the middle of its limits.
    """

    name: str
    summary: str
    f_port: int
    fields: tuple[Field, ...]
    slots: tuple[Slot, ...]
    whole: frozenset[str]
    attributes: Mapping[str, str]
    examples: tuple[Example, ...]
    every_s: float
    motions: Mapping[str, Motion]


def build(said: Declaration) -> DeviceKind:
    """The kind. Its columns may all be empty, so that a field can be added later."""
    document = _document(said)
    packing = Packing(said.name, said.slots, said.fields)
    kept = tuple(f for f in said.fields if f.sensitivity is Sensitivity.PUBLIC)

    def unpack(payload: bytes) -> Document:
        return document(**packing.unpack(payload))

    def pack(values: Any) -> bytes:
        return packing.pack(msgspec.structs.asdict(values))

    def check(_values: Any, _device: Device) -> None:
        """The limits of the fields say everything."""

    def row(values: Any, _device: Device) -> tuple[Any, ...]:
        return tuple(getattr(values, field.name) for field in kept)

    return DeviceKind(
        name=said.name,
        summary=said.summary,
        f_port=said.f_port,
        personal=False,
        fields=said.fields,
        columns=tuple(
            Column(f.name, "INTEGER" if f.name in said.whole else "REAL", f.unit) for f in kept
        ),
        document=document,
        unpack=unpack,
        pack=pack,
        check=check,
        row=row,
        attributes=said.attributes,
        examples=said.examples,
        pretence=Pretence(
            said.every_s,
            {f.name: said.motions.get(f.name, _about_the_middle(f)) for f in said.fields},
            said.whole,
        ),
    )


def _document(said: Declaration) -> type[Document]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in said.fields:
        number = int if field.name in said.whole else float
        assert field.low is not None
        assert field.high is not None
        bounded: Any = Annotated[
            number, msgspec.Meta(ge=number(field.low), le=number(field.high))
        ]  # fmt: skip
        if field.required:
            fields.append((field.name, bounded))
        else:
            fields.append((field.name, bounded | None, None))
    made: Any = msgspec.defstruct("Values", fields, bases=(Document,), kw_only=True, gc=False)
    return made  # type: ignore[no-any-return]


def _about_the_middle(field: Field) -> Motion:
    low, high = field.low or 0.0, field.high or 0.0
    return Motion("walk", (low + high) / 2, (high - low) / 100)


def slot_faults(field: Field, slot: Slot, *, whole: bool) -> Iterator[str]:
    """Why these bytes cannot carry this field: sentences, none if they can."""
    if not field.required and slot.none is None and slot.type != "f32":
        yield "none is missing: the number that says that this field was not measured."
    if field.required and slot.none is not None:
        yield "none: a required field always has a value; leave it out, or say required: false."
    if slot.type == "f32":
        yield from _faults_of_a_real(slot, whole)
        return
    if slot.scale <= 0:
        yield "scale: more than 0 is needed."
        return
    if whole and slot.digits:
        yield "a whole number needs a whole scale and offset."
    yield from filter(None, (_limit_fault(slot, limit) for limit in (field.low, field.high)))
    if slot.none is not None:
        if not _fits(slot, slot.none):
            yield f"none: {slot.none} does not fit {slot.type}."
        meant = slot.none * slot.scale + slot.offset
        if (field.low or 0.0) <= meant <= (field.high or 0.0):
            yield f"none: {slot.none} would be {meant:g}, which lies within the limits."


def _faults_of_a_real(slot: Slot, whole: bool) -> Iterator[str]:
    if whole:
        yield "a whole number is no f32: take one of u8 to i32."
    if (slot.scale, slot.offset, slot.none) != (1.0, 0.0, None):
        yield "f32 takes no scale, offset or none: it is the value itself, and NaN is none."


def _limit_fault(slot: Slot, limit: float | None) -> str | None:
    assert limit is not None
    bare = Slot(slot.field, slot.type, slot.scale, slot.offset)
    try:
        again = bare.unpack(bare.pack(limit))
    except (struct.error, OverflowError):
        return f"the limit {limit:g} does not fit {slot.type} with this scale and offset."
    if again is None or abs(again - limit) > 1e-9 * max(1.0, abs(limit)):
        return f"the limit {limit:g} is no whole number of steps of {slot.scale:g}."
    return None


def _fits(slot: Slot, raw: int) -> bool:
    try:
        Slot(slot.field, slot.type).pack(raw)
    except (struct.error, OverflowError):
        return False
    return True
