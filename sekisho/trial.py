"""One recorded way through the mask, fix by fix, in memory alone: what each comes to, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from gateway.model.instant import MINUTE
from gateway.privacy.distance import Plane
from gateway.privacy.mesh import MESHES, Bounds
from gateway.privacy.policy import Policy
from gateway.transports.replay.track import Point, Recording
from sekisho import track
from sekisho.rerun import boxed
from sekisho.ways import Fix, Way
from sekisho.what_if import keep

_BY_DIGITS = {mesh.digits: mesh for mesh in MESHES.values()}


class Mark(NamedTuple):
    """One fix and what became of it.

    Attributes:
        point: as recorded.
        why: the reason it is hidden for; None where it is shown.
        lat, lon: where its row says it was, WGS 84 degrees; of a hidden fix, and where a cell is said, 0.
        cell: the cell that its row says instead; None where none.
    """

    point: Point
    why: str | None
    lat: float
    lon: float
    cell: Bounds | None = None

    @property
    def says_a_place(self) -> bool:
        """Whether there is a row, and a place in it."""
        return self.why is None and (self.cell is not None or bool(self.lat or self.lon))

    def __repr__(self) -> str:
        return "<mark>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exact position is never serialised")


@dataclass(frozen=True, slots=True, repr=False)
class Trial:
    """A whole way.

    Attributes:
        marks: one per fix, in the order of the file.
        home: WGS 84 degrees.
        policy: the rules that were tried.
        hidden: reason → how many fixes.
        shown: how many fixes would be rows.
        minutes, length_m: from first to last fix; along the way.
        nearest_shown_m: of the shown places the nearest to home, in metres; None where none is shown.
        near_home: whether any fix was recorded within the home radius, or in the home's zone.
        undated: how many points were left out because they carry no time.
        nearest_m: of the recorded places the nearest to home, in metres.
        zone: the zone of the home; None under a circle, and where there is none.
    """

    marks: Sequence[Mark]
    home: tuple[float, float]
    policy: Policy
    hidden: dict[str, int]
    shown: int
    minutes: float
    length_m: float
    nearest_shown_m: float | None
    near_home: bool
    undated: int
    nearest_m: float
    zone: str | None

    @property
    def hides(self) -> str:
        """What hides the home, in words."""
        policy = self.policy
        if policy.zoned is None:
            return f"home radius {policy.home_radius_m:g} m"
        return f"zone {self.zone or 'none'} of {policy.zoned.partition.id} and {policy.buffer_m:g} m round it"

    @property
    def says(self) -> str:
        """What rows say of place and time, in words."""
        shape = self.policy.shape
        cells = " or ".join(
            mesh.name for mesh in (shape.cells, *(mesh for _, mesh in shape.dense)) if mesh
        )
        minutes = shape.step // MINUTE
        times = "one-minute times" if minutes == 1 else f"times in steps of {minutes} min"
        places = f"cells of {cells}" if cells else "rounded to 1.1 m"
        moved = "" if shape.noise is None else f", moved by about {shape.noise.mean_m:g} m"
        return f"{places}{moved}, {times}"


def way_of(recording: Recording, home: tuple[float, float]) -> Way:
    """A recording as the way of one child, in the order of its file."""
    fixes = [Fix(point.at, point.lat, point.lon, None, 0) for point in recording.points]
    return Way("tried", home, fixes)


def run(recording: Recording, home: tuple[float, float], rules: Policy) -> Trial:
    """Send every fix through the mask as the gateway would, and keep nothing anywhere."""
    policy = boxed(rules, recording.points)
    kept = keep("tried", policy, [way_of(recording, home)], lambda _: None)
    shown = {row.fix: row for row in kept.rows[0]}
    marks = []
    for number, (point, why) in enumerate(zip(recording.points, kept.ends[0], strict=True)):
        row = shown.get(number)
        cell = None if row is None or row.cell is None else _bounds(row.cell)
        lat, lon = (0.0, 0.0) if row is None else (row.lat or 0.0, row.lon or 0.0)
        marks.append(Mark(point, why, lat, lon, cell))
    points = recording.points
    plane = Plane(*home)
    zone = None if policy.zoned is None else policy.zoned.partition.zone_of(*home)
    nearest_m = math.sqrt(min(plane.squared(p.lat, p.lon) for p in points))
    return Trial(
        marks,
        home,
        policy,
        kept.hidden,
        len(shown),
        track.minutes(points),
        track.length_m(points),
        min((_away(plane, home, mark) for mark in marks if mark.says_a_place), default=None),
        _is_near(policy, points, nearest_m, zone),
        recording.undated,
        nearest_m,
        zone,
    )


def _bounds(code: str) -> Bounds:
    mesh = _BY_DIGITS[len(code)]
    return mesh.bounds(mesh.of_code(code))


def _away(plane: Plane, home: tuple[float, float], mark: Mark) -> float:
    """Metres from the home to the nearest place that a row may mean."""
    lat, lon = mark.lat, mark.lon
    if mark.cell is not None:
        south, west, north, east = mark.cell
        lat, lon = min(max(home[0], south), north), min(max(home[1], west), east)
    return math.sqrt(plane.squared(lat, lon))


def _is_near(policy: Policy, points: Sequence[Point], nearest_m: float, zone: str | None) -> bool:
    """Whether any fix was recorded within what hides the home."""
    if policy.zoned is None:
        return nearest_m <= policy.home_radius_m
    return any(policy.zoned.partition.zone_of(p.lat, p.lon) == zone for p in points)
