"""What one lane says and nobody would do: a second rule of a kind, and stages that its readers' form has no use for."""

import re
from collections.abc import Iterator

from gateway.rules.counts import Seal
from gateway.rules.finding import Finding, Path
from gateway.rules.masks import Circle, Delay, DensityClasses, Mesh, Zone
from gateway.rules.model import Lane

_LISTS = ("suppress", "shape", "generalise", "perturb", "protect")
_NOT_SHOWN = (
    "when", "release", "agreement", "validate", "strip", "shape", "perturb", "pseudonymise", "count",
)  # fmt: skip
"""What the lane `guardian_live` has no use for at all."""
_SHOWN = {"suppress": (Circle, Zone), "generalise": (Delay,), "protect": (Seal,)}
"""What may stand in its other stages."""


def unkept(lane: Lane, path: Path) -> Iterator[Finding]:
    """Rules that the explanation would tell and no mask would keep to."""
    yield from _twice(lane, path)
    if lane.name == "guardian_live":
        yield from _not_shown(lane, path)
    else:
        yield from _unprotected(lane, path)
        if not lane.count:
            yield from _late(lane, path)
    if lane.name == "store":
        yield from _stored(lane, path)


def _twice(lane: Lane, path: Path) -> Iterator[Finding]:
    for stage in _LISTS:
        seen = set[type]()
        for index, rule in enumerate(getattr(lane, stage)):
            if type(rule) in seen:
                yield Finding(
                    (*path, stage, index),
                    f"a second {_kind(rule)} in {stage}: one alone would act, and the other promises what nobody "
                    "does. Keep the one that takes more away.",
                )
            seen.add(type(rule))
    classes = any(isinstance(rule, DensityClasses) for rule in lane.generalise)
    for index, rule in enumerate(lane.generalise):
        if isinstance(rule, Mesh) and classes:
            yield Finding(
                (*path, "generalise", index),
                "a mesh beside density_classes: a place has one cell, and the classes would choose it alone. Take "
                "one of the two out.",
            )


def _not_shown(lane: Lane, path: Path) -> Iterator[Finding]:
    named = [((*path, stage), stage) for stage in _NOT_SHOWN if getattr(lane, stage)]
    for stage, fitting in _SHOWN.items():
        named += [
            ((*path, stage, index), _kind(rule))
            for index, rule in enumerate(getattr(lane, stage))
            if not isinstance(rule, fitting)
        ]
    for where, what in named:
        yield Finding(
            where,
            f"{what} is not done for what a guardian is shown: there one circle or zone hides, delay waits, ttl ends "
            f"and a seal closes. Take {what} out.",
        )


def _unprotected(lane: Lane, path: Path) -> Iterator[Finding]:
    for index, rule in enumerate(lane.protect):
        where = (*path, "protect", index)
        if isinstance(rule, Seal):
            yield Finding(
                where,
                f"seal closes what a guardian is shown, and nobody seals {lane.name} for a guardian's device. Take it "
                "out; it is for the lane guardian_live.",
            )
        elif not lane.count:
            kind = _kind(rule)
            yield Finding(
                where,
                f"{kind} protects numbers, and {lane.name} keeps rows, to which nobody would do it. Take {kind} out; it "
                "is for a lane that counts.",
            )


def _late(lane: Lane, path: Path) -> Iterator[Finding]:
    for index, rule in enumerate(lane.generalise):
        if isinstance(rule, Delay):
            yield Finding(
                (*path, "generalise", index),
                "rows are read long after they came, so a delay hides nothing of them. Take it out; it is for the "
                "lane guardian_live.",
            )


def _stored(lane: Lane, path: Path) -> Iterator[Finding]:
    if lane.retain_us == 0:
        yield Finding(
            (*path, "retain"),
            "the lane store keeps rows, and 0 d keeps none: write days, for example 20 d, or take the lane out.",
        )
    if lane.count:
        yield Finding(
            (*path, "count"),
            "the lane store keeps rows, and would keep them beside the numbers: count in a lane of its own, for "
            "example analysis.",
        )


def _kind(rule: object) -> str:
    """A rule's kind as a file writes it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(rule).__name__).lower()
