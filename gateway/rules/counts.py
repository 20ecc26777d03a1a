"""Rules of lanes that hold numbers instead of ways, what protects them, and what becomes of the result."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

USUAL_CAP = 16
"""To how many units one household or tag adds in a period where the rule sets no cap; more are not counted."""
Period: TypeAlias = Literal["service_day", "week", "month", "term", "school_year"]


@dataclass(frozen=True, slots=True)
class Count:
    """How many distinct households or tags were seen in each unit during a period.

    Attributes:
        unit: what is counted in.
        distinct: what counts once.
        period: after which the count is released, once.
        slices: what each number is split by; k holds in each slice, and no total stands beside them.
        cap: to how many units one household may add in a period; None is `USUAL_CAP`.
    """

    unit: Literal["road_edge", "mesh_250", "mesh_500", "stop"]
    distinct: Literal["household", "tag"]
    period: Period
    slices: tuple[Literal["weekday_type", "hour"], ...]
    cap: int | None


@dataclass(frozen=True, slots=True)
class KSuppress:
    """A number below `k` is not shown, nor what would give it away.

    Attributes:
        k: the smallest number that may be known.
        complementary: whether others go too where one could be worked out from them.
        leaf_edges: dead ends that fewer than k households walk: `drop` or `keep`.
        one_facility: cells that one shelter, clinic or home dominates: `drop` or `keep`.
    """

    k: int
    complementary: bool
    leaf_edges: Literal["drop", "keep"]
    one_facility: Literal["drop", "keep"]


@dataclass(frozen=True, slots=True)
class Round:
    """A number becomes the nearest multiple of `base`; from `top` on it is `top`."""

    base: int
    top: int | None


@dataclass(frozen=True, slots=True)
class Classes:
    """A number becomes the class that it lies in; each bound begins one."""

    bounds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Seal:
    """What is shown is sealed to one reader's device (RFC 8291)."""

    to: Literal["guardian_device"]


Protect: TypeAlias = KSuppress | Round | Classes | Seal


@dataclass(frozen=True, slots=True)
class Release:
    """How numbers leave: entered in a ledger, seen by so many people, and never a second time."""

    review: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """With whom a researcher's lane is agreed, under which reference, until which day (`2027-03-31`).

    Another use is excluded and a receipt of deletion is due: neither can be set otherwise.
    """

    recipient: str
    reference: str
    ends: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Against how many days of an attacker's patience a lane is tested, and at which level of knowledge (L1 to L4)."""

    days: int
    level: str
    homes: int
