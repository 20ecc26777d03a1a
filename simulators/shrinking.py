"""The smallest part of a list that still fails: delta debugging.

A. Zeller, R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

Item = TypeVar("Item")
Fails = Callable[[list[Item]], bool]
"""Whether a part of the list fails; the order of the items stays as it was."""


def minimal(items: list[Item], fails: Fails[Item]) -> list[Item]:
    """A part of `items`, which fails as a whole, from which no single item can be taken (ddmin).

    For an empty list, and one item that fails alone, that is the list itself.
    """
    parts = 2
    while len(items) >= 2:
        bounds = [len(items) * n // parts for n in range(parts + 1)]
        pieces = list(pairwise(bounds))
        smaller = _first([items[a:b] for a, b in pieces], fails)
        if smaller is not None:
            items, parts = smaller, 2
            continue
        rest = [items[:a] + items[b:] for a, b in pieces] if parts > 2 else []
        smaller = _first(rest, fails)
        if smaller is not None:
            items, parts = smaller, max(parts - 1, 2)
            continue
        if parts == len(items):
            break
        parts = min(parts * 2, len(items))
    return items


def stretch(items: list[Item], fails: Fails[Item]) -> list[Item]:
    """A stretch of `items`, which fails as a whole, cut shorter at both ends while it still fails."""
    for at_front in (True, False):
        cut = len(items) // 2
        while cut:
            shorter = items[cut:] if at_front else items[:-cut]
            if fails(shorter):
                items = shorter
                cut = min(cut, len(items) // 2)
            else:
                cut //= 2
    return items


def _first(candidates: list[list[Item]], fails: Fails[Item]) -> list[Item] | None:
    return next((part for part in candidates if fails(part)), None)
