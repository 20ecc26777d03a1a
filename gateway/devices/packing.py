"""Compact binary payloads by table: whole numbers of fixed width in a fixed order, big endian.

A value is `raw · scale + offset`; one raw number may be set aside to say "not measured".
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from gateway.devices.kind import Field
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

_CODES = {
    "u8": "B", "i8": "b", "u16": "H", "i16": "h", "u24": "3s", "u32": "I", "i32": "i", "f32": "f",
}  # fmt: skip
"""Type → how `struct` calls it. `f32` is IEEE 754 single precision; its NaN says "not measured"."""

LARGEST = 242
"""Bytes of the longest payload that LoRaWAN carries in any region (RP002-1.0.4, N of the fastest rates)."""

Reader: TypeAlias = Callable[[Any], float | int | None]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one field lies in the payload.

    Attributes:
        field: name of the field.
        type: u8, i8, u16, i16, u24, u32, i32 or f32.
        scale, offset: value = raw · scale + offset; not for `f32`.
        none: the raw number that says "not measured"; None where there is always a value.
    """

    field: str
    type: str
    scale: float = 1.0
    offset: float = 0.0
    none: int | None = None

    @property
    def digits(self) -> int:
        """Decimals of every value that this slot can carry."""
        return max(_decimals(self.scale), _decimals(self.offset))

    def reader(self) -> Reader:
        """From what `struct` unpacks to the value; "not measured" is left to `Packing`."""
        if self.type == "f32":
            return lambda raw: None if math.isnan(raw) else raw
        number = _number(self.scale, self.offset, self.digits)
        if self.type == "u24":
            return lambda raw: number(int.from_bytes(raw, "big"))
        return number

    def pack(self, value: float | None) -> bytes:
        """The bytes of a value, rounded to the nearest step.

        Raises:
            struct.error, OverflowError, ValueError: there are no bytes for it.
        """
        code = f">{_CODES[self.type]}"
        if self.type == "f32":
            return struct.pack(code, math.nan if value is None else value)
        if value is None:
            if self.none is None:
                raise ValueError("this slot always has a value")
            raw = self.none
        else:
            raw = round((value - self.offset) / self.scale)
            if raw == self.none:
                raise ValueError("this number says that there is no value")
        return raw.to_bytes(3, "big") if self.type == "u24" else struct.pack(code, raw)

    def unpack(self, raw: bytes) -> float | int | None:
        """The value of these bytes, whatever `none` says."""
        return self.reader()(*struct.unpack(f">{_CODES[self.type]}", raw))


def width(slot_type: str) -> int:
    """Bytes that a slot of this type takes."""
    return struct.calcsize(f">{_CODES[slot_type]}")


class Packing:
    """One kind's payload: its slots in order, each within the limits of its field."""

    def __init__(self, kind: str, slots: Sequence[Slot], fields: Sequence[Field]) -> None:
        self._kind = kind
        self._slots = tuple(slots)
        self._layout = struct.Struct(">" + "".join(_CODES[slot.type] for slot in slots))
        by_name = {field.name: field for field in fields}
        self._readers = tuple(_bounded(slot, by_name[slot.field]) for slot in slots)

    @property
    def size(self) -> int:
        """Bytes of a payload."""
        return self._layout.size

    def unpack(self, payload: bytes) -> dict[str, Any]:
        """Field name → value or None.

        Raises:
            PayloadError: wrong length (undecodable), value outside the field table.
        """
        if len(payload) != self._layout.size:
            raise PayloadError(Reason.UNDECODABLE, f"{self._kind} takes {self.size} bytes")
        found: dict[str, Any] = {}
        raws = self._layout.unpack(payload)
        for raw, (name, none, read, low, high, required) in zip(raws, self._readers, strict=True):
            value = None if raw == none else read(raw)
            if required if value is None else not low <= value <= high:
                raise PayloadError(Reason.OUT_OF_RANGE, name)
            found[name] = value
        return found

    def pack(self, values: Mapping[str, Any]) -> bytes:
        """Encode; fields without a slot are not carried.

        Raises:
            PayloadError: a value does not fit its bytes.
        """
        parts = []
        for slot in self._slots:
            try:
                parts.append(slot.pack(values.get(slot.field)))
            except (struct.error, OverflowError, ValueError, TypeError):
                detail = f"{slot.field}: does not fit the binary form"
                raise PayloadError(Reason.OUT_OF_RANGE, detail) from None
        return b"".join(parts)


def _bounded(
    slot: Slot, field: Field
) -> tuple[str, int | bytes | None, Reader, float, float, bool]:
    """Name, raw number of "not measured", reader, lower and upper limit, whether it must be there."""
    none: int | bytes | None = slot.none
    if slot.none is not None and slot.type == "u24":
        none = slot.none.to_bytes(3, "big")
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    read = slot.reader()
    if slot.type == "f32":
        read = _reaching(read, low, high)
    return slot.field, none, read, low, high, field.required


def _reaching(read: Reader, *limits: float) -> Reader:
    """A limit that single precision cannot carry exactly is reached by the number next to it: 4.3 goes as
    4.30000019, and is no number beyond 4.3.
    """
    code = struct.Struct(">f")
    meant = {code.unpack(code.pack(limit))[0]: limit for limit in limits}
    return lambda raw: meant[raw] if raw in meant else read(raw)


def _number(scale: float, offset: float, digits: int) -> Reader:
    """Raw number → value, exact to its last decimal."""
    if digits == 0:
        times, plus = int(scale), int(offset)
        return lambda raw: raw * times + plus
    steps = round(1 / scale)
    if offset == 0 and abs(steps * scale - 1) < 1e-12:
        return lambda raw: raw / steps  # one division is rounded correctly
    return lambda raw: round(raw * scale + offset, digits)


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
