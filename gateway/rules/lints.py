"""Contradictions in a rule set: all of them, and those within one lane here. Each has a file in `tests/golden/rules/`."""

from collections.abc import Iterator
from itertools import pairwise

from gateway.rules.counts import Seal
from gateway.rules.finding import Finding, Path
from gateway.rules.lint_counting import audience, counting
from gateway.rules.lint_guards import guards
from gateway.rules.lint_lanes import between_lanes
from gateway.rules.lint_numbers import numbers
from gateway.rules.lint_partitions import Pins, pinned
from gateway.rules.lint_rows import rows
from gateway.rules.lint_stages import unkept
from gateway.rules.masks import Circle, Delay, Zone
from gateway.rules.model import RAM, STAGES, Lane, RuleSet

_LEAST_REVIEW = 2
_DAY_US = 86_400_000_000


def findings(rules: RuleSet, pins: Pins, *, invented: bool) -> Iterator[Finding]:
    """Every contradiction. `invented`: whether the rules are for a directory of invented people."""
    if rules.explain == "full" and not invented:
        yield Finding(
            ("explain",),
            "full tells distances and zones of whoever is asked about, and that is for invented people only. Write "
            "reasons, or use it with a SIM directory (checked alone: --simulator).",
        )
    for position, lane in enumerate(rules.lanes):
        path: Path = ("lanes", position)
        yield from guards(lane, path)
        yield from _masks(lane, path)
        if lane.perturb and rules.epoch is None:
            yield Finding(
                (*path, "perturb"), "noise is remembered for an epoch: say which above lanes, for example epoch: school-2026."
            )  # fmt: skip
        yield from _time(lane, path)
        yield from unkept(lane, path)
        yield from rows(lane, path)
        yield from counting(lane, path)
        yield from numbers(lane, path)
        yield from audience(lane, path)
        yield from _duties(lane, path)
    if rules.epoch is not None and not any(_frozen(lane) for lane in rules.lanes):
        yield Finding(
            ("epoch",), "nothing here is frozen for it: neither zones nor noise. Take epoch out."
        )
    yield from between_lanes(rules.lanes)
    yield from pinned(rules, pins)


def _frozen(lane: Lane) -> bool:
    return bool(lane.perturb) or any(isinstance(rule, Zone) for rule in lane.suppress)


def _masks(lane: Lane, path: Path) -> Iterator[Finding]:
    zone = any(isinstance(rule, Zone) for rule in lane.suppress)
    for index, rule in enumerate(lane.suppress):
        if isinstance(rule, Circle) and zone:
            yield Finding(
                (*path, "suppress", index, "radius"),
                "a radius round home under a zone rule: its edge tells homes of one zone apart. Take the circle out; "
                "the zone with its buffer hides more.",
            )
    for index, noise in enumerate(lane.perturb):
        if noise.memo is None:
            yield Finding(
                (*path, "perturb", index),
                "fresh noise for every fix is averaged away in a few weeks. Write memo: epoch, so that each place "
                "keeps its one draw.",
            )
    if lane.pseudonymise is not None and lane.count:
        yield Finding(
            (*path, "pseudonymise"),
            "a lane that counts keeps no names: a pseudonym beside the numbers tells who is in them. Take it out; "
            "distinct counts each once without it.",
        )


def _time(lane: Lane, path: Path) -> Iterator[Finding]:
    if lane.retain_us is None and not lane.count:
        yield Finding(
            (*path, "retain"), "rows of people do not stay for ever: write days, for example 20 d."
        )
    if lane.audit is not None and lane.write.form != "rows":
        yield Finding(
            (*path, "audit"),
            f"an audit attacks rows, and {lane.name} keeps none. Take audit out.",
        )
    elif lane.audit is not None:
        days = None if lane.retain_us is None else lane.retain_us // _DAY_US
        if days is None or days > lane.audit.days:
            stay = "for ever" if days is None else f"{days} d"
            yield Finding(
                (*path, "audit", "days"),
                f"rows stay {stay}, and the audit gives the attacker only {lane.audit.days} days of them. "
                "Raise days to retain, or keep less.",
            )


def _duties(lane: Lane, path: Path) -> Iterator[Finding]:
    """What some lanes must have, because of who reads them."""
    name = lane.name
    if name == "guardian_live":
        yield from _shown(lane, path)
    if name in ("analysis", "open", "ridership", "research") and not lane.count:
        yield Finding(path, f"the lane {name} holds numbers alone: say what it counts (count).")
    if name in ("analysis", "open", "research") and lane.count and lane.release is None:
        yield Finding(
            path, "release is missing: ledger: true, review: 2, re_release: never. Two releases of one period give people away."
        )  # fmt: skip
    if name == "open" and lane.release is not None and lane.release.review < _LEAST_REVIEW:
        yield Finding(
            (*path, "release", "review"), "two people look before anything becomes public: write review: 2."
        )  # fmt: skip
    if name == "research" and lane.agreement is None:
        yield Finding(
            path,
            "agreement is missing: a researcher's lane names recipient, reference, ends, secondary_use: none, "
            "deletion_receipt: true.",
        )


def _shown(lane: Lane, path: Path) -> Iterator[Finding]:
    """What a guardian is shown."""
    if lane.retain_us != 0 or lane.source != RAM:
        yield Finding(
            (*path, "retain"), "what a guardian is shown is in memory alone: write retain: 0 d and from: ram."
        )  # fmt: skip
    if lane.audience != "guardian:own":
        yield Finding(
            (*path, "audience"), "a child's place is shown to its own guardian alone: write guardian:own."
        )  # fmt: skip
    if not any(isinstance(rule, (Circle, Zone)) for rule in lane.suppress):
        yield Finding(
            path,
            "a guardian would be shown the way to the door, also where an address is protected. Add to suppress the "
            "zone of store, or a circle of 50 m.",
        )
    for index, rule in enumerate(lane.suppress):
        if isinstance(rule, Circle | Zone) and rule.label is None:
            yield Finding(
                (*path, "suppress", index),
                'a guardian is told "near home" instead of a place, and nothing here says so. Add label: near-home.',
            )
    if lane.ttl_us is None:
        yield Finding(
            path, "ttl is missing: say how long a place may be shown, for example ttl: 2 min."
        )
    else:
        yield from _never_shown(lane, lane.ttl_us, path)
    if not any(isinstance(rule, Seal) for rule in lane.protect):
        yield Finding(
            path, "what a guardian is shown is sealed. Add to protect: kind: seal, to: guardian_device."
        )  # fmt: skip


def _never_shown(lane: Lane, ttl_us: int, path: Path) -> Iterator[Finding]:
    for index, rule in enumerate(lane.generalise):
        if isinstance(rule, Delay) and rule.least_us >= ttl_us:
            yield Finding(
                (*path, "generalise", index),
                "a place would be too old to be shown (ttl) before it is old enough, so nothing would ever be. Let "
                "at_least be less than ttl.",
            )


def misplaced(names: list[str]) -> Iterator[tuple[str, str]]:
    """Stages that a lane writes in another order than they act: (the one too early, the one that acts before it)."""
    order = [name for name in names if name in STAGES]
    for one, two in pairwise(order):
        if STAGES.index(one) > STAGES.index(two):
            yield one, two
