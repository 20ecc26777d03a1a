"""Streets as a graph in local metres, and the ways through it."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import hypot
from typing import NamedTuple


class Point(NamedTuple):
    """Metres east and north of the town's south-west corner."""

    x: float
    y: float


def distance(a: Point, b: Point) -> float:
    """Straight-line metres."""
    return hypot(a.x - b.x, a.y - b.y)


def between(a: Point, b: Point, share: float) -> Point:
    """The point `share` (0..1) of the way from `a` to `b`."""
    return Point(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share)


class Streets:
    """Crossings (nodes) and the street edges between them.

    Attributes:
        nodes: crossing number → point.
        edges: edge number → its two crossings.
    """

    def __init__(self, nodes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> None:
        self.nodes = tuple(nodes)
        self.edges = tuple(edges)
        self._ways: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for number, (a, b) in enumerate(self.edges):
            self._ways[a].append((b, number))
            self._ways[b].append((a, number))

    def length(self, edge: int) -> float:
        """Metres from crossing to crossing."""
        a, b = self.edges[edge]
        return distance(self.nodes[a], self.nodes[b])

    def nearest(self, point: Point) -> int:
        """The crossing nearest to a point."""
        return min(range(len(self.nodes)), key=lambda n: distance(self.nodes[n], point))

    def reaches(self, start: int) -> set[int]:
        """Every crossing that can be reached from `start`."""
        seen, todo = {start}, [start]
        while todo:
            for node, _ in self._ways[todo.pop()]:
                if node not in seen:
                    seen.add(node)
                    todo.append(node)
        return seen

    def route(self, start: int, goal: int, toll: Callable[[int], float]) -> list[int]:
        """Crossings from `start` to `goal`, both included, by least length × `toll(edge)`.

        The toll is one walker's taste: 1 for everyone gives the shortest way.
        """
        best = {start: 0.0}
        came: dict[int, int] = {}
        heap = [(0.0, start)]
        while heap:
            cost, node = heappop(heap)
            if node == goal:
                break
            if cost > best[node]:
                continue
            for other, edge in self._ways[node]:
                further = cost + self.length(edge) * toll(edge)
                if further < best.get(other, float("inf")):
                    best[other], came[other] = further, node
                    heappush(heap, (further, other))
        way = [goal]
        while way[-1] != start:
            way.append(came[way[-1]])
        return way[::-1]
