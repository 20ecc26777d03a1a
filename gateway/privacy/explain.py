"""Why something was kept or not, in words that a stranger may read: the stage, the kind of rule, and nothing measured.

Not one number of what is explained gets into these words: no place, time, distance, count, zone or cell.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.model.reason import Fate, Reason
from gateway.privacy.policy import Policy

STAGES = (
    "validate",
    "dedupe",
    "strip",
    "suppress",
    "shape",
    "generalise",
    "perturb",
    "pseudonymise",
    "write",
)
"""The stages of a lane that keeps rows, in the order in which they act (docs/privacy/rules.md)."""

_CAUSES: Mapping[str, tuple[str, str]] = {
    Fate.DUPLICATE: ("dedupe", "seen before"),
    Fate.HELD: ("shape", "waits in memory"),
    Fate.COUNTED: ("write", "counted, and not kept"),
    Reason.NO_FIX: ("validate", "no position"),
    Reason.FAULT: ("validate", "a fault: the mask failed closed"),
    Reason.ZERO_ZERO: ("validate", "no believable position"),
    Reason.OUTSIDE_AREA: ("validate", "outside the service area"),
    Reason.POOR_ACCURACY: ("validate", "not exact enough to judge"),
    Reason.TOO_FAST: ("validate", "not believed"),
    Reason.TOO_OLD: ("validate", "too old"),
    Reason.LATE: ("validate", "too late"),
    Reason.RULES_CHANGED: ("validate", "observed under other rules"),
    Reason.SIMULATED: ("validate", "invented by a server"),
    Reason.NO_CONSENT: ("validate", "nobody agreed"),
    Reason.ERASED: ("validate", "nobody agreed"),
    Reason.NO_HOME: ("validate", "nothing known that could be hidden"),
    Reason.UNKNOWN_CRS: ("validate", "nothing known that could be hidden"),
    Reason.NO_ZONE: ("validate", "nothing known that could be hidden"),
    Reason.NO_LANE: ("validate", "no lane takes it"),
    Reason.KEY_GONE: ("pseudonymise", "its day is over"),
    Reason.INSIDE_HOME: ("suppress", "a protected area"),
    Reason.INSIDE_ZONE: ("suppress", "a protected area"),
    Reason.NOT_REOPENED: ("suppress", "not yet clear of a protected area"),
    Reason.STAYING: ("suppress", "a place where it stayed"),
    Reason.SHORT_RUN: ("shape", "too little to be kept by itself"),
    Reason.FORGOTTEN: ("shape", "never cleared"),
    Reason.SPARSE: ("generalise", "too few people live there"),
}
"""What the mask may answer → the stage that decided, and the class of its reason."""


class Explanation(NamedTuple):
    """One decision.

    Attributes:
        decision: `KEEP`, `HOLD` or `SUPPRESS`.
        stage: that decided; of what is kept the last.
        rule: the kind of rule there; "" where none is named.
        reason: a class of reasons.
        not_reached: the stages behind it.
    """

    decision: str
    stage: str
    rule: str
    reason: str
    not_reached: tuple[str, ...]


def explained(end: str | None, policy: Policy) -> Explanation:
    """What one end of a fix means; None is a row.

    Raises:
        ValueError: nothing that the mask answers.
    """
    if end is None:
        return Explanation("KEEP", "write", "", "clear of every rule", ())
    try:
        stage, reason = _CAUSES[end]
    except KeyError:
        raise ValueError("no answer of the mask's") from None
    behind = STAGES[STAGES.index(stage) + 1 :]
    decision = "HOLD" if end == Fate.HELD else "SUPPRESS"
    return Explanation(decision, stage, _rule(end, policy), reason, behind)


def _rule(end: str, policy: Policy) -> str:
    """The kind of rule that decided, as rule sets name it."""
    if end in {Reason.INSIDE_HOME, Reason.INSIDE_ZONE, Reason.NOT_REOPENED}:
        return "circle" if policy.zoned is None else "zone"
    if end == Fate.HELD:
        return "stay" if policy.staying else "min_visible_fixes"
    return _RULES.get(end, "")


_RULES: Mapping[str, str] = {
    Reason.STAYING: "stay",
    Reason.SHORT_RUN: "min_visible_fixes",
    Reason.SPARSE: "density_classes",
    Reason.TOO_FAST: "speed",
    Reason.TOO_OLD: "age",
    Reason.POOR_ACCURACY: "accuracy",
}
