"""The release ledger: lines that only grow, each bound to the one before; who released, looked and took away.

    {"number", "at", "what", …facts…, "before": hash of the line before, "signature" of a reviewer's lines, "hash"}

`hash` is SHA-256 of the line's canonical JSON without it: whoever changes, removes or moves a line breaks every line
behind it, and the signatures of those (`reviewers`). A tail that was cut off shows where somebody kept the last hash, which every release prints.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from gateway.counting.reviewers import Roll, canonical, folded, signed

What: TypeAlias = Literal[
    "reviewer", "reviewer left", "release", "withheld", "review", "export", "receipt", "removed"
]
Sign: TypeAlias = Callable[[bytes], str]
"""Bytes → a reviewer's signature in hex."""
BEGINNING = "0" * 64
"""What stands before the first line."""
_SAME_GROUND = {"mesh_250": "mesh", "mesh_500": "mesh"}


class Broken(ValueError):
    """A line that does not follow from the one before; the text names it."""


def line(
    number: int,
    at: str,
    what: What,
    facts: Mapping[str, Any],
    before: str,
    sign: Sign | None = None,
) -> dict[str, Any]:
    """The next line of a ledger."""
    entry = {"number": number, "at": at, "what": what, **facts, "before": before}
    if sign is not None:
        entry["signature"] = sign(signed(entry))
    return {**entry, "hash": _hash(entry)}


def written(entry: Mapping[str, Any]) -> str:
    """A line as it stands in the file."""
    return canonical(entry) + "\n"


def read(text: str) -> list[dict[str, Any]]:
    """The lines of a file, each held against the one before.

    Raises:
        Broken: one was changed, removed or moved.
    """
    entries: list[dict[str, Any]] = []
    before = BEGINNING
    for number, one in enumerate(text.splitlines(), 1):
        try:
            entry = json.loads(one)
            good = entry["number"] == number and entry["before"] == before
            good = good and entry["hash"] == _hash({k: v for k, v in entry.items() if k != "hash"})
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise Broken(f"line {number} does not follow from the one before")
        entries.append(entry)
        before = entry["hash"]
    return entries


@dataclass(slots=True)
class Standing:
    """What a ledger says of one release.

    Attributes:
        facts: what was entered at its release, or why it was withheld.
        approved: who looked and agreed, each once.
        refused: who did not.
        unsigned: whose names stand in reviews of before reviewers signed, each as it is told: they count for nothing.
        exported: how often it was handed out.
        receipt: who has confirmed in writing that what was handed out is deleted; "" where nobody has. Nothing more is
            handed out then.
        removed: whether its time is over and its file gone.
    """

    facts: Mapping[str, Any]
    approved: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unsigned: list[str] = field(default_factory=list)
    exported: int = 0
    receipt: str = ""
    removed: bool = False

    @property
    def withheld(self) -> bool:
        """Whether nothing was released at all."""
        return bool(self.facts["what"] == "withheld")

    def may_leave(self, today: str) -> bool:
        """Whether it may be exported: as many people as its rule asks for agreed, nobody refused, and the agreement that
        it is under has neither ended nor been settled by a receipt.
        """
        over = self.withheld or self.removed or self.receipt or self.ended(today)
        return not (over or self.refused) and len(self.approved) >= self.facts["review"]

    def ended(self, today: str) -> bool:
        """Whether the agreement that it is under, if any, was over before `today` (`2027-03-31`)."""
        agreement = self.facts.get("agreement")
        return agreement is not None and agreement["ends"] < today

    def receipt_due(self, today: str) -> bool:
        """Whether a recipient must have deleted what was handed out, and has not confirmed it."""
        return self.ended(today) and self.exported > 0 and not self.receipt


def standings(entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Standing]:
    """(name of a counter, period) → what became of it, in the order of release.

    Raises:
        Broken: a line speaks of what was never released, is not signed by whom it names, or is none of ours.
    """
    found: dict[tuple[str, str], Standing] = {}
    roll = Roll()
    for entry in entries:
        try:
            if not roll.take(entry):
                raise Broken(f"line {entry['number']} is not signed by the reviewer whom it names")
            if entry["what"] in ("reviewer", "reviewer left"):
                continue
            key = entry["name"], entry["period"]
            if entry["what"] in ("release", "withheld"):
                found[key] = Standing(entry)
                continue
            standing = found[key]
        except (KeyError, TypeError):
            raise Broken(f"line {entry['number']} speaks of what was never released") from None
        if roll.is_of_before(entry):
            standing.unsigned.append(entry["by"] if entry["agrees"] else f"{entry['by']} (refused)")
        elif entry["what"] == "review":
            person = folded(entry["by"])
            if entry["agrees"]:
                standing.approved[person] = entry["by"]
            else:
                standing.refused[person] = entry["by"]
        elif entry["what"] == "receipt":
            standing.receipt = entry["by"]
        standing.exported += entry["what"] == "export"
        standing.removed |= entry["what"] == "removed"
    return found


def overlap(facts: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> str | None:
    """Why a release would tell more together with an earlier one than alone; None where it does not.

    Two tables of the same subjects over the same days in the same kind of unit can be subtracted.

    Args:
        facts: `name`, `period`, `unit`, `distinct`, `first`, `last` of what is to be released.
        others: those of what was.
    """
    for other in others:
        if (other["name"], other["period"]) == (facts["name"], facts["period"]):
            return "this period was released already"
        if (
            facts["distinct"] == other["distinct"]
            and _ground(facts["unit"]) == _ground(other["unit"])
            and facts["first"] <= other["last"]
            and other["first"] <= facts["last"]
        ):
            return f"it overlaps {other['name']} {other['period']}, and two tables of the same days can be subtracted"
    return None


def _ground(unit: str) -> str:
    return _SAME_GROUND.get(unit, unit)


def _hash(entry: Mapping[str, Any]) -> str:
    return sha256(canonical(entry).encode()).hexdigest()
