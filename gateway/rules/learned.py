"""What somebody who reads a lane learns of one child: the fields of a row, and what the rules do not hide. Names; the words
stand in `words.py` and `words_ja.py`.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from gateway.rules.masks import Circle, DensityClasses, Mesh, Stay, TimeFloor, Zone
from gateway.rules.model import Lane

Field: TypeAlias = Literal["time_bin", "cell", "place", "leg_class", "battery_class", "pseudonym"]
_ORDER: tuple[Field, ...] = (
    "time_bin",
    "cell",
    "place",
    "leg_class",
    "battery_class",
    "pseudonym",
)
Limit: TypeAlias = Literal[
    "centre", "street", "part_of_town", "pseudonym", "stays", "visits", "home"
]
_MINUTE_US = 60_000_000


def says_cells(lane: Lane) -> bool:
    """Whether a cell of the mesh stands instead of each place."""
    return any(isinstance(rule, Mesh | DensityClasses) for rule in lane.generalise)


def step_us(lane: Lane) -> int:
    """How long the step is that the time of a row begins; without a rule a minute."""
    steps = [rule.step_us for rule in lane.generalise if isinstance(rule, TimeFloor)]
    return max((_MINUTE_US, *steps))


def fields(lane: Lane) -> tuple[Field, ...]:
    """What a row of the lane may say, beside its keyed identity; nothing where the lane keeps no rows."""
    if lane.write.form != "rows":
        return ()
    made = {"time_bin", "leg_class", "battery_class", "cell" if says_cells(lane) else "place"}
    if lane.pseudonymise is not None:
        made.add("pseudonym")
    if lane.strip is not None:
        made &= {"time_bin", *lane.strip.allow}
    return tuple(name for name in _ORDER if name in made)


def unhidden(lane: Lane) -> Iterator[Limit]:
    """What a lane does not hide, although its rules might be thought to."""
    if lane.count:
        return
    zone = any(isinstance(rule, Zone) for rule in lane.suppress)
    if any(isinstance(rule, Circle) for rule in lane.suppress):
        yield "centre"
    if zone and not says_cells(lane):
        yield "street"
    if zone:
        yield "part_of_town"
    if lane.pseudonymise is not None:
        yield "pseudonym"
    yield "visits" if any(isinstance(rule, Stay) for rule in lane.suppress) else "stays"
    if not lane.suppress:
        yield "home"
