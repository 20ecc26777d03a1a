"""Makes zones of counted cells: the smallest is merged until each one hides enough, with the neighbour that mends it, or
else with the smallest.

The same counts give the same zones: wherever two are equal, the southern and then the western one is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from gateway.privacy.mesh import Mesh
from gateway.privacy.partition import scales
from gateway.privacy.roads import Place, Roads

DISC_M = 50.0
_LEAST_BUILDINGS = 5
_LEAST_ENTRIES = 2
CHECKS = ("dwellings", "buildings", "discs", "entries", "gates")
"""What a zone is held to, in the order in which it is asked."""


class Building(NamedTuple):
    """Where some dwellings are."""

    place: Place
    dwellings: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of the ground.

    Attributes:
        mesh: the level of the cells.
        dwellings: cell to number of dwellings; cells that have none are left out.
        buildings: cell to its buildings, where each is known; empty where only counts are.
        tied: cells whose counts are known together only; they stay in one zone.
        roads: None where no map of them was given.
    """

    mesh: Mesh
    dwellings: Mapping[int, int]
    buildings: Mapping[int, Sequence[Building]] = field(default_factory=dict)
    tied: Sequence[tuple[int, int]] = ()
    roads: Roads | None = None

    def checks(self) -> tuple[str, ...]:
        """Which of `CHECKS` can be made with what is known."""
        known = {
            "dwellings": True,
            "buildings": bool(self.buildings),
            "discs": bool(self.buildings),
        }
        known["entries"] = self.roads is not None
        known["gates"] = self.roads is not None and bool(self.buildings)
        return tuple(check for check in CHECKS if known[check])


class Group(NamedTuple):
    """Merged cells and how many dwellings they have."""

    dwellings: int
    cells: frozenset[int]


class Zoning(NamedTuple):
    """What came of it.

    Attributes:
        zones: each holds what was asked, in the order of their first cells.
        without: cells that no merging could help.
    """

    zones: list[Group]
    without: frozenset[int]


def build(survey: Survey, k: int, k_gate: int) -> Zoning:
    """Merge until each zone has `k` dwellings and `k_gate` behind each gate, as far as that can be known."""
    groups, of = _begin(survey)
    waiting = [
        (group.dwellings, first, group.cells)
        for first, group in groups.items()
        if not fit(survey, group, k, k_gate)
    ]
    heapify(waiting)
    without: set[int] = set()
    while waiting:
        _, first, cells = heappop(waiting)
        if first not in groups or groups[first].cells != cells:
            continue  # merged since
        beside = {of[one] for cell in cells for one in survey.mesh.neighbours(cell) if one in of}
        others = [groups[one] for one in beside - {first}]
        if not others:
            without |= cells
            del groups[first]
            continue
        merged, other = min(
            ((_both(groups[first], one), one) for one in others),
            key=lambda pair: (
                not fit(survey, pair[0], k, k_gate),
                pair[1].dwellings,
                min(pair[1].cells),
            ),
        )
        del groups[first], groups[min(other.cells)]
        name = min(merged.cells)
        groups[name] = merged
        of.update(dict.fromkeys(merged.cells, name))
        if not fit(survey, merged, k, k_gate):
            heappush(waiting, (merged.dwellings, name, merged.cells))
    return Zoning([groups[name] for name in sorted(groups)], frozenset(without))


def _both(one: Group, other: Group) -> Group:
    """Two neighbours as one."""
    return Group(one.dwellings + other.dwellings, one.cells | other.cells)


def fit(survey: Survey, group: Group, k: int, k_gate: int) -> bool:
    """Whether a zone holds everything that can be checked."""
    if group.dwellings < k:
        return False
    if survey.buildings:
        buildings = [one for cell in group.cells for one in survey.buildings.get(cell, ())]
        if len(buildings) < _LEAST_BUILDINGS or 2 * _densest(buildings) > group.dwellings:
            return False
    if survey.roads is None:
        return True
    entries, behind = survey.roads.gates(survey.mesh, group.cells)
    return entries >= _LEAST_ENTRIES and (behind is None or behind >= k_gate)


def _begin(survey: Survey) -> tuple[dict[int, Group], dict[int, int]]:
    """One group for each inhabited cell, tied ones together; and the first cell of each cell's group."""
    of = {cell: cell for cell, count in survey.dwellings.items() if count > 0}
    for a, b in survey.tied:
        of.setdefault(a, a)
        of.setdefault(b, b)
        low, high = sorted((of[a], of[b]))
        of = {cell: low if first == high else first for cell, first in of.items()}
    members: dict[int, list[int]] = {}
    for cell, first in of.items():
        members.setdefault(first, []).append(cell)
    return {
        first: Group(sum(survey.dwellings.get(cell, 0) for cell in cells), frozenset(cells))
        for first, cells in members.items()
    }, of


def _densest(buildings: Sequence[Building]) -> int:
    """The most dwellings within 50 m of any of the buildings."""
    up, along = scales(buildings[0].place[0])
    points = [(lat * up, lon * along, count) for (lat, lon), count in buildings]
    limit = DISC_M * DISC_M
    return max(
        sum(count for y, x, count in points if (y - v) ** 2 + (x - u) ** 2 <= limit)
        for v, u, _ in points
    )
