"""Contradictions about what rows say, in which density they are kept, and what a lane of rows has no use for."""

from collections.abc import Iterator

from gateway.rules.finding import Finding, Path
from gateway.rules.masks import Circle, DensityClasses, Mesh, Zone
from gateway.rules.model import Lane

_NOT_OF_ROWS = {
    "ttl": "rows are not shown and gone, they are kept for retain",
    "release": "rows are read, and not released",
    "agreement": "nobody holds rows to it",
}
"""What is for lanes that show or count, and what rows do instead."""


def rows(lane: Lane, path: Path) -> Iterator[Finding]:
    """What a lane of rows says of itself and nobody would do."""
    yield from _density(lane, path)
    if lane.validate is not None:
        yield from _believed(lane, path)
    if lane.count or lane.name == "guardian_live":
        return
    yield from _fields(lane, path)
    for name, instead in _NOT_OF_ROWS.items() if lane.name == "store" else ():
        if getattr(lane, "ttl_us" if name == "ttl" else name) is not None:
            yield Finding((*path, name), f"{instead}. Take {name} out.")
    for index, rule in enumerate(lane.suppress):
        if isinstance(rule, Circle | Zone) and rule.label is not None:
            yield Finding(
                (*path, "suppress", index, "label"),
                "a label is said to a guardian, and a row says none. Take it out; it is for the lane guardian_live.",
            )


def _fields(lane: Lane, path: Path) -> Iterator[Finding]:
    """Every field that strip lets go on is made, and none is made that it drops."""
    if lane.strip is None:
        return
    allow, where = lane.strip.allow, (*path, "strip", "allow")
    if "time_bin" not in allow:
        yield Finding(
            where,
            "a row without its time cannot be kept, so its time goes on whatever stands here. Add time_bin; "
            "time_floor makes it coarse.",
        )
    cells = any(isinstance(rule, Mesh | DensityClasses) for rule in lane.generalise)
    made, other = ("cell", "place") if cells else ("place", "cell")
    if other in allow:
        why = "a cell stands instead of each place" if cells else "no mesh makes cells"
        yield Finding(
            where, f"no row would have a {other}: {why}. Write {made} instead of {other}."
        )
    elif made not in allow:
        yield Finding(
            where,
            f"rows would say no place at all, and the rules about places would be for nothing. Add {made}; where no "
            "place is wanted, count.",
        )
    if lane.pseudonymise is not None and "pseudonym" not in allow:
        yield Finding(
            (*path, "pseudonymise"),
            "strip drops the name that this would give. Add pseudonym to allow, or take pseudonymise out.",
        )
    if lane.pseudonymise is None and "pseudonym" in allow:
        yield Finding(
            where, "no rule makes a pseudonym. Take it out; if it is wanted, add pseudonymise."
        )


def _density(lane: Lane, path: Path) -> Iterator[Finding]:
    when = lane.when
    if when is None:
        return
    least, below = when.density_from, when.density_below
    if least is None and below is None:
        yield Finding(
            (*path, "when"),
            "no density is named, so this limits nothing. Write density_from or density_below, or take when out.",
        )
    elif least is not None and below is not None and least >= below:
        yield Finding(
            (*path, "when"),
            f"from {least} on and below {below} there is nothing, so nothing would ever be kept. Let density_from be "
            "the smaller one.",
        )


def _believed(lane: Lane, path: Path) -> Iterator[Finding]:
    believed = lane.validate
    assert believed is not None
    if believed.accuracy_m is None and believed.age_us is None and believed.speed_m_s is None:
        yield Finding(
            (*path, "validate"),
            "no limit is named, so every fix is believed. Write accuracy, age or speed, or take validate out.",
        )
    for rule in lane.suppress:
        if (
            isinstance(rule, Circle | Zone)
            and believed.accuracy_m is not None
            and believed.accuracy_m > rule.accuracy_limit_m
        ):
            yield Finding(
                (*path, "validate", "accuracy"),
                f"accuracy_limit of what hides is {rule.accuracy_limit_m:g} m, so this refuses nothing more. Write "
                f"{rule.accuracy_limit_m:g} m or less, or take accuracy out.",
            )
