"""How the rule language writes lengths, times, speeds and texts, for the reader and for editors."""

from datetime import date
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import core_schema

from gateway.model.quantity import DURATION, LENGTH, SPEED, Dimension, parse
from gateway.settings.forms import SHA256, fault, quantity, sha256

_US = 1_000_000
_DAY_US = 86_400 * _US
FOREVER = "forever"


class _Written:
    """A quantity: text with a unit → number; an editor is told the units."""

    def __init__(self, dimension: Dimension, low: str, high: str, scale: int | None = None) -> None:
        self._read = quantity(dimension, low, high).func
        self._scale = scale
        units = "|".join(dimension.units)
        self._shape = {
            "type": "string",
            "pattern": rf"^\s*\d+(\.\d+)?\s*({units})\s*$",
            "title": f"{dimension.name}, {low} to {high}",
        }

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return core_schema.no_info_before_validator_function(self._taken, handler(source))

    def __get_pydantic_json_schema__(self, _source: Any, _handler: Any) -> dict[str, Any]:
        return self._shape

    def _taken(self, given: object) -> float | int:
        value: float = self._read(given)
        return value if self._scale is None else round(value * self._scale)


def length(low: str, high: str) -> Any:
    """A length with its unit → metres."""
    return _Written(LENGTH, low, high)


def duration(low: str, high: str) -> Any:
    """A time with its unit → whole microseconds."""
    return _Written(DURATION, low, high, _US)


def speed(low: str, high: str) -> Any:
    """A speed with its unit → metres a second."""
    return _Written(SPEED, low, high)


def _retain(given: object) -> int:
    if given == FOREVER:
        return -1
    try:
        micros = round(parse(str(given), DURATION) * _US)
    except ValueError:
        micros = -1
    if micros % _DAY_US or not 0 <= micros <= 3660 * _DAY_US:
        raise fault(
            f"whole days are needed here, 0 d to 3660 d, for example 20 d; numbers that name nobody may stay {FOREVER}."
        )
    return micros


Retain: TypeAlias = Annotated[
    int,
    BeforeValidator(_retain),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*(\d+\s*d|{FOREVER})\s*$",
            "title": f"whole days, 0 d to 3660 d, or {FOREVER}",
        }
    ),
]
"""Whole days → microseconds; `forever` → -1."""


def _day(given: str) -> str:
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        raise fault("a day is needed here, for example 2027-03-31.") from None


Day: TypeAlias = Annotated[str, AfterValidator(_day)]


def _words(given: str) -> str:
    if not given.strip():
        raise fault("this must be said in words: leave nothing empty that people are told.")
    return " ".join(given.split())


Words: TypeAlias = Annotated[str, AfterValidator(_words)]
Sha256: TypeAlias = Annotated[
    str,
    sha256("the last line of the partition's file names them (sha256)"),
    WithJsonSchema({"type": "string", "pattern": SHA256}),
]
