"""What somebody who knows the rules can say of homes at least: a simple estimate, no full adversary.

Under a circle rule a guess is made as in docs/privacy.md: where ways end (A1), and then the dwelling round which a circle
of the known radius fits those ends best (A2). Under a zone rule the zone is taken as known; the guess is the dwelling in it
nearest to where ways end, and beside it stands what blind guessing in the zone would find. Gates, routes and gaps are not
used: whoever uses them may do better.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import cos, exp, hypot, inf, log, radians
from statistics import median
from typing import NamedTuple

from gateway.model.instant import MINUTE
from gateway.privacy.mesh import MESHES
from gateway.privacy.policy import Policy
from sekisho.ways import Way
from sekisho.what_if import Kept, Place, Row

HIT_M = 50.0
"""A guess this near is a home found."""
_APART = 15 * MINUTE
"""After so long without a row, another run of rows begins."""
_DEGREE_M = 111_320.0
_REACH_M = 450.0
_GRID_M = 12.0
_STEP_M = 75.0
"""How far a child walks between two reports, at most: so near to the circle a way ends."""
_ROUNDS = 60
_SHOWN_INSIDE = 30.0
_MESHES = {mesh.digits: mesh for mesh in MESHES.values()}

Point = tuple[float, float]
"""Metres north and east of a home."""


class Guess(NamedTuple):
    """What can be said of one home.

    Attributes:
        away_m: from the best guess to the home; None where no row lets anybody guess.
        chance: of a blind guess among what it hides with to be within 50 m; None where dwellings are not known.
        among: how many dwellings it hides with; None where they are not known.
    """

    away_m: float | None
    chance: float | None
    among: int | None

    @property
    def found(self) -> bool:
        """Whether the guess is near enough."""
        return self.away_m is not None and self.away_m <= HIT_M


class Exposure(NamedTuple):
    """Of all homes together.

    Attributes:
        found_percent: homes within 50 m of the best guess.
        away_m: median metres from guess to home; None where nothing can be guessed.
        chance_percent: homes that blind guessing would find; None where dwellings are not known.
        fewest: the least dwellings that a home hides with; 1 under a circle, whose middle is the home.
    """

    found_percent: float
    away_m: float | None
    chance_percent: float | None
    fewest: int | None


def guesses_of(kept: Kept, ways: Sequence[Way], dwellings: Sequence[Place]) -> list[Guess]:
    """The best guess about each home; `dwellings` may be empty where nobody knows them."""
    by_zone: dict[str | None, list[Place]] = defaultdict(list)
    zoned = kept.policy.zoned
    for place in dwellings:
        by_zone[None if zoned is None else zoned.partition.zone_of(*place)].append(place)
    return [
        _guess(kept.policy, way, rows, by_zone) for way, rows in zip(ways, kept.rows, strict=True)
    ]


def exposure_of(guesses: Sequence[Guess]) -> Exposure:
    """The estimate over all homes."""
    away = [guess.away_m for guess in guesses if guess.away_m is not None]
    chances = [guess.chance for guess in guesses if guess.chance is not None]
    among = [guess.among for guess in guesses if guess.among is not None]
    return Exposure(
        100 * sum(guess.found for guess in guesses) / len(guesses) if guesses else 0.0,
        median(away) if away else None,
        100 * sum(chances) / len(chances) if chances else None,
        min(among, default=None),
    )


def _guess(
    policy: Policy, way: Way, rows: Sequence[Row], by_zone: Mapping[str | None, Sequence[Place]]
) -> Guess:
    ends = [_metres(way.home, place) for place in _ends(policy, rows)]
    middle = _middle(ends)
    if policy.zoned is None:
        if middle is None:
            return Guess(None, None, 1)
        houses = [_metres(way.home, place) for place in by_zone.get(None, ())]
        near = [one for one in houses if _apart(one, middle) <= _REACH_M] or _grid(middle)
        shown = [_metres(way.home, place) for row in rows if (place := place_of(row)) is not None]
        return Guess(hypot(*_circle(policy, near, ends, shown, middle)), None, 1)
    zone = policy.zoned.partition.zone_of(*way.home)
    beside = [_metres(way.home, place) for place in by_zone.get(zone, ()) if zone is not None]
    if not beside:
        return Guess(None if middle is None else hypot(*middle), None, None)
    chance = sum(hypot(*one) <= HIT_M for one in beside) / len(beside)
    if middle is None:
        return Guess(None, chance, len(beside))
    nearest = min(beside, key=lambda one: _apart(one, middle))
    return Guess(hypot(*nearest), chance, len(beside))


def _ends(policy: Policy, rows: Sequence[Row]) -> list[Place]:
    """Where runs of rows end: the places of the last time bin of each, for inside a bin nothing tells the order."""
    apart = max(_APART, 2 * policy.shape.step)
    last: list[Place] = []
    found: list[Place] = []
    before: int | None = None
    for row in rows:
        if before is not None and row.minute - before > apart:
            found += last
        if before is None or row.minute != before:
            last = []
        place = place_of(row)
        last += [] if place is None else [place]
        before = row.minute
    return found + last


def place_of(row: Row) -> Place | None:
    """Degrees of what a row says; of a cell, its middle."""
    if row.cell is not None:
        mesh = _MESHES[len(row.cell)]
        south, west, north, east = mesh.bounds(mesh.of_code(row.cell))
        return (south + north) / 2, (west + east) / 2
    return None if row.lat is None or row.lon is None else (row.lat, row.lon)


def _middle(points: Sequence[Point]) -> Point | None:
    """The geometric median (Weiszfeld 1937)."""
    if not points:
        return None
    north, east = (median(axis) for axis in zip(*points, strict=True))
    for _ in range(_ROUNDS):
        weights = [1 / max(hypot(y - north, x - east), 1.0) for y, x in points]
        whole = sum(weights)
        north = sum(w * y for w, (y, _) in zip(weights, points, strict=True)) / whole
        east = sum(w * x for w, (_, x) in zip(weights, points, strict=True)) / whole
    return north, east


def _circle(
    policy: Policy,
    candidates: Sequence[Point],
    ends: Sequence[Point],
    shown: Sequence[Point],
    middle: Point,
) -> Point:
    """The candidate round which the rule's circle fits the ends best, and in whose circle nothing is shown; of equals the
    one nearest to where ways end.
    """
    radius, doubt = policy.home_radius_m, 2 * policy.default_accuracy_m
    scored = sorted(
        (
            round(-sum(_fit(_apart(one, end) - radius, doubt) for end in ends), 6),
            _apart(one, middle),
            one,
        )
        for one in candidates
    )
    best, found = inf, scored[0][-1]
    for cost, _, one in scored:
        if cost >= best:
            break  # what is shown inside can only cost more
        inside = sum(_apart(one, place) < radius for place in shown)
        if cost + _SHOWN_INSIDE * inside < best:
            best, found = cost + _SHOWN_INSIDE * inside, one
    return found


def _fit(beyond_m: float, doubt_m: float) -> float:
    """Log of how likely a way ends so far beyond the circle; one in ten ends anywhere."""
    wide = _STEP_M + doubt_m  # the circle grows with what a fix does not know
    if beyond_m < 0:
        likely = 1e-4
    elif beyond_m < wide:
        likely = 1 / wide
    else:
        likely = exp((wide - beyond_m) / 15.0) / wide
    return log(0.9 * likely + 0.05 / 1000)


def _grid(middle: Point) -> list[Point]:
    """Places all round, where no dwellings are known."""
    steps = range(-int(_REACH_M // _GRID_M), int(_REACH_M // _GRID_M) + 1)
    return [(middle[0] + y * _GRID_M, middle[1] + x * _GRID_M) for y in steps for x in steps]


def _apart(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _metres(home: Place, place: Place) -> Point:
    east = (place[1] - home[1] + 180.0) % 360.0 - 180.0
    return (place[0] - home[0]) * _DEGREE_M, east * cos(radians(home[0])) * _DEGREE_M
