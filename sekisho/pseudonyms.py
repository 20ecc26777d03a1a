"""Whether pseudonyms in stored rows tell apart just whom they are to tell apart; no key is needed for it."""

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

from gateway.model.instant import Instant

BEARS: Mapping[str, str] = {"child_tracker": "pseudonym", "bus_stop_reader": "tag"}
"""Personal kind → the column that says whose a row is."""

_Sum: TypeAlias = tuple[int, int]


class Crowd:
    """Rows by whom they belong to. Two crowds are alike where their rows fall into the same groups,
    whatever the groups are called. Memory grows with groups, not with rows.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, Hashable, Hashable], _Sum] = {}

    def add(self, row: tuple[Any, ...], file: Hashable, who: Hashable) -> None:
        """One row, its kind first, of somebody in one file: pseudonyms change with it."""
        key = (row[0], file, who)
        count, total = self._groups.get(key, (0, 0))
        self._groups[key] = count + 1, total + hash(row)

    def forget(self, over: Instant) -> None:
        """Leave out the files, named by their first instant, that are gone by now."""
        self._groups = {key: it for key, it in self._groups.items() if not key[1] < over}  # type: ignore[operator]

    def unlike(self, other: "Crowd") -> Counter[str]:
        """Per kind, groups of this crowd that the other one has not."""
        return Counter(kind for kind, _ in (self.shapes() - other.shapes()).elements())

    def shapes(self) -> Counter[tuple[str, _Sum]]:
        """Kind and rows of each group, whatever it is called."""
        return Counter((key[0], it) for key, it in self._groups.items())
