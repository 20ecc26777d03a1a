"""Steps that each may find a fault: run in order, up to the first one, and shown as a list of ticks."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.model.errors import Refusal

GOOD, FAULT, NOTE = "good", "fault", "note"
_SIGN = {GOOD: "✓", FAULT: "✗", NOTE: "·"}


class Finding(NamedTuple):
    """What one step found.

    Attributes:
        step: its name, a word or two.
        result: `GOOD`, `FAULT`, or `NOTE` where it cannot be told and the next step may go on.
        said: what is so.
        remedy: what to do about it; "" where nothing is needed.
    """

    step: str
    result: str
    said: str
    remedy: str = ""


class Step(NamedTuple):
    """One thing to look at.

    Attributes:
        name: what it is called where it was not reached.
        look: finds; None where there is nothing to look at.
    """

    name: str
    look: Callable[[], Finding | None]


class Examination(NamedTuple):
    """The findings up to the first fault, and the names of the steps behind it."""

    findings: list[Finding]
    not_reached: list[str]

    @property
    def fault(self) -> Finding | None:
        """The first fault, if there is one: it is always the last finding."""
        last = self.findings[-1] if self.findings else None
        return last if last is not None and last.result == FAULT else None


def examine(steps: Iterable[Step]) -> Examination:
    """Look at one thing after another, up to the first fault; a step that is refused has found one."""
    findings: list[Finding] = []
    left = list(steps)
    while left:
        step = left.pop(0)
        try:
            found = step.look()
        except Refusal as refusal:
            found = Finding(step.name, FAULT, str(refusal))
        if found is None:
            continue
        findings.append(found)
        if found.result == FAULT:
            break
    return Examination(findings, [step.name for step in left])


def show(examination: Examination) -> None:
    """Print the ticks, the fault with its remedy, and what was not reached."""
    for finding in examination.findings:
        print(f" {_SIGN[finding.result]} {finding.step:<14} {finding.said}")
        if finding.remedy:
            print(f"   {'→':>14} {finding.remedy}")
    if examination.not_reached:
        print(f"   not reached: {', '.join(examination.not_reached)}")


def as_json(examination: Examination) -> dict[str, object]:
    """The same for scripts."""
    return {
        "ok": examination.fault is None,
        "findings": [finding._asdict() for finding in examination.findings],
        "not_reached": examination.not_reached,
    }
