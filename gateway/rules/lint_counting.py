"""What a lane that counts would not be kept to, and what it could not count; and who may read a lane at all."""

import re
from collections.abc import Iterator

from gateway.rules.finding import Finding, Path
from gateway.rules.model import Lane

_OF_THE_STORE = ("validate", "strip", "suppress", "shape", "generalise", "perturb")
"""Stages that a lane which counts has none of its own of: it takes what the guard of `store` lets pass."""
_SAID_BY = {"stop": "tag", "mesh_250": "household", "mesh_500": "household", "road_edge": "household"}  # fmt: skip
"""Unit → what is seen there: readers at stops read tags, and trackers know their place."""
_EVERYBODY = {
    "public", "the public", "general public", "everybody", "everyone", "anybody", "anyone", "all", "world", "open",
    "公開", "一般", "一般公開", "公衆", "市民", "全員", "誰でも",
}  # fmt: skip


def counting(lane: Lane, path: Path) -> Iterator[Finding]:
    """A lane that counts, and what it counts."""
    if not lane.count:
        return
    if lane.name != "guardian_live":
        yield from _not_done(lane, path)
    if lane.retain_us == 0 and lane.name not in ("guardian_live", "store"):
        yield Finding(
            (*path, "retain"),
            "numbers are released, and with 0 d removed in the same moment: nobody would see one. Write days, for "
            "example 366 d, or forever.",
        )
    for index, rule in enumerate(lane.count):
        if rule.distinct != _SAID_BY[rule.unit]:
            yield Finding(
                (*path, "count", index, "distinct"),
                f"no {rule.distinct} is ever seen by {rule.unit}: readers at stops read tags, and trackers alone know "
                f"streets and cells. Write distinct: {_SAID_BY[rule.unit]}, or another unit.",
            )


def _not_done(lane: Lane, path: Path) -> Iterator[Finding]:
    """What a running gateway does not do for numbers."""
    if lane.source == "store":
        yield Finding(
            (*path, "from"), "to count rows of store is not done by a running gateway. Write from: ram."
        )  # fmt: skip
    if lane.when is not None:
        yield Finding(
            (*path, "when"),
            "to count in some places only is not done by a running gateway. Leave when out.",
        )
    if lane.ttl_us is not None:
        yield Finding(
            (*path, "ttl"),
            "numbers are not shown and gone, they are kept for retain. Take ttl out.",
        )
    for stage in _OF_THE_STORE:
        if getattr(lane, stage):
            yield Finding(
                (*path, stage),
                f"a {stage} of its own is not done by a running gateway: a lane that counts takes what the lane store "
                f"lets pass, or a circle of 50 m where there is none. Leave {stage} out.",
            )


def audience(lane: Lane, path: Path) -> Iterator[Finding]:
    """Whoever publishes goes by the rules of `open`, and what is for guardians is shown by `guardian_live`."""
    if lane.audience == "guardian:own" and lane.name != "guardian_live":
        yield Finding(
            (*path, "audience"),
            f"the lane guardian_live alone shows each guardian its own child and no other: {lane.name} is read whole. Name "
            "who reads it.",
        )
    if lane.name == "open":
        return
    named = (part.strip().casefold() for part in re.split(r"[:,;/、・]", lane.audience))
    if any(part in _EVERYBODY for part in named):
        yield Finding(
            (*path, "audience"),
            f"what everybody may read goes by the rules of the lane open: k of 10, classes, a term, and two people who "
            f"look. Name who reads {lane.name}, or make it the lane open.",
        )
