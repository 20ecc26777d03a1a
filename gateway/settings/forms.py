"""What the settings of every file are made of: strictness, names, quantities with their units."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gateway.model.identity import is_name
from gateway.model.quantity import Dimension, parse, whole
from gateway.registry.rules import NAMES


def fault(sentence: str) -> PydanticCustomError:
    """A fault whose sentence reaches the reader as it is."""
    return PydanticCustomError("sekisho", "{sentence}", {"sentence": sentence})


def quantity(dimension: Dimension, low: str, high: str, *, in_wholes: bool = False) -> Any:
    """A validator: text with a unit between two limits → SI number."""
    read = whole if in_wholes else parse

    def check(given: object) -> float:
        if not isinstance(given, str):
            given = "" if given is None or isinstance(given, (bool, dict, list)) else str(given)
        try:
            value = read(given, dimension)
        except ValueError as error:
            raise fault(str(error)) from None
        if not parse(low, dimension) <= value <= parse(high, dimension):
            raise fault(f"{given.strip()} is outside {low} to {high}.")
        return value

    return BeforeValidator(check)


def _name(given: str) -> str:
    if not is_name(given):
        raise fault(f"not a name: {NAMES}.")
    return given


def _address(given: str) -> str:
    try:
        ipaddress.ip_address(given)
    except ValueError:
        raise fault(
            "an IP address is needed here: 127.0.0.1 for this machine alone, 0.0.0.0 for all."
        ) from None
    return given


def _municipality(given: str) -> str:
    if not (given.isascii() and given.isdigit() and len(given) == 5):
        raise fault('a municipality is five digits in quotes, for example "16201".')
    return given


SHA256 = r"^[0-9a-f]{64}$"


def sha256(stands: str) -> Any:
    """A validator: a SHA-256 in hex.

    Args:
        stands: where somebody finds it, as a sentence goes on.
    """

    def check(given: str) -> str:
        if re.fullmatch(SHA256, given) is None:
            raise fault(f"64 hex digits are needed here: {stands}.")
        return given

    return AfterValidator(check)


Name = Annotated[str, AfterValidator(_name)]
Municipality = Annotated[str, AfterValidator(_municipality)]
Address = Annotated[str, AfterValidator(_address)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Strict(BaseModel):
    """Settings with names: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )
