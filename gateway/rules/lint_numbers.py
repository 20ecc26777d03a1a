"""Contradictions within a lane that counts: numbers that would name people, or tell them in the next table."""

from collections.abc import Iterator

from gateway.rules.counts import Classes, KSuppress, Round
from gateway.rules.finding import Finding, Path
from gateway.rules.model import Lane

LEAST_K = {"analysis": 5, "open": 10, "ridership": 5, "research": 5}
"""The smallest k of each lane that counts; `config/privacy/` has no lane below it."""
_LONG = ("term", "school_year")


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
            if isinstance(shown, Classes) and shown.bounds[0] < rule.k:
                yield Finding(
                    (*path, "protect", place, "bounds"),
                    f"a class that begins at {shown.bounds[0]} tells numbers below k, which is {rule.k}. Let the first "
                    "begin at k.",
                )


def _exact(lane: Lane, path: Path) -> Iterator[Finding]:
    classes = any(isinstance(rule, Classes) for rule in lane.protect)
    if lane.name != "open":
        if not classes and not any(isinstance(rule, Round) for rule in lane.protect):
            yield Finding(
                (*path, "count"),
                "exact numbers would leave, and the next table tells by one more or less who came. Add to protect: "
                "kind: round, base: 5; or classes.",
            )
        return
    if not classes:
        yield Finding(
            (*path, "count"),
            "the lane open tells everybody classes alone, never numbers. Add to protect: kind: classes, "
            "bounds: [10, 25, 50].",
        )
    for index, rule in enumerate(lane.count):
        if rule.period not in _LONG:
            yield Finding(
                (*path, "count", index, "period"),
                f"a table for everybody each {rule.period.replace('_', ' ')} is compared with the one before, and tells "
                "who came and left. Write term, or school_year.",
            )
