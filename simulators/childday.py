"""What one child does on one day: at home, on the way, at school, out to play."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import NamedTuple

from gateway.model.instant import SECOND, Instant
from simulators.calendar import is_day_off, midnight
from simulators.families import Child
from simulators.layout import Dwelling
from simulators.streams import stream
from simulators.streets import Point, between, distance
from simulators.town import Town

_SIGNAL = 0.3  # chance to wait at a crossing
_DETOUR = 0.03  # share of ways home that lead past a park
_CLUB = 0.25  # share of children who stay at school in the afternoon club


class Leg(NamedTuple):
    """One stretch of a day: a stay (one point) or a walk (points with the second of each).

    Attributes:
        begin, end: instants.
        place: "home", "school", "walk" or "park".
        points: where; one for a stay.
        seconds: seconds after `begin` at which each point is reached.
    """

    begin: Instant
    end: Instant
    place: str
    points: tuple[Point, ...]
    seconds: tuple[float, ...]

    def where(self, at: Instant) -> Point:
        """The true position at an instant inside the leg."""
        if len(self.points) == 1:
            return self.points[0]
        passed = (at - self.begin) / SECOND
        number = bisect_right(self.seconds, passed)
        if number >= len(self.points):
            return self.points[-1]
        before, after = self.seconds[number - 1], self.seconds[number]
        share = 0.0 if after <= before else (passed - before) / (after - before)
        return between(self.points[number - 1], self.points[number], share)


class Day(NamedTuple):
    """One child's day, in legs without gaps from midnight to midnight."""

    legs: tuple[Leg, ...]

    def at(self, moment: Instant) -> Leg:
        """The leg under way at an instant of that day."""
        number = bisect_right([leg.begin for leg in self.legs], moment)
        return self.legs[max(0, number - 1)]


def way_from_home(here: Town, dice: Random, home: Dwelling, goal: int, end: Point) -> list[Point]:
    """House, gate, crossings, end: the shortest way by this walker's taste of the day."""
    streets = here.streets
    tolls = [dice.lognormvariate(0.0, 0.25) for _ in streets.edges]
    ways = []
    for crossing in streets.edges[home.edge]:
        nodes = [streets.nodes[n] for n in streets.route(crossing, goal, tolls.__getitem__)]
        points = [home.house, home.gate, *nodes, end]
        ways.append((sum(distance(a, b) for a, b in pairwise(points)), points))
    return min(ways)[1]


def _walk(dice: Random, points: Sequence[Point], begin: Instant, speed: float) -> Leg:
    """A walk with waits at some crossings and a pace that varies from street to street."""
    track, seconds, passed = [points[0]], [0.0], 0.0
    for before, after in pairwise(points):
        passed += distance(before, after) / (speed * dice.uniform(0.88, 1.12))
        track.append(after)
        seconds.append(passed)
        if dice.random() < _SIGNAL:
            passed += dice.uniform(5.0, 60.0)
            track.append(after)
            seconds.append(passed)
    return Leg(begin, begin + round(passed * SECOND), "walk", tuple(track), tuple(seconds))


class _Diary:
    """Strings a day's legs together."""

    def __init__(self, day: date, home: Point) -> None:
        self._start, self._end = midnight(day), midnight(day + timedelta(days=1))
        self._home = home
        self._legs: list[Leg] = []

    def clock(self, hours: float) -> Instant:
        """The instant of a local time of day."""
        return self._start + round(hours * 3600) * SECOND

    @property
    def now(self) -> Instant:
        return self._legs[-1].end if self._legs else self._start

    def stay(self, until: Instant, place: str, point: Point) -> None:
        if until > self.now:
            self._legs.append(Leg(self.now, until, place, (point,), (0.0,)))

    def walk(self, dice: Random, points: Sequence[Point], speed: float) -> None:
        self._legs.append(_walk(dice, points, self.now, speed))

    def close(self) -> Day:
        self.stay(self._end, "home", self._home)
        return Day(tuple(self._legs))


def plan_day(here: Town, seed: int, child: Child, day: date) -> Day:
    """The whole day, from this child's own dice of that day."""
    dice = stream(seed, child.device, "day", day.isoformat())
    home = child.household.dwelling
    diary = _Diary(day, home.house)
    if is_day_off(day):
        if dice.random() < 0.7:
            _outing(here, dice, diary, child, dice.uniform(9.5, 14.0), dice.uniform(0.7, 2.5))
        return diary.close()
    _school(here, dice, diary, child, day)
    home_again = (diary.now - midnight(day)) / (3600 * SECOND)
    if home_again < 16.5 and dice.random() < 0.3:
        _outing(
            here, dice, diary, child, home_again + dice.uniform(0.2, 0.5), dice.uniform(0.4, 1.0)
        )
    return diary.close()


def _school(here: Town, dice: Random, diary: _Diary, child: Child, day: date) -> None:
    """To be there at 07:58 ± 6 min; home by grade, on Wednesdays 45 min earlier, or from the club."""
    home = child.household.dwelling
    way = way_from_home(here, dice, home, here.school, here.school_yard)
    trial = _walk(dice, way, 0, child.speed_m_s)
    arrival = min(8 + 20 / 60, max(7.5, dice.gauss(7 + 58 / 60, 0.1)))
    diary.stay(diary.clock(arrival) - trial.end, "home", home.house)
    diary.walk(dice, way, child.speed_m_s)
    leaves = dice.uniform(14.75, 15.25) if child.grade <= 2 else dice.uniform(15.58, 16.17)
    if day.weekday() == 2:
        leaves -= 0.75
    if dice.random() < _CLUB:
        leaves = dice.uniform(17.0, 18.25)
    diary.stay(diary.clock(leaves), "school", here.school_yard)
    back = way_from_home(here, dice, home, here.school, here.school_yard)[::-1]
    if dice.random() < _DETOUR:
        park = dice.choice(here.parks)
        nodes = here.streets.route(here.school, park, lambda _: 1.0)
        diary.walk(
            dice, [here.school_yard, *(here.streets.nodes[n] for n in nodes)], child.speed_m_s
        )
        diary.stay(
            diary.now + round(dice.uniform(300, 1800)) * SECOND, "park", here.streets.nodes[park]
        )
        back = way_from_home(here, dice, home, park, here.streets.nodes[park])[::-1]
    diary.walk(dice, back, child.speed_m_s)


def _outing(
    here: Town, dice: Random, diary: _Diary, child: Child, hour: float, hours: float
) -> None:
    """To a park and back home."""
    home = child.household.dwelling
    park = dice.choice(here.parks)
    spot = here.streets.nodes[park]
    way = way_from_home(here, dice, home, park, spot)
    diary.stay(diary.clock(hour), "home", home.house)
    diary.walk(dice, way, child.speed_m_s)
    diary.stay(diary.now + round(hours * 3600) * SECOND, "park", spot)
    diary.walk(dice, way[::-1], child.speed_m_s)
