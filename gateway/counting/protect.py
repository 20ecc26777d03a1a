"""What may be told of numbers: none below k, none that gives another away, in steps or classes.

    k          a number below k is not told, nor is exactly k where nothing was told in the period before: otherwise
               many numbers would vanish because one household left. Nor is it told that there was one: it looks
               like nobody.
    partners   along each line (all slices of a unit; all units of a slice) that tells something, what is hidden is
               nothing, or at least two numbers that make k together: whoever knows what a line adds up to learns no
               single one. The smallest told goes first.
    dead ends  a dead end of the streets that fewer than k walk at some hour is told at none: those few live there.
    facilities a cell with a shelter, clinic or home in it is told at no hour.
    rounding   the nearest multiple of the base, but never below k; from the top on, the top. What was told of a cell
               in the period before is told again while it is less than a base away: one household more or less, who
               came or left in between, moves no number.
    classes    the class that a number lies in.

Everything is a function of the numbers, the rule, and what was told before.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from gateway.rules.counts import Classes, KSuppress, Protect, Round

Cell: TypeAlias = tuple[int, int]
"""(unit, slice)."""


class Told(NamedTuple):
    """What is told of one cell.

    Attributes:
        least: the smallest number that it may be, as far as a reader can tell; a rounded one itself.
        words: as a table shows it: `15`, `50+`, `10-24`.
    """

    least: int
    words: str


def protect(
    cells: Mapping[Cell, int],
    rules: Sequence[Protect],
    dead_ends: Collection[int] = (),
    hidden: Collection[int] = (),
    before: Mapping[Cell, int] = MappingProxyType({}),
) -> dict[Cell, Told]:
    """What may be told of `cells` under `rules`, in the order of the cells.

    Args:
        dead_ends: units at an end of the network.
        hidden: units that one facility dominates.
        before: `Told.least` of the cells of the period before, by the same rules.
    """
    suppressions = [rule for rule in rules if isinstance(rule, KSuppress)]
    k = max((rule.k for rule in suppressions), default=1)
    gone = {cell for cell, number in cells.items() if number < k + (cell not in before)}
    if any(rule.leaf_edges == "drop" for rule in suppressions):
        few = {unit for unit, _ in gone} & set(dead_ends)
        gone |= {cell for cell in cells if cell[0] in few}
    if any(rule.one_facility == "drop" for rule in suppressions):
        gone |= {cell for cell in cells if cell[0] in set(hidden)}
    if any(rule.complementary for rule in suppressions):
        gone |= _partners(cells, gone, k)
    return {
        cell: _told(cells[cell], rules, k, before.get(cell)) for cell in sorted(set(cells) - gone)
    }


class _Line:
    """All cells of one unit, or of one slice."""

    __slots__ = ("cells", "hidden", "looked", "total")

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.hidden = 0
        self.total = 0  # what the hidden ones make together
        self.looked = 0  # before it, in the order of their numbers, all are hidden

    def next_told(self, gone: Collection[Cell]) -> Cell | None:
        """The smallest number that is told; None where nothing is."""
        while self.looked < len(self.cells) and self.cells[self.looked] in gone:
            self.looked += 1
        return self.cells[self.looked] if self.looked < len(self.cells) else None


def _partners(cells: Mapping[Cell, int], gone: Collection[Cell], k: int) -> set[Cell]:
    """What goes with `gone`, so that no line tells what it hides; all of it together."""
    lines: dict[tuple[str, int], _Line] = defaultdict(_Line)
    for cell in sorted(cells, key=lambda cell: (cells[cell], cell)):
        for name in _lines_of(cell):
            lines[name].cells.append(cell)
    hidden = set(gone)
    for cell in gone:
        _hide(lines, cell, cells[cell])
    waiting = deque(sorted(lines))
    while waiting:
        line = lines[waiting.popleft()]
        while line.hidden and (line.hidden < 2 or line.total < k):
            partner = line.next_told(hidden)
            if partner is None:
                break
            hidden.add(partner)
            _hide(lines, partner, cells[partner])
            waiting.extend(_lines_of(partner))
    return hidden


def _hide(lines: Mapping[tuple[str, int], _Line], cell: Cell, number: int) -> None:
    for name in _lines_of(cell):
        lines[name].hidden += 1
        lines[name].total += number


def _lines_of(cell: Cell) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("unit", cell[0]), ("slice", cell[1])


def _told(number: int, rules: Sequence[Protect], k: int, before: int | None) -> Told:
    """A number of at least k as it is told."""
    words = str(number)
    for rule in rules:
        if isinstance(rule, Round):
            if before is not None and abs(number - before) < rule.base:
                number = before
            else:
                steps = (2 * number + rule.base) // (2 * rule.base)
                number = max(steps, -(-k // rule.base)) * rule.base
            words = str(number)
            top = None if rule.top is None else max(rule.top, k)
            if top is not None and number >= top:
                number, words = top, f"{top}+"
        elif isinstance(rule, Classes):
            above = [bound for bound in rule.bounds if bound > number]
            number = max((bound for bound in rule.bounds if bound <= number), default=k)
            words = f"{number}-{above[0] - 1}" if above else f"{number}+"
    return Told(number, words)
