"""Rules that take away from one child's fixes: what is not looked at, hidden, made coarse or renamed.

Lengths in metres, times in microseconds, speeds in metres a second.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Validate:
    """Which fixes are not believed. Not finite, (0, 0), and outside the service area never are; None sets no limit."""

    accuracy_m: float | None = None
    age_us: int | None = None
    speed_m_s: float | None = None


@dataclass(frozen=True, slots=True)
class Strip:
    """The only fields that may go on; every other is dropped before anything is written."""

    allow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reopen:
    """When a closed tracker opens again: so many good fixes beyond the buffer, and either `net_m` of way
    between first and last or, where it is set, all of them `far_m` farther out.
    """

    fixes: int
    net_m: float
    far_m: float | None


@dataclass(frozen=True, slots=True)
class Circle:
    """Nothing within a radius of home. `label` is what may be said instead of a place."""

    radius_m: float
    buffer_m: float
    accuracy_limit_m: float
    default_accuracy_m: float
    reopen: Reopen
    gap_us: int
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """Nothing within `buffer_m` of the zone of a public partition in which the household lives.

    Attributes:
        partition: its name.
        pin: hex SHA-256 of its file, the last line left out: that line names it.
        buffer_m: how far round the zone nothing is published.
        accuracy_limit_m: fixes that know less than this are not used.
        default_accuracy_m: where the device does not say.
        reopen: when a closed tracker opens again.
        gap_us: silence after which a tracker counts as being in its zone.
        label: what may be said instead of a place.

    A household in no zone has nothing published at all.
    """

    partition: str
    pin: str
    buffer_m: float
    accuracy_limit_m: float
    default_accuracy_m: float
    reopen: Reopen
    gap_us: int
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """Nothing within `radius_m` of where a tracker stayed for `least_us`: grandparents, a clinic."""

    least_us: int
    radius_m: float


Suppress: TypeAlias = Circle | Zone | Stay


@dataclass(frozen=True, slots=True)
class MinVisibleFixes:
    """A run of fewer published fixes than `n` is not published at all."""

    n: int


@dataclass(frozen=True, slots=True)
class Mesh:
    """A place becomes its JIS X 0410 cell of about this many metres (1000, 500, 250 or 125)."""

    cell_m: int


@dataclass(frozen=True, slots=True)
class TimeFloor:
    """A time becomes the beginning of its step."""

    step_us: int


@dataclass(frozen=True, slots=True)
class DensityClass:
    """From so many dwellings a square kilometre on, a cell of about this many metres."""

    from_per_km2: int
    cell_m: int


@dataclass(frozen=True, slots=True)
class DensityClasses:
    """The size of the cell by how densely people live, by the public partition. Thinner than all classes: nothing."""

    classes: tuple[DensityClass, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """Nothing is shown before it is this old."""

    least_us: int


Generalise: TypeAlias = Mesh | TimeFloor | DensityClasses | Delay


@dataclass(frozen=True, slots=True)
class Laplace:
    """A place moves by planar Laplace noise of this mean. One draw for each household and cell of 125 m, remembered
    for as long as `memo` says: None is fresh noise, which is averaged away, and refused.
    """

    mean_m: float
    memo: Literal["epoch"] | None


@dataclass(frozen=True, slots=True)
class Pseudonymise:
    """Rows of one child share a keyed name, for one file or one day."""

    period: Literal["file", "day"]
