"""Contradictions within a lane that counts: numbers that would name people, or tell them in the next table."""

from collections.abc import Iterator
from itertools import pairwise

from gateway.rules.counts import Classes, KSuppress, Round
from gateway.rules.finding import Finding, Path
from gateway.rules.model import Lane

LEAST_K = {"analysis": 5, "open": 10, "ridership": 5, "research": 5}
"""The smallest k of each lane that counts; `config/privacy/` has no lane below it."""
LEAST_BASE = 5
"""Steps in which numbers are told at least: in steps of 2 one household more is seen in every second table."""
_LONG = ("term", "school_year")
_WHOLE_MESH = ("mesh_250", "mesh_500")


def numbers(lane: Lane, path: Path) -> Iterator[Finding]:
    """What is missing, or too little, before numbers may leave."""
    if not lane.count:
        return
    least = LEAST_K.get(lane.name, min(LEAST_K.values()))
    if not any(isinstance(rule, KSuppress) for rule in lane.protect):
        yield Finding(
            (*path, "count"),
            f"numbers without a smallest one name single people. Add to protect: kind: k_suppress, k: {least}.",
        )
    yield from _thresholds(lane, path, least)
    yield from _told(lane, path)
    if lane.name == "open":
        yield from _open(lane, path)
    else:
        yield from _exact(lane, path)


def _thresholds(lane: Lane, path: Path, least: int) -> Iterator[Finding]:
    for index, rule in enumerate(lane.protect):
        if not isinstance(rule, KSuppress):
            continue
        if not rule.complementary:
            yield Finding(
                (*path, "protect", index, "complementary"),
                "a hidden number is worked out from its neighbours and what they add up to. Leave it out, or write true.",
            )
        if rule.k < least:
            yield Finding(
                (*path, "protect", index, "k"),
                f"k is at least {least} in the lane {lane.name}, and here it is {rule.k}. Write {least} or more.",
            )
        for place, shown in enumerate(lane.protect):
            where = (*path, "protect", place)
            if isinstance(shown, Classes):
                yield from _classes(shown, rule.k, where)
            if isinstance(shown, Round) and shown.top is not None and shown.top < rule.k:
                yield Finding(
                    (*where, "top"),
                    f"no number below k is told, which is {rule.k}, so none would be {shown.top}. Write {rule.k} or more.",
                )


def _classes(rule: Classes, k: int, where: Path) -> Iterator[Finding]:
    if rule.bounds[0] < k:
        yield Finding(
            (*where, "bounds"),
            f"a class that begins at {rule.bounds[0]} tells numbers below k, which is {k}. Let the first begin at k.",
        )
    narrow = next((two for two in pairwise(rule.bounds) if two[1] - two[0] < k), None)
    if narrow is not None:
        yield Finding(
            (*where, "bounds"),
            f"from {narrow[0]} to {narrow[1]} is less than k, which is {k}: classes so narrow tell numbers, and the next "
            f"table who came. Let each begin {k} or more above the one before it.",
        )


def _told(lane: Lane, path: Path) -> Iterator[Finding]:
    """Steps and classes: wide enough, and one of the two."""
    classes = any(isinstance(rule, Classes) for rule in lane.protect)
    for index, rule in enumerate(lane.protect):
        if not isinstance(rule, Round):
            continue
        where = (*path, "protect", index)
        if classes:
            yield Finding(
                where,
                "round beside classes: what comes later undoes the other, and a rounded number may lie in the next class. "
                "Take round out.",
            )
        if rule.base < LEAST_BASE:
            yield Finding(
                (*where, "base"),
                f"in steps of {rule.base} numbers are nearly exact, and the next table tells who came. Write "
                f"{LEAST_BASE} or more.",
            )


def _exact(lane: Lane, path: Path) -> Iterator[Finding]:
    if not any(isinstance(rule, Classes | Round) for rule in lane.protect):
        yield Finding(
            (*path, "count"),
            "exact numbers would leave, and the next table tells by one more or less who came. Add to protect: "
            "kind: round, base: 5; or classes.",
        )


def _open(lane: Lane, path: Path) -> Iterator[Finding]:
    """What everybody may see: classes, of whole cells and long times, without what one facility dominates."""
    if not any(isinstance(rule, Classes) for rule in lane.protect):
        yield Finding(
            (*path, "count"),
            "the lane open tells everybody classes alone, never numbers. Add to protect: kind: classes, "
            "bounds: [10, 25, 50].",
        )
    for index, rule in enumerate(lane.count):
        where = (*path, "count", index)
        if rule.period not in _LONG:
            yield Finding(
                (*where, "period"),
                f"a table for everybody each {rule.period.replace('_', ' ')} is compared with the one before, and tells "
                "who came and left. Write term, or school_year.",
            )
        if rule.unit not in _WHOLE_MESH:
            yield Finding(
                (*where, "unit"),
                f"a {rule.unit} is passed by the same few every day, and everybody would be told. Write mesh_250 or "
                "mesh_500; for street by street there is the lane analysis.",
            )
        if rule.slices:
            yield Finding(
                (*where, "slices"),
                "the lane open tells everybody totals: hours and kinds of day tell when children are where. Take slices "
                "out.",
            )
    for index, shown in enumerate(lane.protect):
        if isinstance(shown, KSuppress) and shown.one_facility == "keep":
            yield Finding(
                (*path, "protect", index, "one_facility"),
                "a cell with one shelter or clinic tells everybody who goes there. Leave it out, or write drop.",
            )
