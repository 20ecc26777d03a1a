"""A declared codec: from an object that somebody else's decoder made, or from flat JSON, to a kind's fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

_NUMBER = re.compile(r"\s*[-+]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][-+]?[0-9]{1,3})?\s*")
"""A number as makers write it into a text; Python would also take 1_0, nan and figures of other scripts."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's value stands in the object, and what to make of it.

    Attributes:
        path: names of members from the outside in; a number counts in a list.
        scale, offset: value = given · scale + offset, of numbers.
        refuse: the maker's sentinels, as given: each rejects the uplink (out of range).
        words: given (as text) → value, of fields that are words or codes; what is not in it is rejected.
    """

    path: tuple[str, ...]
    scale: float = 1.0
    offset: float = 0.0
    refuse: tuple[float | str, ...] = ()
    words: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """One declared codec.

    Attributes:
        name: the word after `codec:`.
        kind: the kind whose fields it fills.
        fields: field → where it comes from. A member that is absent or null leaves its field out.
        one_of: fields of which at least one must be there; () asks for nothing.
        script: name of the vendor's JavaScript that makes the object; "" where the server made it.
    """

    name: str
    kind: str
    fields: Mapping[str, Source]
    one_of: tuple[str, ...] = field(default=())
    script: str = ""

    def said(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The kind's fields; raises `PayloadError` with a field's name, never its value."""
        found: dict[str, Any] = {}
        for name, source in self.fields.items():
            value = _look_up(given, source.path)
            if value is not None:
                found[name] = _value(name, value, source)
        if self.one_of and not any(name in found for name in self.one_of):
            raise PayloadError(Reason.NO_READING, f"none of {', '.join(self.one_of)}")
        return found


def _look_up(given: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(given, dict):
            given = given.get(step)
        elif (
            isinstance(given, list)
            and step.isdecimal()
            and step.isascii()
            and int(step) < len(given)
        ):
            given = given[int(step)]
        else:
            return None
    return given


def _value(name: str, given: Any, source: Source) -> Any:
    if isinstance(given, int) and given.bit_length() > 64:  # JSON's numbers have no end
        raise PayloadError(Reason.OUT_OF_RANGE, name)
    if given in source.refuse or plain(given) in source.refuse:
        raise PayloadError(Reason.OUT_OF_RANGE, f"{name}: the maker's word for no value")
    if source.words is not None:
        key = str(given).lower() if isinstance(given, bool) else str(plain(given))
        if key not in source.words:
            raise PayloadError(Reason.UNDECODABLE, f"{name}: a word that the codec does not know")
        return source.words[key]
    number = plain(given)
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        if source.scale != 1.0 or source.offset:
            return round(number * source.scale + source.offset, 9)
        return number
    return given


def plain(given: Any) -> Any:
    """A number that came as a text ("13.25") or as 35.0; everything else as it is."""
    if isinstance(given, str):
        if _NUMBER.fullmatch(given) is None:
            return given
        given = float(given)
    if isinstance(given, float) and given.is_integer() and abs(given) < 2**53:
        return int(given)
    return given
