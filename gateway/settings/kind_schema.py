"""The form of a file that declares a kind; strict, as all settings are."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from gateway.devices.declared import RESERVED
from gateway.model.quantity import DURATION
from gateway.model.reason import Reason
from gateway.registry.imports import DEVICE_WORDS
from gateway.registry.words import nearest
from gateway.settings.forms import Strict, fault, quantity

_WORD = re.compile(r"[a-z][a-z0-9_]{1,47}")
_REASONS = (Reason.UNDECODABLE.value, Reason.OUT_OF_RANGE.value)
_ABOUT_PEOPLE = ("position", "tag", "coarse", "live")
_WAYS = ("public", "secret")
_UNITS = ("m", "s", "text", "1")

_SQL = """abort action add after all alter always analyze and as asc attach autoincrement before begin between by
    cascade case cast check collate column commit conflict constraint create cross current current_date
    current_time current_timestamp database default deferrable deferred delete desc detach distinct do drop
    each else end escape except exclude exclusive exists explain fail filter first following for foreign from
    full generated glob group groups having if ignore immediate in index indexed initially inner insert
    instead intersect into is isnull join key last left like limit match materialized natural no not nothing
    notnull null nulls of offset on or order others outer over partition plan pragma preceding primary query
    raise range recursive references regexp reindex release rename replace restrict returning right rollback
    row rows savepoint select set table temp temporary then ties to transaction trigger unbounded union
    unique update using vacuum values view virtual when where window with without"""
SQL_WORDS = frozenset(_SQL.split())
"""Words that no table and no column may be called."""


def _word(given: str) -> str:
    if not _WORD.fullmatch(given):
        raise fault("use 2 to 48 of a-z 0-9 _ and begin with a letter.")
    if given in SQL_WORDS or given.startswith("sqlite_"):
        raise fault(f"{given} means something to a database: choose another word.")
    return given


_POSITION = re.compile(r"(lat|lon|lng|latitude|longitude|easting|northing|position|gps)(_.*)?")


def _field_name(given: str) -> str:
    if _POSITION.fullmatch(given):
        raise fault(
            "what says where it is may follow a person, and such a kind is written in Python with a rule in "
            "the mask. A thing that stays where it is has its lat and lon in the registry."
        )
    if given in RESERVED:
        raise fault(f"{given} stands in every row or document already: choose another word.")
    return _word(given)


def _limits(given: list[float]) -> list[float]:
    if not given[0] < given[1]:
        raise fault("the lower limit comes first, and is lower.")
    if max(map(abs, given)) > 1e9:
        raise fault("limits lie within a thousand millions.")
    return given


def _sensitivity(given: str) -> str:
    if given in _ABOUT_PEOPLE:
        raise fault(
            f"{given} is for kinds about people, and those are written in Python, because the mask must "
            "know them (docs/adding-a-device.md). Here a field is public (kept) or secret (never kept)."
        )
    if given not in _WAYS:
        raise fault(
            f'"{given}" is not known here.' + nearest(given, ["public", "secret"], unless=" Write public or secret.")
        )  # fmt: skip
    return given


def _reason(given: str) -> str:
    if given not in _REASONS:
        hint = nearest(given, _REASONS, unless=f" Write {' or '.join(_REASONS)}.")
        raise fault(f'no payload is rejected as "{given}".{hint}')
    return given


def _hex(given: str) -> str:
    try:
        bytes.fromhex(given)
    except ValueError:
        raise fault("hex digits in pairs are needed here; blanks are free.") from None
    return given


def _attribute(given: str) -> str:
    if given in ("lat", "lon"):
        raise fault("every thing of the city may have lat and lon: leave it out.")
    if given in (*DEVICE_WORDS, "id", "attributes"):
        raise fault(f"{given} is said of every device already: choose another word.")
    return _word(given)


def _unit(given: str) -> str:
    if given not in _UNITS:
        hint = nearest(given, _UNITS, unless=f" Write {' or '.join(_UNITS)}.")
        raise fault(f'no attribute is measured in "{given}".{hint}')
    return given


Word = Annotated[str, AfterValidator(_word)]
Attribute = Annotated[str, AfterValidator(_attribute)]
Line = Annotated[str, Field(min_length=1, max_length=200)]


class BinaryFile(Strict):
    """`binary:` of a field: where nothing else is said, value = raw number."""

    type: Literal["u8", "i8", "u16", "i16", "u24", "u32", "i32", "f32"]
    scale: float = 1.0
    offset: float = 0.0
    none: int | None = None


class FieldFile(Strict):
    """One number; silence about its sensitivity means that it is never kept."""

    name: Annotated[str, AfterValidator(_field_name)]
    meaning: Line
    unit: Annotated[str, Field(max_length=20)] = ""
    limits: Annotated[
        list[float], Field(min_length=2, max_length=2), AfterValidator(_limits)
    ]  # fmt: skip
    sensitivity: Annotated[str, AfterValidator(_sensitivity)] = "secret"
    required: bool = True
    whole: bool = False
    binary: BinaryFile | None = None


class ExampleFile(Strict):
    """One proof: what a payload says, or why it is rejected."""

    name: Line
    json_text: Annotated[str | None, Field(alias="json")] = None
    binary: Annotated[str, AfterValidator(_hex)] | None = None
    values: dict[str, float | None] | None = None
    rejected: Annotated[str, AfterValidator(_reason)] | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class MotionFile(Strict):
    """How one simulated value moves."""

    way: Literal["constant", "walk", "step", "diurnal"]
    value: float
    by: Annotated[float, Field(ge=0)] = 0.0


class SimulateFile(Strict):
    """`simulate:`, hints for the fictional town."""

    every_s: Annotated[float, quantity(DURATION, "1 s", "7 d"), Field(alias="every")] = 600.0
    fields: dict[str, MotionFile] = Field(default_factory=dict)


class KindFile(Strict):
    """One kind; the file is called as the kind is."""

    name: Word
    summary: Line
    f_port: Annotated[int, Field(ge=1, le=223)]
    fields: Annotated[list[FieldFile], Field(min_length=1, max_length=64)]
    attributes: dict[Attribute, Annotated[str, AfterValidator(_unit)]] = Field(default_factory=dict)
    examples: Annotated[list[ExampleFile], Field(min_length=1)]
    simulate: SimulateFile = SimulateFile()
