"""Contradictions between the lanes of a rule set, and between a rule set and what lies beside it."""

from collections.abc import Iterator
from itertools import combinations

from gateway.rules.counts import Count
from gateway.rules.finding import Finding, Path
from gateway.rules.masks import Circle, Delay, Mesh, TimeFloor, Zone
from gateway.rules.model import RAM, Lane


def between_lanes(lanes: tuple[Lane, ...]) -> Iterator[Finding]:
    """Sources, names and slices."""
    yield from _sources(lanes)
    yield from _names(lanes)
    yield from _slices(lanes)
    yield from _zones(lanes)


def _sources(lanes: tuple[Lane, ...]) -> Iterator[Finding]:
    parents: dict[str, Lane] = {lane.name: lane for lane in lanes}
    for position, lane in enumerate(lanes):
        path: Path = ("lanes", position, "from")
        if lane.source == RAM:
            continue
        if _returns(lane, parents):
            yield Finding(
                path, f"{lane.name} would read itself, by way of {lane.source}. Read ram."
            )
        elif lane.source not in parents:
            yield Finding(path, f"no lane named {lane.source} here. Write ram.")
        elif lane.source != "store":
            yield Finding(
                path,
                f"{lane.source} holds what only its own readers may see, and no lane reads another's raw. Read ram.",
            )
        else:
            for parent in (one for one in lanes if one.name == lane.source):
                yield from _looser(lane, parent, path[:-1])


def _returns(lane: Lane, parents: dict[str, Lane]) -> bool:
    seen, source = set[str](), lane.source
    while source in parents and source not in seen:
        if source == lane.name:
            return True
        seen.add(source)
        source = parents[source].source
    return source == lane.name


def _looser(lane: Lane, parent: Lane, path: Path) -> Iterator[Finding]:
    name = parent.name
    if not lane.count and (lane.retain_us or 0) > (parent.retain_us or 0):
        yield Finding(
            (*path, "retain"),
            f"rows read from {name} would outlive it: keep them no longer than {name} does.",
        )
    if lane.pseudonymise is not None and parent.pseudonymise is None:
        yield Finding(
            (*path, "pseudonymise"), f"{name} keeps no pseudonym, so there is none here: take it out."
        )  # fmt: skip
    for index, rule in enumerate(lane.generalise):
        if isinstance(rule, (Mesh, TimeFloor, Delay)) and _size(rule) < max(
            (_size(one) for one in parent.generalise if type(one) is type(rule)), default=0
        ):
            yield Finding(
                (*path, "generalise", index),
                f"finer than {name}, which it reads: a lane never shows more than its source. Write what {name} has, "
                "or coarser.",
            )
    for index, hidden in enumerate(lane.suppress):
        if isinstance(hidden, (Circle, Zone)) and any(
            hidden.buffer_m < one.buffer_m or _radius(hidden) < _radius(one)
            for one in parent.suppress
            if isinstance(one, (Circle, Zone)) and type(one) is type(hidden)
        ):
            yield Finding(
                (*path, "suppress", index),
                f"hides less than {name}, which it reads: a lane never shows more than its source. Take the rule out; "
                f"that of {name} has acted already.",
            )


def _size(rule: Mesh | TimeFloor | Delay) -> int:
    if isinstance(rule, Mesh):
        return rule.cell_m
    return rule.step_us if isinstance(rule, TimeFloor) else rule.least_us


def _radius(rule: Circle | Zone) -> float:
    return rule.radius_m if isinstance(rule, Circle) else 0.0


def _names(lanes: tuple[Lane, ...]) -> Iterator[Finding]:
    seen = set[str]()
    for position, lane in enumerate(lanes):
        if lane.name in seen:
            yield Finding(
                ("lanes", position, "name"),
                "one gateway keeps one lane store: give the other town its own gateway and rule set."
                if lane.name == "store"
                else f"a second lane {lane.name}: nobody could tell whose rows or numbers are whose. Leave one out, or "
                "count both in one lane.",
            )
        seen.add(lane.name)


def _slices(lanes: tuple[Lane, ...]) -> Iterator[Finding]:
    counts = [
        (("lanes", position, "count", index), lane, rule)
        for position, lane in enumerate(lanes)
        for index, rule in enumerate(lane.count)
    ]
    for (_, lane, one), (path, other, two) in combinations(counts, 2):
        if _ground(one) != _ground(two):
            continue
        between = (not lane.when or not other.when) and one.distinct == two.distinct
        if lane is other or between:
            both = one.unit if one.unit == two.unit else f"the ground of {one.unit} and {two.unit}"
            yield Finding(
                path,
                f"{both} is counted twice, and the difference of two tables names people. Keep one count of "
                "it, with the slices that are needed.",
            )


def _ground(rule: Count) -> str:
    """What a unit is a part of: cells of one size lie in those of another."""
    return "mesh" if rule.unit.startswith("mesh") else rule.unit


def _zones(lanes: tuple[Lane, ...]) -> Iterator[Finding]:
    """Where `store` stands on zones a home is its zone, for every lane."""
    known = {zone.partition for lane in lanes if lane.name == "store" for zone in _zoned(lane)}
    for position, lane in enumerate(lanes):
        if lane.name != "guardian_live" or not known:
            continue
        if known.isdisjoint(zone.partition for zone in _zoned(lane)):
            yield Finding(
                ("lanes", position),
                f"the lane store forgets homes and knows zones of {min(known)} alone, so nobody could be shown here. "
                "Hide by the zone of store, not by another or a circle.",
            )


def _zoned(lane: Lane) -> list[Zone]:
    return [rule for rule in lane.suppress if isinstance(rule, Zone)]
