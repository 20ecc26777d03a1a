"""Quantities as people write them, `50 m` or `4 ms`: text in, SI number out, or a sentence that helps."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

_QUANTITY = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*([A-Za-zµ%/]*)\s*")


@dataclass(frozen=True, slots=True)
class Dimension:
    """One kind of quantity.

    Attributes:
        name: as in "not a unit of length".
        plural: the unit to write, in words, for example "metres".
        units: accepted unit → how many of the SI unit it is; the one with 1 comes out.
        foreign: known but refused unit → the same, so that the right value can be suggested.
        prefer: the accepted unit of suggestions.
        example: a good value.
    """

    name: str
    plural: str
    units: Mapping[str, float]
    foreign: Mapping[str, float]
    prefer: str
    example: str


LENGTH = Dimension(
    "length",
    "metres",
    {"mm": 0.001, "cm": 0.01, "m": 1.0, "km": 1000.0},
    {"ft": 0.3048, "feet": 0.3048, "in": 0.0254, "inch": 0.0254, "yd": 0.9144, "mi": 1609.344}
    | {"metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "M": 1.0},
    "m",
    "50 m",
)
DURATION = Dimension(
    "time",
    "ms, s, min, h or d",
    {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0},
    {"sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "S": 1.0}
    | {"mins": 60.0, "minute": 60.0, "minutes": 60.0, "hr": 3600.0, "hrs": 3600.0, "H": 3600.0}
    | {"hour": 3600.0, "hours": 3600.0, "day": 86400.0, "days": 86400.0, "D": 86400.0}
    | {"w": 604800.0, "week": 604800.0, "weeks": 604800.0, "us": 1e-6, "µs": 1e-6},
    "s",
    "30 min",
)
SIZE = Dimension(
    "size",
    "B, KiB, MiB or GiB",
    {"B": 1.0, "KiB": 1024.0, "MiB": 1048576.0, "GiB": 1073741824.0},
    {"kB": 1000.0, "KB": 1000.0, "MB": 1e6, "GB": 1e9, "k": 1024.0, "K": 1024.0, "M": 1048576.0}
    | {"b": 1.0, "byte": 1.0, "bytes": 1.0, "kib": 1024.0, "mib": 1048576.0},
    "B",
    "64 KiB",
)
SPEED = Dimension(
    "speed",
    "m/s or km/h",
    {"m/s": 1.0, "km/h": 1 / 3.6},
    {"kmh": 1 / 3.6, "kph": 1 / 3.6, "mps": 1.0, "mph": 0.44704, "kn": 1852 / 3600},
    "m/s",
    "15 km/h",
)

BY_UNIT = {"m": LENGTH, "s": DURATION, "B": SIZE}
"""SI unit, as the kinds' attributes name theirs → its dimension."""


def parse(text: str, dimension: Dimension) -> float:
    """The quantity in the dimension's SI unit (metres, seconds, bytes).

    Raises:
        ValueError: not a number with one of its units; the text is a sentence for the person who
            wrote it, with the converted value where the unit is known.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(
            f"a {dimension.name} is a number and a unit, for example {dimension.example}."
        )
    number, unit = float(match[1]), match[2]
    if not math.isfinite(number):
        raise ValueError("that number is too large to be meant.")
    if unit in dimension.units:
        return round(number * dimension.units[unit], 9)
    if not unit:
        raise ValueError(
            f"the unit is missing: write {dimension.plural}, "
            f"for example {_shown(number, _likely(dimension))}."
        )
    example = dimension.example
    if unit in dimension.foreign:
        example = _suggestion(number * dimension.foreign[unit], dimension)
    raise ValueError(
        f"{text.strip()} is not a unit of {dimension.name} here: "
        f"write {dimension.plural}, for example {example}."
    )


def whole(text: str, dimension: Dimension) -> int:
    """`parse` for quantities that come in whole SI units only (bytes)."""
    value = parse(text, dimension)
    if value != int(value):
        raise ValueError(f"{text.strip()} is not a whole number of {dimension.prefer}.")
    return int(value)


def _likely(dimension: Dimension) -> str:
    return dimension.example.rpartition(" ")[2]


def _suggestion(si: float, dimension: Dimension) -> str:
    """`si` in the largest accepted unit that shows it as a number of at least one."""
    if dimension is LENGTH:
        return _shown(round(si, 3), "m")
    fitting = [unit for unit, factor in dimension.units.items() if abs(si) >= factor]
    whole_ones = [unit for unit in fitting if si % dimension.units[unit] == 0]
    unit = (whole_ones or fitting or [next(iter(dimension.units))])[-1]
    return _shown(round(si / dimension.units[unit], 3), unit)


def _shown(number: float, unit: str) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".") + f" {unit}"
