"""The rules that a mask acts by, compiled; made of a rule set in `gateway/settings/rules.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from gateway.model.instant import MINUTE, Instant
from gateway.privacy.mesh import Mesh
from gateway.privacy.partition import Partition

_WEEKLY_FROM_DAYS = 28
FLOOR_M = 50.0
"""The circle round home under rules that say no other, for whoever is counted."""
EVERY_FIELD = frozenset({"place", "cell", "battery_class", "pseudonym", "leg_class"})
"""What a child's row may hold beside its time and its identity."""


@dataclass(frozen=True, slots=True)
class Zoned:
    """What hides, where it is no circle round a home.

    Attributes:
        partition: zones of the public mesh.
        pin: hex SHA-256 of its file; homes that were turned into zones remember by which.
    """

    partition: Partition
    pin: str


@dataclass(frozen=True, slots=True)
class Staying:
    """Where a tracker stays for `least` microseconds, nothing within `radius_m` is kept."""

    least: Instant
    radius_m: float


@dataclass(frozen=True, slots=True)
class Believed:
    """Which fixes are believed at all; None sets no limit.

    Attributes:
        age: microseconds between observation and arrival.
        speed_m_s: way from the fix before, whatever became of that one.
    """

    age: Instant | None = None
    speed_m_s: float | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """Planar Laplace noise: its mean in metres, and the epoch for which a draw is remembered."""

    mean_m: float
    epoch: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a fix is kept.

    Attributes:
        fields: of `EVERY_FIELD`, those that a row may hold.
        cells: the mesh whose cell stands in the place of a place; None keeps places.
        dense: instead of one mesh: from so many dwellings a square kilometre on, this mesh; the densest first.
            Thinner than all, or in no zone: nothing is kept.
        step: microseconds of a time bin.
        noise: moves places; None leaves them.
        daily: whether a pseudonym lasts a day, not a file.
        run: the least number of fixes that are kept together.
    """

    fields: frozenset[str] = EVERY_FIELD
    cells: Mesh | None = None
    dense: tuple[tuple[int, Mesh], ...] = ()
    step: Instant = MINUTE
    noise: Noise | None = None
    daily: bool = False
    run: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force. Lengths in metres.

    Attributes:
        ruleset: hex SHA-256 of the canonical rules, the service area and the time zone.
        generation: 1 for the first rule set a state directory ever used, then 2, 3 …
        rules_since: nothing observed before this moment may be stored under these rules.
        in_area: whether (lat, lon) lies in the service area.
        zone: local time zone of periods and service days.
        retain_days: how long a row may stay; under 28, files are cut by day instead of ISO week.
        service_day_starts_h: local hour at which a service day begins.
        home_radius_m: nothing within, where no zone hides.
        zoned: the zones that hide; None where a circle does.
        epoch: what zones are frozen for; None where none hide.
        buffer_m: of a circle: how much farther out it reopens. Of a zone: how far round it nothing is kept.
        reopen_far_m: reopens without a way where so many fixes lie so much farther out; None never does.
        density_from, density_below: dwellings a square kilometre of the household's zone where rows are kept.
        keeps_ways, keeps_reads: whether rows of children, and of tags, are kept at all.
        live: what guardians are shown of their own children; None shows nothing.
    """

    ruleset: str
    in_area: Callable[[float, float], bool]
    generation: int = 1
    rules_since: Instant = 0
    zone: tzinfo = UTC
    retain_days: int = 28
    service_day_starts_h: int = 3
    home_radius_m: float = FLOOR_M
    zoned: Zoned | None = None
    epoch: str | None = None
    default_accuracy_m: float = 10.0
    accuracy_limit_m: float = 50.0
    buffer_m: float = 20.0
    reopen_fixes: int = 3
    reopen_net_m: float = 150.0
    reopen_far_m: float | None = 300.0
    gap_minutes: float = 30.0
    believed: Believed = Believed()
    staying: Staying | None = None
    shape: Shape = Shape()
    density_from: int | None = None
    density_below: int | None = None
    keeps_ways: bool = True
    keeps_reads: bool = True
    live: "Live | None" = None

    @property
    def frozen(self) -> frozenset[tuple[str, str]]:
        """(partition, pin) of all zones that hide anything, of rows and of what is shown live."""
        lanes = (self, *(() if self.live is None else (self.live.policy,)))
        return frozenset((one.zoned.partition.id, one.zoned.pin) for one in lanes if one.zoned)

    @property
    def weekly(self) -> bool:
        """Whether files hold an ISO week each; else a day."""
        return self.retain_days >= _WEEKLY_FROM_DAYS


@dataclass(frozen=True, slots=True)
class Live:
    """The lane `guardian_live`.

    Attributes:
        policy: its guard's numbers.
        ttl: how long a place is shown, in µs.
        delay: nothing is shown before it is so old, in µs.
    """

    policy: Policy
    ttl: Instant
    delay: Instant
