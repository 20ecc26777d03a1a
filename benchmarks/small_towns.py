"""Invented towns for tables of numbers: crooked streets, a school, families and their ways, by dice with a seed.

Nothing here is a real place but the latitude. Ways are the shortest along the streets; days differ by the noise of
the fixes, by outings, and by who stays at home.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import pairwise
from math import cos, hypot, radians
from random import Random
from typing import NamedTuple

from gateway.model.instant import DAY, HOUR, MINUTE, SECOND, Instant

LAT, LON = 36.7, 137.2
_NORTH = 1 / 110_968.0
_EAST = 1 / (111_320.0 * cos(radians(LAT)))
_SPEED_M_S = 1.1
_FIX_EVERY_S = 60
_NOISE_M = 5.0
_OUTING = 0.35
_AWAY = 0.06
_GUARD_M = 71.0
"""Within this of home nothing is offered to a counter: 50 m, twice an accuracy of 10 m, and one metre."""

Node = tuple[int, int]
Place = tuple[float, float]


class Fix(NamedTuple):
    """A household's child was somewhere."""

    family: int
    place: Place
    at: Instant


class Town:
    """One town; everything of it follows from its seed.

    Attributes:
        families: how many.
        streets: name and places (lat, lon) of each.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        dice = Random(f"small town {seed}")
        self._rows, self._columns = dice.randint(12, 18), dice.randint(12, 18)
        step = dice.uniform(80.0, 120.0)
        self._spots = {
            (row, column): (
                (row + dice.uniform(-0.25, 0.25)) * step,
                (column + dice.uniform(-0.25, 0.25)) * step,
            )
            for row in range(self._rows)
            for column in range(self._columns)
        }
        self._ways: dict[Node, list[Node]] = {node: [] for node in self._spots}
        self.streets: list[tuple[str, list[Place]]] = []
        for a in sorted(self._spots):
            for b in ((a[0] + 1, a[1]), (a[0], a[1] + 1)):
                if b in self._spots and dice.random() < 0.88:
                    self._ways[a].append(b)
                    self._ways[b].append(a)
                    ends = [_degrees(self._spots[a]), _degrees(self._spots[b])]
                    self.streets.append((f"s{len(self.streets) + 1}", ends))
        self._school = (self._rows // 2, self._columns // 2)
        self._toward = self._paths_from(self._school)
        reached = sorted(node for node in self._spots if node in self._toward)
        self._parks = dice.sample(reached, 6)
        self.families = dice.randint(250, 500)
        far = [node for node in reached if len(self._path(node)) > 3]
        self._homes = [dice.choice(far) for _ in range(self.families)]

    def fixes(self, period: int, begins: Instant, days: int) -> Iterator[Fix]:
        """What all families do in a period, on `days` days in a row from `begins` (local midnight) on."""
        for family in range(self.families):
            dice = Random(f"small town {self._seed} {period} {family}")
            for day in range(days):
                if dice.random() < _AWAY:
                    continue
                midnight = begins + day * DAY
                way = self._path(self._homes[family])
                out = midnight + 7 * HOUR + int(dice.uniform(20, 35) * MINUTE)
                back = midnight + 15 * HOUR + int(dice.uniform(0, 45) * MINUTE)
                yield from self._walk(family, way, out, dice)
                yield from self._walk(family, way[::-1], back, dice)
                if dice.random() < _OUTING:
                    goal = self._parks[dice.randrange(len(self._parks))]
                    trip = [*way, *self._path(goal)[-2::-1]]
                    yield from self._walk(family, trip, midnight + 16 * HOUR, dice)

    def _walk(self, family: int, way: list[Node], at: Instant, dice: Random) -> Iterator[Fix]:
        home = self._spots[self._homes[family]]
        wait = dice.uniform(0.0, _FIX_EVERY_S)
        for a, b in pairwise(way):
            here, there = self._spots[a], self._spots[b]
            lasts = hypot(there[0] - here[0], there[1] - here[1]) / _SPEED_M_S
            while wait < lasts:
                share = wait / lasts
                north = here[0] + share * (there[0] - here[0]) + dice.gauss(0.0, _NOISE_M)
                east = here[1] + share * (there[1] - here[1]) + dice.gauss(0.0, _NOISE_M)
                if hypot(north - home[0], east - home[1]) > _GUARD_M:
                    yield Fix(family, _degrees((north, east)), at + int(wait * SECOND))
                wait += _FIX_EVERY_S
            wait -= lasts
            at += int(lasts * SECOND)

    def _path(self, node: Node) -> list[Node]:
        """From a node to the school."""
        way = [node]
        while way[-1] != self._school:
            way.append(self._toward[way[-1]])
        return way

    def _paths_from(self, goal: Node) -> dict[Node, Node]:
        """Node → the next one on the shortest way to `goal`."""
        toward = {goal: goal}
        best = {goal: 0.0}
        queue = [(0.0, goal)]
        while queue:
            far, node = heappop(queue)
            if far > best[node]:
                continue
            for other in self._ways[node]:
                a, b = self._spots[node], self._spots[other]
                length = far + hypot(a[0] - b[0], a[1] - b[1])
                if length < best.get(other, float("inf")):
                    best[other], toward[other] = length, node
                    heappush(queue, (length, other))
        return toward


def _degrees(spot: tuple[float, float]) -> Place:
    return LAT + spot[0] * _NORTH, LON + spot[1] * _EAST
