"""Compact binary payloads by table: whole numbers of fixed width in a fixed order, big endian.

A value is `raw · scale + offset`; one raw number may be set aside to say "not measured".
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.devices.kind import Field
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

WIDTHS = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u24": 3, "u32": 4, "i32": 4, "f32": 4}
"""Type → bytes. `f32` is IEEE 754 single precision; its NaN says "not measured"."""

_SINGLE = struct.Struct(">f")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one field lies in the payload.

    Attributes:
        field: name of the field.
        type: a key of `WIDTHS`.
        scale, offset: value = raw · scale + offset; not for `f32`.
        none: the raw number that says "not measured"; None where there is always a value.
    """

    field: str
    type: str
    scale: float = 1.0
    offset: float = 0.0
    none: int | None = None

    @property
    def width(self) -> int:
        """Bytes."""
        return WIDTHS[self.type]

    @property
    def digits(self) -> int:
        """Decimals of every value that this slot can carry."""
        return max(_decimals(self.scale), _decimals(self.offset))

    def value(self, raw: bytes) -> float | int | None:
        """What these bytes say; None for "not measured"."""
        if self.type == "f32":
            number: float = _SINGLE.unpack(raw)[0]
            return None if math.isnan(number) else number
        whole = int.from_bytes(raw, "big", signed=self.type[0] == "i")
        if whole == self.none:
            return None
        digits = self.digits
        if digits == 0:
            return whole * int(self.scale) + int(self.offset)
        return round(whole * self.scale + self.offset, digits)

    def raw(self, value: float | None) -> bytes:
        """The bytes of a value, rounded to the nearest step.

        Raises:
            OverflowError, ValueError: there are no bytes for it.
        """
        if self.type == "f32":
            return _SINGLE.pack(math.nan if value is None else value)
        if value is None:
            if self.none is None:
                raise ValueError("this slot always has a value")
            whole = self.none
        else:
            whole = round((value - self.offset) / self.scale)
            if whole == self.none:
                raise ValueError("this number says that there is no value")
        return whole.to_bytes(self.width, "big", signed=self.type[0] == "i")


class Packing:
    """One kind's payload: its slots in order, each within the limits of its field."""

    def __init__(self, kind: str, slots: Sequence[Slot], fields: Sequence[Field]) -> None:
        self.size = sum(slot.width for slot in slots)
        self._kind = kind
        by_name = {field.name: field for field in fields}
        self._slots: list[tuple[Slot, int, int, float, float, bool]] = []
        start = 0
        for slot in slots:
            field, end = by_name[slot.field], start + slot.width
            low = -math.inf if field.low is None else field.low
            high = math.inf if field.high is None else field.high
            self._slots.append((slot, start, end, low, high, field.required))
            start = end

    def unpack(self, payload: bytes) -> dict[str, Any]:
        """Field name → value or None.

        Raises:
            PayloadError: wrong length (undecodable), value outside the field table.
        """
        if len(payload) != self.size:
            raise PayloadError(Reason.UNDECODABLE, f"{self._kind} takes {self.size} bytes")
        found: dict[str, Any] = {}
        for slot, start, end, low, high, required in self._slots:
            value = slot.value(payload[start:end])
            if required if value is None else not low <= value <= high:
                raise PayloadError(Reason.OUT_OF_RANGE, slot.field)
            found[slot.field] = value
        return found

    def pack(self, values: Mapping[str, Any]) -> bytes:
        """Encode; fields without a slot are not carried.

        Raises:
            PayloadError: a value does not fit its bytes.
        """
        parts = []
        for slot, *_ in self._slots:
            try:
                parts.append(slot.raw(values.get(slot.field)))
            except (OverflowError, ValueError, TypeError):
                detail = f"{slot.field}: does not fit the binary form"
                raise PayloadError(Reason.OUT_OF_RANGE, detail) from None
        return b"".join(parts)


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
