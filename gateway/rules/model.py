"""A rule set: lanes, each with what it is for and the rules between a fix and what is kept of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.rules.counts import Agreement, Audit, Count, Protect, Release
from gateway.rules.masks import (
    Generalise,
    Laplace,
    MinVisibleFixes,
    Pseudonymise,
    Strip,
    Suppress,
    Validate,
)

LaneName: TypeAlias = Literal["store", "guardian_live", "ridership", "analysis", "open", "research"]
Stage: TypeAlias = Literal[
    "validate",
    "dedupe",
    "strip",
    "suppress",
    "shape",
    "generalise",
    "perturb",
    "pseudonymise",
    "count",
    "protect",
    "write",
]
STAGES: tuple[Stage, ...] = (
    "validate",
    "dedupe",
    "strip",
    "suppress",
    "shape",
    "generalise",
    "perturb",
    "pseudonymise",
    "count",
    "protect",
    "write",
)
"""The order in which rules act, whatever the file says; each stage may only remove."""

RAM = "ram"
"""The source of a lane that reads the stream in memory; any other is the name of a lane."""


@dataclass(frozen=True, slots=True)
class When:
    """Where a lane applies, by dwellings a square kilometre of the household's zone: from (included), below (not)."""

    density_from: int | None
    density_below: int | None


@dataclass(frozen=True, slots=True)
class Write:
    """What is left at the end: `rows` (one a fix), `counts` (one a unit and slice), or `nothing` (shown and gone)."""

    form: Literal["rows", "counts", "nothing"]


Rule: TypeAlias = (
    Validate | Strip | Suppress | MinVisibleFixes | Generalise | Laplace | Pseudonymise | Count | Protect | Write
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lane:
    """One purpose, and the rules for it.

    Attributes:
        name: which lane.
        purpose: what it is for, in words for a parent.
        audience: who may read it, for example `operator`, `guardian:own`, `public`.
        legal_basis: what allows it.
        retain_us: how long anything of it may stay; 0 keeps nothing, None is for ever.
        source: `ram`, or the lane whose rows it reads.
        ttl_us: how long something shown may be shown; None where nothing is.
        when: where it applies; None is everywhere.
        audit: how it is to be tested; None for numbers and what is shown, unless the file says.
        release, agreement: None where the lane has none.

    The rest are its rules by stage; those of one stage act in the order of the file.
    """

    name: LaneName
    purpose: str
    audience: str
    legal_basis: str
    retain_us: int | None
    source: str = RAM
    ttl_us: int | None = None
    when: When | None = None
    audit: Audit | None = None
    release: Release | None = None
    agreement: Agreement | None = None
    validate: Validate | None = None
    strip: Strip | None = None
    suppress: tuple[Suppress, ...] = ()
    shape: tuple[MinVisibleFixes, ...] = ()
    generalise: tuple[Generalise, ...] = ()
    perturb: tuple[Laplace, ...] = ()
    pseudonymise: Pseudonymise | None = None
    count: tuple[Count, ...] = ()
    protect: tuple[Protect, ...] = ()

    @property
    def write(self) -> Write:
        """What the other rules leave to be written."""
        return Write("counts" if self.count else "rows" if self.retain_us != 0 else "nothing")

    def steps(self) -> Iterator[tuple[Stage, Rule | None]]:
        """The lane as it acts: every rule behind its stage; a stage without settings of its own has None."""
        for stage in STAGES:
            if stage == "dedupe":
                yield stage, None
                continue
            held = getattr(self, stage)
            for rule in held if isinstance(held, tuple) else (held,):
                if rule is not None:
                    yield stage, rule


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What one file says.

    Attributes:
        id: its name.
        schema: version of the language; 1.
        epoch: what zones are frozen for, for example a school year; None without zones.
        explain: `reasons`, or `full` with numbers, for invented people only.
        lanes: in the order of the file.
    """

    id: str
    schema: int
    epoch: str | None
    explain: Literal["reasons", "full"]
    lanes: tuple[Lane, ...]
