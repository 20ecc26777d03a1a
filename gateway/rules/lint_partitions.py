"""Contradictions between a rule set, the partitions it pins, what is known by them, and the rule set before it."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from gateway.rules.finding import Finding, Path
from gateway.rules.masks import DensityClasses, Zone
from gateway.rules.model import RuleSet

Pins = Callable[[str], str | None]
"""Name of a partition → hex SHA-256 of its file as it lies there, its last line left out; None where there is none."""


def pinned(rules: RuleSet, pins: Pins) -> Iterator[Finding]:
    """Zones without epoch, partitions that are missing, were edited, or change within the epoch."""
    first: dict[str, str] = {}
    zones = list(_zones(rules))
    if zones and rules.epoch is None:
        yield Finding(
            zones[0][0], "a zone is frozen for an epoch: say which above lanes, for example epoch: school-2026."
        )  # fmt: skip
    for path, zone in zones:
        if first.setdefault(zone.partition, zone.pin) != zone.pin:
            yield Finding(
                (*path, "pin"),
                f"{zone.partition} changes within the epoch: the two versions together show what each hides. Use one "
                "pin, and another epoch for another partition.",
            )
            continue
        there = pins(zone.partition)
        if there is None:
            yield Finding(
                (*path, "partition"),
                f"no partitions/{zone.partition}.yaml beside this file. Build it: sekisho privacy partition "
                "build.",
            )
        elif there != zone.pin:
            yield Finding(
                (*path, "pin"),
                f"the file of {zone.partition} is not the one that was pinned: it was edited or built anew. Bring the "
                f"old one back, or begin a new epoch with another id; its SHA-256 is {there}.",
            )
    yield from _densities(rules)
    yield from _finer(rules)


def _densities(rules: RuleSet) -> Iterator[Finding]:
    """Density is known of zones alone."""
    for position, lane in enumerate(rules.lanes):
        zone = any(isinstance(rule, Zone) for rule in lane.suppress)
        by_density = any(isinstance(rule, DensityClasses) for rule in lane.generalise)
        if (by_density or lane.when is not None) and not zone:
            where = "generalise" if by_density else "when"
            yield Finding(
                ("lanes", position, where),
                "density is known by zones of a partition alone: without a zone rule, home would decide what is shown. "
                "Add a zone rule, or take it out.",
            )


def _finer(rules: RuleSet) -> Iterator[Finding]:
    """Where fewer people live a cell has to be larger, or it says more of each of them."""
    for position, lane in enumerate(rules.lanes):
        for index, rule in enumerate(lane.generalise):
            if not isinstance(rule, DensityClasses):
                continue
            for place, (denser, thinner) in enumerate(pairwise(rule.classes), 1):
                if thinner.cell_m < denser.cell_m:
                    yield Finding(
                        ("lanes", position, "generalise", index, "classes", place, "cell"),
                        f"from {thinner.from_per_km2} dwellings/km² the cells are {thinner.cell_m} m, and finer than the "
                        f"{denser.cell_m} m from {denser.from_per_km2}: where fewer live a cell says more of each. Write a "
                        "cell as wide as that of the class before, or wider.",
                    )


def between(old: RuleSet, new: RuleSet) -> Iterator[Finding]:
    """What must not change from one rule set to the next of the same epoch."""
    before = {rule.partition: rule.pin for _path, rule in _zones(old)}
    if old.epoch != new.epoch or not before:
        return
    for path, rule in _zones(new):
        if rule.partition not in before:
            yield Finding(
                (*path, "partition"),
                f"zones stood on {', '.join(sorted(before))} when epoch {new.epoch} began, and both together show what "
                "each hides. Keep that one until the epoch ends, or begin a new epoch.",
            )
        elif before[rule.partition] != rule.pin:
            yield Finding(
                (*path, "pin"),
                f"{rule.partition} was another file when epoch {new.epoch} began. Keep that one until the epoch "
                "ends, or begin a new epoch.",
            )


def _zones(rules: RuleSet) -> Iterator[tuple[Path, Zone]]:
    for position, lane in enumerate(rules.lanes):
        for index, rule in enumerate(lane.suppress):
            if isinstance(rule, Zone):
                yield ("lanes", position, "suppress", index), rule
