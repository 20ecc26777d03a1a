"""A rule set's lanes as they are written: what each is for, its numbers and how they leave."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from gateway.settings.forms import Name, Strict, fault
from gateway.settings.rule_forms import Day, Retain, Words, duration
from gateway.settings.rule_schema import (
    GeneraliseFile,
    LaplaceFile,
    MinVisibleFixesFile,
    PseudonymiseFile,
    StripFile,
    SuppressFile,
    ValidateFile,
    says,
)


class CountFile(Strict):
    """How many were seen, each once in a unit and period. Nothing of one alone is kept."""

    unit: Annotated[
        Literal["road_edge", "mesh_250", "mesh_500", "stop"], says("what is counted in")
    ]
    distinct: Annotated[Literal["household", "tag"], says("what counts once")]
    period: Annotated[
        Literal["service_day", "week", "month", "term", "school_year"],
        says("after which the numbers are released, once"),
    ]
    slices: Annotated[
        list[Literal["weekday_type", "hour"]],
        says("what each number is split by; no totals stand beside them"),
    ] = Field(default_factory=list)
    cap: Annotated[
        int | None,
        says(
            "to how many units one household or tag may add in a period; without it 16",
            ge=1,
            le=1000,
        ),
    ] = None


class KSuppressFile(Strict):
    """Small numbers are not shown, nor what would give them away."""

    kind: Literal["k_suppress"]
    k: Annotated[int, says("the smallest number that may be known", ge=2, le=1000)]
    complementary: Annotated[bool, says("hide others where one could be worked out from them")] = (
        True
    )
    leaf_edges: Annotated[
        Literal["drop", "keep"], says("dead ends that fewer than k households walk")
    ] = "drop"
    one_facility: Annotated[
        Literal["drop", "keep"], says("cells that one shelter, clinic or home dominates")
    ] = "drop"


class RoundFile(Strict):
    """Numbers become multiples of a base."""

    kind: Literal["round"]
    base: Annotated[int, says("the nearest multiple of this, 5 or more", ge=2, le=1000)]
    top: Annotated[int | None, says("the largest number that is told", ge=2)] = None


def _rising(given: list[int]) -> list[int]:
    if given != sorted(set(given)):
        raise fault("each bound is larger than the one before it.")
    return given


class ClassesFile(Strict):
    """Numbers become classes."""

    kind: Literal["classes"]
    bounds: Annotated[
        list[int],
        AfterValidator(_rising),
        says(
            "where each class begins, the smallest first, k or more apart",
            min_length=1,
            max_length=20,
        ),
    ]


class SealFile(Strict):
    """What is shown is sealed to one reader's device, as web push needs it."""

    kind: Literal["seal"]
    to: Annotated[Literal["guardian_device"], says("whose key")]


ProtectFile: TypeAlias = Annotated[
    KSuppressFile | RoundFile | ClassesFile | SealFile, Field(discriminator="kind")
]


class ReleaseFile(Strict):
    """How numbers leave."""

    ledger: Annotated[Literal[True], says("every release is entered, against differences")]
    review: Annotated[int, says("how many people look before it is released", ge=0, le=9)]
    re_release: Annotated[Literal["never"], says("a closed period is never released again")]


class AgreementFile(Strict):
    """What a researcher signed."""

    recipient: Annotated[Words, says("who")]
    reference: Annotated[Words, says("where the agreement lies")]
    ends: Annotated[Day, says("its last day")]
    secondary_use: Annotated[Literal["none"], says("no other use")]
    deletion_receipt: Annotated[Literal[True], says("a receipt is due at the end")]


class AuditFile(Strict):
    """Against how patient and how well-informed an attacker the lane is tested."""

    days: Annotated[int, says("days of rows that the attacker has", ge=1, le=3660)] = 40
    level: Annotated[
        Literal["L1", "L2", "L3", "L4"], says("what the attacker knows: rows, map, rules, disk")
    ] = "L3"
    homes: Annotated[int, says("homes that are attacked", ge=1, le=10_000)] = 200
    require: Annotated[Literal["HOLDS"], says("the verdict that is needed")] = "HOLDS"


class WhenFile(Strict):
    """Where a lane applies, by dwellings a square kilometre of the household's zone."""

    density_from: Annotated[int | None, says("from so many on", ge=1)] = None
    density_below: Annotated[int | None, says("below so many", ge=1)] = None


class RuleLaneFile(Strict):
    """One purpose: what it is for, who reads it, how long it stays, and its rules."""

    name: Annotated[
        Literal["store", "guardian_live", "ridership", "analysis", "open", "research"],
        says("which lane"),
    ]
    purpose: Annotated[Words, says("what it is for, as a parent is told")]
    audience: Annotated[Words, says("who may read it")]
    legal_basis: Annotated[Words, says("what allows it")]
    retain: Annotated[Retain, says("how long anything may stay; `0 d` keeps nothing")]
    source: Annotated[Name, says("`ram`, or the lane whose rows it reads"), Field(alias="from")] = (
        "ram"
    )
    ttl_us: Annotated[
        int | None, duration("10 s", "24 h"), says("how long it may be shown"), Field(alias="ttl")
    ] = None
    when: Annotated[WhenFile | None, says("where it applies")] = None
    audit: Annotated[
        AuditFile | None, says("how it is tested; rows are, without it, for as long as they stay")
    ] = None
    release: Annotated[ReleaseFile | None, says("how its numbers leave")] = None
    agreement: Annotated[AgreementFile | None, says("what a researcher signed")] = None
    validate_: Annotated[
        ValidateFile | None, says("fixes that are not believed"), Field(alias="validate")
    ] = None
    strip: Annotated[StripFile | None, says("what may go on")] = None
    suppress: Annotated[list[SuppressFile], says("what is hidden")] = Field(default_factory=list)
    shape: Annotated[list[MinVisibleFixesFile], says("which runs are shown")] = Field(
        default_factory=list
    )
    generalise: Annotated[list[GeneraliseFile], says("what is made coarse")] = Field(
        default_factory=list
    )
    perturb: Annotated[list[LaplaceFile], says("what is moved")] = Field(default_factory=list)
    pseudonymise: Annotated[PseudonymiseFile | None, says("what rows share")] = None
    count: Annotated[list[CountFile], says("what is counted instead of kept")] = Field(
        default_factory=list
    )
    protect: Annotated[list[ProtectFile], says("what protects the numbers")] = Field(
        default_factory=list
    )


class RuleSetFile(Strict):
    """A rule set."""

    schema_: Annotated[Literal[1], says("the version of this language"), Field(alias="schema")]
    id: Annotated[Name, says("its name")]
    epoch: Annotated[Name | None, says("what zones are frozen for, a school year")] = None
    explain: Annotated[
        Literal["reasons", "full"],
        says("`full` lets `privacy explain --numbers` tell numbers: SIM directories only"),
    ] = "reasons"
    lanes: Annotated[list[RuleLaneFile], says("one for each purpose", min_length=1)]
