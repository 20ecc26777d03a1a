"""What the mask says of an uplink, also where it decides about those that were held before it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.model.observation import Observation
from gateway.model.reason import Fate, Reason
from gateway.privacy.trip import Fix, Step


class Turn(NamedTuple):
    """An uplink that decided about others, too: those of its device that were held.

    Attributes:
        own: what becomes of the uplink itself; no rows: those are among `kept`.
        kept: origin and row of each that may be kept now; the uplink's own, where it is kept, is the last.
        gone: origin and end of each that was held and is not kept.
    """

    own: Reason | Fate
    kept: Sequence[tuple[str, Observation]]
    gone: Sequence[tuple[str, Reason | Fate]]


Masked = list[Observation] | Reason | Fate | Turn
"""Rows to keep (none for a sign of life: it counts as COUNTED), why none, or what else."""


def ends(gone: Iterable[tuple[Fix, Reason]]) -> list[tuple[str, Reason | Fate]]:
    """Origin and end of fixes that are not kept; one that a lane counted is counted."""
    return [(fix.origin, Fate.COUNTED if fix.counted else why) for fix, why in gone]


def turn(own: Reason | Fate, step: Step) -> Masked:
    """The word about an uplink, and the ends of those held that went with it."""
    return Turn(own, [], ends(step.gone)) if step.gone else own
