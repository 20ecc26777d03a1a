"""The shape of a device kind: its fields, its payload forms, its table, and the examples that prove them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, NoReturn

import msgspec

from gateway.model.device import Device


class Sensitivity(Enum):
    """What a field may reveal. A field that declares nothing is SECRET: silence means no."""

    PUBLIC = "public"  # about a thing of the city: kept as it is
    POSITION = "position"  # where a person is: only the mask's place may be kept
    TAG = "tag"  # names a person's card: only a pseudonym of one service day
    COARSE = "coarse"  # kept only in classes (battery)
    LIVE = "live"  # shown to those it concerns, never stored (button)
    SECRET = "secret"  # never kept  # noqa: S105


@dataclass(frozen=True, slots=True)
class Field:
    """One quantity in a payload.

    Attributes:
        name: as in the JSON document, with its unit as suffix.
        meaning: one line for the reader of the field table.
        unit: UCUM unit, "" for a name or a count of one.
        low, high: plausibility limits, inclusive, in `unit`; None for text.
        binary: how the compact binary carries it ("u8 · 0.5 %"); "" if it does not.
        sensitivity: see `Sensitivity`.
        required: whether the JSON document must have it.
    """

    name: str
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    binary: str = ""
    sensitivity: Sensitivity = Sensitivity.SECRET
    required: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the kind's table.

    Attributes:
        name: plain name with its unit as suffix, for example `stage_m`.
        sql: SQLite type with NOT NULL where it holds.
        unit: UCUM unit, "" where none.
    """

    name: str
    sql: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One proof: a payload and what it says, or why it must be rejected.

    Attributes:
        name: what is special about it.
        payload: bytes as sent: hex of the compact binary payload (without the `up/bin` head), or a
            JSON document without `t` and `seq`.
        values: field name → value; None if it must be rejected.
        rejected: the `Reason` value expected instead; "" if it decodes.
        attributes: registry attributes it needs.
    """

    name: str
    payload: str
    values: Mapping[str, Any] | None = None
    rejected: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        """Whether the payload is the JSON form."""
        return self.payload.lstrip().startswith("{")


@dataclass(frozen=True, slots=True)
class Motion:
    """How a simulated value moves.

    Attributes:
        way: `constant`; `walk` (a little up or down each time); `step` (still, and now and then
            elsewhere); `diurnal` (up by day, down by night).
        value: where it begins, or what it moves about.
        by: how far it moves.
    """

    way: str
    value: float
    by: float = 0.0


@dataclass(frozen=True, slots=True)
class Pretence:
    """How a simulator may play a device that has no behaviour of its own.

    Attributes:
        every_s: seconds between two reports.
        motions: field → how it moves; every field has one.
        whole: fields that take whole numbers alone.
    """

    every_s: float
    motions: Mapping[str, Motion]
    whole: frozenset[str] = frozenset()


class Document(msgspec.Struct, kw_only=True, gc=False):
    """What every kind's JSON document begins with; kinds subclass it with their fields.

    Attributes:
        t: time of observation, RFC 3339 with offset; None where the device has no clock.
        seq: the device's own uplink counter, 32 bits.
    """

    t: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    seq: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)] | None = None

    def __repr__(self) -> str:
        return "<document>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

    def __reduce__(self) -> NoReturn:
        raise TypeError("a decoded document is never serialised")


@dataclass(frozen=True, slots=True, eq=False)
class DeviceKind:
    """One class of device, complete.

    Attributes:
        name: the file's stem, the table's name, the word in `devices.yaml`.
        summary: one sentence.
        f_port: LoRaWAN port that carries the binary payload.
        personal: whether its rows are about people (personal files, never `city.db`).
        fields: the field table.
        columns: the kind's own columns (the store adds time, identity and thing in front).
        document: the JSON form, a `Document` subclass with constraints on every field.
        unpack: binary payload → document; raises `PayloadError`.
        pack: document → binary payload (simulators, `firmware_stubs`); raises `PayloadError` where
            a value does not fit.
        check: rules between fields and against the registry that a struct cannot state; raises
            `PayloadError`.
        row: document and device → values of `columns`, for non-personal kinds; the mask makes the
            rows of personal kinds itself. None for those.
        attributes: registry attributes the kind knows: name → unit or "text"; a leading "*" marks
            a required one.
        examples: at least one accepted JSON, one accepted binary and one rejected.
        contradictions: registry attributes → attribute name → why a device so registered cannot work.
        hint: registry attributes → a sentence about what such a device cannot send; "" if nothing.
        pretence: how a simulated one behaves, of kinds that were declared and not written.
        strip: document → the same without what its rows never hold, where that depends on its values.
        read_with: attributes that `check` and `row` read.
    """

    name: str
    summary: str
    f_port: int
    personal: bool
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    document: type[Document]
    unpack: Callable[[bytes], Document]
    pack: Callable[[Document], bytes]
    check: Callable[[Any, Device], None]
    row: Callable[[Any, Device], tuple[Any, ...]] | None
    attributes: Mapping[str, str]
    examples: tuple[Example, ...]
    contradictions: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _attributes: {}
    hint: Callable[[Mapping[str, Any]], str] = lambda _attributes: ""
    pretence: Pretence | None = None
    strip: Callable[[Any], Any] = lambda document: document
    read_with: frozenset[str] = frozenset()
