"""The numbers behind one decision about a way that may be measured: one that nobody walked, or one's own."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from gateway.model.instant import SECOND, to_datetime
from gateway.privacy.distance import Plane
from gateway.privacy.mesh import MESHES, NOWHERE
from gateway.privacy.policy import Policy
from sekisho.ways import Fix, Way


class Measured(NamedTuple):
    """What `--numbers` adds; None where there is none.

    Attributes:
        fix: which of how many fixes it is, counted from 1.
        at: local time of the fix.
        zone, dwellings: the home's zone, and how many dwellings it has, in classes.
        distance_m: from the zone, or from home.
        hidden_within_m: how far from the zone, or from home, nothing is kept; None where the home has no zone.
        hidden_because: what that is the sum of.
        farther_m: how much farther out the fix would be clear.
        speed_m_s: way from the fix before, over the time between.
        cell: the cell that a row would say.
        kept_next: local time of the next fix that is kept, and how many fixes later that is.
    """

    fix: str
    at: str
    zone: str | None
    dwellings: str | None
    distance_m: float | None
    hidden_within_m: float | None
    hidden_because: str | None
    farther_m: float | None
    speed_m_s: float | None
    cell: str | None
    kept_next: str | None

    def spelled(self) -> list[tuple[str, str]]:
        """Names and values as a person reads them, with units; what there is not is left out."""
        whence = "home" if self.zone is None else "the zone"
        said = [
            ("fix", self.fix),
            ("at", self.at),
            ("zone", self.zone),
            ("dwellings", self.dwellings),
            ("distance", _metres(self.distance_m, f" from {whence}")),
            (
                "hidden within",
                _metres(self.hidden_within_m, f" of {whence}: {self.hidden_because}"),
            ),
            ("farther out by", _metres(self.farther_m, ", and it would be clear")),
            (
                "speed",
                None if self.speed_m_s is None else f"{self.speed_m_s:g} m/s since the fix before",
            ),
            ("cell", self.cell),
            ("kept next", self.kept_next),
        ]
        return [(name, value) for name, value in said if value is not None]


def measured(way: Way, ends: Sequence[str | None], number: int, policy: Policy) -> Measured:
    """Everything that decided about a fix, by its position in the way."""
    fix = way.fixes[number]
    zoned = policy.zoned
    zone = None if zoned is None else zoned.partition.zone_of(*way.home)
    away = _away(way, fix, policy, zone)
    limit, because = _limit(policy, fix) if zoned is None or zone is not None else (None, None)
    return Measured(
        f"{number + 1} of {len(way.fixes)}",
        to_datetime(fix.at, policy.zone).isoformat(sep=" ", timespec="seconds"),
        zone,
        None if zoned is None or zone is None else zoned.partition.zones[zone].dwellings,
        None if away is None else round(away, 1),
        None if limit is None else round(limit, 1),
        because,
        None if away is None or limit is None else max(0.0, round(limit - away, 1)),
        _speed(way.fixes, number),
        _cell(fix, policy),
        _next(way.fixes, ends, number, policy),
    )


def _away(way: Way, fix: Fix, policy: Policy, zone: str | None) -> float | None:
    if fix.lat is None or fix.lon is None:
        return None
    if policy.zoned is None:
        return sqrt(Plane(*way.home).squared(fix.lat, fix.lon))
    return None if zone is None else policy.zoned.partition.distance_m(fix.lat, fix.lon, zone)


def _limit(policy: Policy, fix: Fix) -> tuple[float, str]:
    if policy.zoned is not None:
        return policy.buffer_m, "the buffer"
    accuracy = policy.default_accuracy_m if fix.accuracy_m is None else fix.accuracy_m
    whose = "that the rules suppose" if fix.accuracy_m is None else "that it says"
    return (
        policy.home_radius_m + 2 * accuracy + 1,
        f"radius {policy.home_radius_m:g} m + twice the accuracy {whose}, {accuracy:g} m + 1 m that the formula may be wrong by",
    )


def _metres(value: float | None, what: str) -> str | None:
    return None if value is None else f"{value:g} m{what}"


def _speed(fixes: Sequence[Fix], number: int) -> float | None:
    if number == 0:
        return None
    before, fix = fixes[number - 1], fixes[number]
    if before.lat is None or before.lon is None or fix.lat is None or fix.lon is None:
        return None
    if fix.at <= before.at:
        return None
    way = sqrt(Plane(before.lat, before.lon).squared(fix.lat, fix.lon))
    return round(way * SECOND / (fix.at - before.at), 2)


def _cell(fix: Fix, policy: Policy) -> str | None:
    mesh = policy.shape.cells
    if mesh is None or fix.lat is None or fix.lon is None:
        return None
    cell = MESHES[mesh.name].cell(fix.lat, fix.lon)
    return None if cell == NOWHERE else mesh.code(cell)


def _next(
    fixes: Sequence[Fix], ends: Sequence[str | None], number: int, policy: Policy
) -> str | None:
    for later in range(number + 1, len(fixes)):
        if ends[later] is None:
            at = to_datetime(fixes[later].at, policy.zone).isoformat(sep=" ", timespec="seconds")
            return f"{at}, {later - number} later"
    return None
