"""The rules that the oracle judges by, as plain data: whoever asks it says what was in force."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.model.instant import MINUTE, Instant
from simulators.oracle_mesh import Zones

ALL_FIELDS = frozenset({"place", "cell", "battery_class", "pseudonym", "leg_class"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What docs/mask.md names; the defaults are those of a circle. Lengths in metres, times in µs.

    Attributes:
        in_area: whether (lat, lon) lies in the service area.
        since: nothing observed before it is stored.
        default_radius_m: home radius where the household has none of its own.
        retain_days: how long a personal file may stay.
        zones: what hides in the place of the circle.
        buffer_m: of a circle: how much farther out it reopens. Of a zone: how far round it nothing is kept.
        far_m: None never reopens by distance alone.
        speed_m_s, age: what is believed; None sets no limit.
        stay, stay_m: how long is a stay, and how near; None knows no stays.
        run: the least number of fixes that are kept together.
        fields: of `ALL_FIELDS`, what a row may have.
        cell: the level of the cells that rows say; None says places.
        dense: instead of one level: from so many dwellings a square kilometre on this level, the densest first.
        step: of a time bin.
        daily: whether a pseudonym lasts a day, not a file.
        density_from, density_below: dwellings a square kilometre of the household's zone where rows are kept.
        keeps_ways: whether rows of children are kept at all.
        reads: what becomes of tag reads: "kept", "counted" or "refused".
    """

    in_area: Callable[[float, float], bool]
    since: Instant = 0
    default_radius_m: float = 50.0
    retain_days: int = 28
    zones: Zones | None = None
    buffer_m: float = 20.0
    reopen_fixes: int = 3
    net_m: float = 150.0
    far_m: float | None = 300.0
    unsaid_m: float = 10.0
    poor_m: float = 50.0
    gap: Instant = 30 * MINUTE
    speed_m_s: float | None = None
    age: Instant | None = None
    stay: Instant | None = None
    stay_m: float = 100.0
    run: int = 1
    fields: frozenset[str] = ALL_FIELDS
    cell: str | None = None
    dense: tuple[tuple[int, str], ...] = ()
    step: Instant = MINUTE
    daily: bool = False
    density_from: int | None = None
    density_below: int | None = None
    keeps_ways: bool = True
    reads: str = "kept"

    @property
    def holds(self) -> bool:
        """Whether fixes wait for what comes after them."""
        return self.stay is not None or self.run > 1

    @property
    def says_cells(self) -> bool:
        """Whether rows say cells in the place of places."""
        return self.cell is not None or bool(self.dense)
