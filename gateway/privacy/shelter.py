"""What hides a household: a circle round its home, or its zone of a public partition; of one that moved, both homes.

Both answer one question of a place, how far out it is, in four rings. A zone's answer is a function of the zone
alone: two homes of one zone cannot be told apart by it.
"""

from collections.abc import Sequence
from typing import Protocol

from gateway.model.device import Household
from gateway.model.reason import Reason
from gateway.privacy.distance import Plane
from gateway.privacy.mesh import Mesh
from gateway.privacy.partition import Partition, Shield
from gateway.privacy.policy import Policy, Zoned

HIDDEN, NEAR, BEYOND, FAR = range(4)
"""Not provably outside · outside, but too near to reopen · far enough to reopen by a way · by so many fixes alone."""

_CRS = "EPSG:4326"
_FORMULA_M = 1.0  # what `Plane` may be wrong by, with room to spare


class Shelter(Protocol):
    """What hides one household. Every doubt hides: NaN does."""

    def ring(self, lat: float, lon: float, accuracy_m: float) -> int:
        """In which ring a fix lies.

        Raises:
            ValueError: an accuracy that is none.
        """
        ...

    def hides(self, lat: float, lon: float, accuracy_m: float) -> bool:
        """Whether the place that a row would say must not be said."""
        ...

    def hides_cell(self, mesh: Mesh, cell: int) -> bool:
        """Whether the cell that a row would say must not be said, because part of it is hidden."""
        ...


class CircleShelter:
    """A circle round a home; it grows with what a fix does not know."""

    __slots__ = ("_buffer_m", "_far_m", "_plane", "_radius_m")

    def __init__(self, policy: Policy, lat: float, lon: float, own_radius_m: float | None) -> None:
        """Draw it.

        Raises:
            ValueError: a home or a radius no circle can be drawn with.
        """
        self._radius_m = policy.home_radius_m
        if own_radius_m is not None:
            if not own_radius_m >= 0.0:
                raise ValueError("a radius below zero")
            self._radius_m = max(self._radius_m, own_radius_m)
        self._plane = Plane(lat, lon)
        self._buffer_m = policy.buffer_m
        self._far_m = policy.reopen_far_m

    def __repr__(self) -> str:
        return "<circle>"

    def _inside(self, accuracy_m: float) -> float:
        """How far from home a fix of this accuracy must lie to be provably outside."""
        if not accuracy_m >= 0.0:
            raise ValueError("an accuracy below zero")
        return self._radius_m + 2.0 * accuracy_m + _FORMULA_M

    def ring(self, lat: float, lon: float, accuracy_m: float) -> int:
        """As `Shelter.ring`. Every comparison asks whether it may pass: NaN answers no."""
        inside = self._inside(accuracy_m)
        squared = self._plane.squared(lat, lon)
        if not squared > inside * inside:
            return HIDDEN
        beyond = inside + self._buffer_m
        if not squared > beyond * beyond:
            return NEAR
        if self._far_m is None or not squared > (beyond + self._far_m) ** 2:
            return BEYOND
        return FAR

    def hides(self, lat: float, lon: float, accuracy_m: float) -> bool:
        """As `Shelter.hides`."""
        inside = self._inside(accuracy_m)
        return not self._plane.squared(lat, lon) > inside * inside

    def hides_cell(self, mesh: Mesh, cell: int) -> bool:
        """As `Shelter.hides_cell`: the nearest point of the cell decides."""
        lat, lon = self._plane.origin
        south, west, north, east = mesh.bounds(cell)
        nearest = min(max(lat, south), north), min(max(lon, west), east)
        return not self._plane.squared(*nearest) > (self._radius_m + _FORMULA_M) ** 2


class ZoneShelter:
    """One zone and its buffer; all its households share it."""

    __slots__ = ("_buffer_m", "_cells", "_far", "_partition", "_shield", "_zone")

    def __init__(self, policy: Policy, partition: Partition, zone: str) -> None:
        """Lay it out.

        Raises:
            KeyError: no zone of this name.
        """
        self._shield = Shield(partition, zone, policy.buffer_m)
        far_m = policy.reopen_far_m
        self._far = None if far_m is None else Shield(partition, zone, policy.buffer_m + far_m)
        self._cells: dict[tuple[str, int], bool] = {}
        self._partition, self._zone, self._buffer_m = partition, zone, policy.buffer_m

    def __repr__(self) -> str:
        return "<zone>"

    def ring(self, lat: float, lon: float, accuracy_m: float) -> int:
        """As `Shelter.ring`; the buffer stands for what a fix does not know."""
        if not accuracy_m >= 0.0:
            raise ValueError("an accuracy below zero")
        if self._shield.hides(lat, lon):
            return HIDDEN
        return BEYOND if self._far is None or self._far.hides(lat, lon) else FAR

    def hides(self, lat: float, lon: float, accuracy_m: float) -> bool:  # noqa: ARG002 - a shelter's form
        """As `Shelter.hides`."""
        return self._shield.hides(lat, lon)

    def hides_cell(self, mesh: Mesh, cell: int) -> bool:
        """As `Shelter.hides_cell`: no point of a cell that is said lies in the buffer."""
        known = self._cells.get((mesh.name, cell))
        if known is None:
            bounds = mesh.bounds(cell)
            known = self._partition.gap_m(bounds, self._zone) <= self._buffer_m
            if len(self._cells) < _MOST_CELLS:
                self._cells[mesh.name, cell] = known
        return known


_MOST_CELLS = 65_536


class Several:
    """What hides a household that moved: its home, and those from which rows are still kept."""

    __slots__ = ("_each",)

    def __init__(self, each: Sequence[Shelter]) -> None:
        self._each = tuple(each)

    def __repr__(self) -> str:
        return "<shelters>"

    def ring(self, lat: float, lon: float, accuracy_m: float) -> int:
        """As `Shelter.ring`: the nearest one decides."""
        return min(one.ring(lat, lon, accuracy_m) for one in self._each)

    def hides(self, lat: float, lon: float, accuracy_m: float) -> bool:
        """As `Shelter.hides`."""
        return any(one.hides(lat, lon, accuracy_m) for one in self._each)

    def hides_cell(self, mesh: Mesh, cell: int) -> bool:
        """As `Shelter.hides_cell`."""
        return any(one.hides_cell(mesh, cell) for one in self._each)


class Shelters:
    """Finds what hides a household; zones are laid out once.

    Attributes:
        whole: whether rows say places, which are then asked for rounded, too.
    """

    __slots__ = ("_former", "_policy", "_zones", "whole")

    def __init__(self, policy: Policy, *, former: bool = True) -> None:
        """Find it by a policy.

        Args:
            former: whether homes that a family moved from hide, too. Not where nothing is kept: a child at its old
                home is not near its home.
        """
        self._policy = policy
        self._former = former
        self.whole = policy.shape.cells is None and not policy.shape.dense
        self._zones: dict[str, ZoneShelter] = {}

    def of(self, household: Household | None) -> Shelter | Reason:
        """What hides it, or why nobody can tell.

        Raises:
            ValueError: a home or a radius no circle can be drawn with.
        """
        if household is None:
            return Reason.NO_HOME
        here = self._one(household)
        if isinstance(here, Reason):
            return here
        zoned = self._policy.zoned
        if zoned is not None:
            zone = zone_of(zoned, household)
            assert zone is not None
            if not self._lives_here(zoned.partition.density(zone)):
                return Reason.NO_LANE
        if not household.former or not self._former:
            return here
        each = [here]
        for place in household.former:
            if place.home is None and place.zone == "":
                continue  # outside all zones nothing was kept of it
            there = self._one(place)
            if isinstance(there, Reason):
                return there
            each.append(there)
        return Several(each)

    def _one(self, household: Household) -> Shelter | Reason:
        if household.home is None and household.zone is None:
            return Reason.NO_HOME
        if household.home is not None and household.crs != _CRS:
            return Reason.UNKNOWN_CRS
        if self._policy.zoned is not None:
            return self._by_zone(self._policy.zoned, household)
        if household.home is None:
            return Reason.NO_HOME
        home = household.home
        return CircleShelter(self._policy, home.lat, home.lon, household.radius_m)

    def _by_zone(self, zoned: Zoned, household: Household) -> Shelter | Reason:
        zone = zone_of(zoned, household)
        if zone is None:
            return Reason.NO_ZONE
        shelter = self._zones.get(zone)
        if shelter is None:
            shelter = self._zones[zone] = ZoneShelter(self._policy, zoned.partition, zone)
        return shelter

    def _lives_here(self, density: float) -> bool:
        low, high = self._policy.density_from, self._policy.density_below
        return (low is None or density >= low) and (high is None or density < high)


def zone_of(zoned: Zoned, household: Household) -> str | None:
    """The zone in which a household lives; None for one outside all zones, or known by another partition."""
    if household.home is not None:
        return zoned.partition.zone_of(household.home.lat, household.home.lon)
    if household.zone is None or household.partition != zoned.pin:
        return None
    return household.zone if household.zone in zoned.partition.zones else None
