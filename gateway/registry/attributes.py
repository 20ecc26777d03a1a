"""The facts a kind wants to know of each of its devices: names, units, and how people write them."""

import re
from collections.abc import Mapping

from gateway.devices.kind import DeviceKind
from gateway.model.quantity import BY_UNIT, parse
from gateway.privacy.sealing import LONGEST_WORD
from gateway.registry.words import nearest

_MOST = 1e9
"""In any unit: what lies beyond is no fact of a device, and "nan" and "inf", read as numbers, are none."""

Attributes = Mapping[str, str | float | bool]

PLACE = {"lat": 90.0, "lon": 180.0}
"""Where a thing of the city stands, WGS 84 degrees; every such kind may say it, and no kind about people."""


FORWARDED = {"dev_eui": "text", "codec": "text"}
"""How the uplinks of a device that speaks through a network server are known and decoded; of every kind."""

_SHORT = f"a text of at most {LONGEST_WORD} bytes is needed here: rows about people are sealed at one length."

_EUI = re.compile(r"[0-9a-f]{16}")
_BETWEEN = re.compile(r"[-: ]")


class UnknownAttribute(ValueError):
    """The kind has no such attribute; `choices` are the names it has."""

    def __init__(self, kind: DeviceKind, name: str, choices: list[str]) -> None:
        known = f" {kind.name} has {', '.join(choices) or 'none'}."
        super().__init__("unknown attribute." + nearest(name, choices, unless=known))
        self.choices = choices


def dev_eui(given: str) -> str | None:
    """A DevEUI as a label or another system has it, in the registry's form; None for what is none."""
    plain = _BETWEEN.sub("", given).lower()
    return plain if _EUI.fullmatch(plain) else None


def attribute_faults(kind: DeviceKind, attributes: Attributes) -> dict[str, str]:
    """Attribute name → sentence about it; a required one that is missing stands under its name."""
    faults: dict[str, str] = {}
    units = units_of(kind)
    for name, value in attributes.items():
        if name not in units:
            known = list(units)
            choice = f" {kind.name} has {', '.join(known) or 'none'}."
            faults[name] = f"{kind.name} has no attribute {name}." + nearest(
                name, known, unless=choice
            )
        elif units[name] == "text" and not isinstance(value, str):
            faults[name] = "a text is needed here."
        elif units[name] != "text" and not _is_number(value):
            faults[name] = _number_needed(units[name])
    for name in required(kind):
        if name not in attributes:
            faults[name] = f"{kind.name} needs the attribute {name}."
    return faults or contradictions(kind, attributes)


def contradictions(kind: DeviceKind, attributes: Attributes) -> dict[str, str]:
    """Attribute name → why a device with these cannot be; the kind's own reasons, and its place."""
    found = dict(kind.contradictions(attributes))
    if not _EUI.fullmatch(str(attributes.get("dev_eui", "0" * 16))):
        found["dev_eui"] = "sixteen hexadecimal digits are needed here."
    if kind.personal:
        found |= {name: _SHORT for name in kind.attributes if _is_long(attributes.get(name))}
    given = [name for name in PLACE if name in attributes]
    if len(given) == 1:
        found[given[0]] = "a place is lat and lon, both of them."
    for name in given:
        value = attributes[name]
        if not _is_number(value) or abs(float(value)) > PLACE[name]:
            found[name] = f"degrees from -{PLACE[name]:g} to {PLACE[name]:g} are needed here."
    return found


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value.encode()) > LONGEST_WORD


def units_of(kind: DeviceKind) -> dict[str, str]:
    """Attribute name → unit, or "text"."""
    own = {name.lstrip("*"): unit.lstrip("*") for name, unit in kind.attributes.items()} | FORWARDED
    return own if kind.personal else own | dict.fromkeys(PLACE, "deg")


def _short(units: Mapping[str, str]) -> dict[str, str]:
    """Name as people write it, without its unit → attribute name."""
    return {name.removesuffix(f"_{unit}"): name for name, unit in units.items()}


def spellings(kind: DeviceKind) -> set[str]:
    """Every way to write a name of the kind's attributes."""
    units = units_of(kind)
    return {*units, *_short(units)}


def required(kind: DeviceKind) -> list[str]:
    """Names of the attributes a device of the kind cannot do without."""
    return [
        name.lstrip("*")
        for name, unit in kind.attributes.items()
        if name.startswith("*") or unit.startswith("*")
    ]


def read(kind: DeviceKind, key: str, given: object) -> tuple[str, str | float | bool]:
    """One attribute as a person wrote it: `datum: 4.2 m`, `datum_m: 4.2`, `river: Jinzu`.

    Returns:
        its name and its value, in the attribute's own unit.

    Raises:
        UnknownAttribute: the kind has none of this name.
        ValueError: not such a value; the text is a sentence.
    """
    units = units_of(kind)
    short = _short(units)
    name = key if key in units else short.get(key)
    if name is None:
        raise UnknownAttribute(kind, key, list(short))
    unit = units[name]
    if unit == "text":
        if isinstance(given, str) and given:
            return name, (dev_eui(given) or given) if name == "dev_eui" else given
        raise ValueError("a text is needed here; write numbers in quotes.")
    if key == name and unit in name.split("_") and (number := _number(given)) is not None:
        return name, number
    if unit in BY_UNIT:
        given = parse(str(given), BY_UNIT[unit])
    if (number := _number(given)) is not None:
        return name, number
    raise ValueError(_number_needed(unit))


def _number_needed(unit: str) -> str:
    return "a number is needed here." if unit == "1" else f"a number is needed here, in {unit}."


def _number(given: object) -> float | None:
    try:
        number = float(given) if isinstance(given, str) else given
    except ValueError:
        return None
    return float(number) if _is_number(number) else None  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _MOST
