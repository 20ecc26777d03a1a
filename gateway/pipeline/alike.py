"""How long the last commits took, to be played again where nothing about people was written.

A commit of rows about people syncs a file of its own, before the city's: on a slow disk a batch whose fixes
were all suppressed would be ready that much sooner, beside a gauge's row as well as alone (record 0004).
"""

from collections import deque

_LIKE = 32
"""Commits of a sort whose times are played again …"""

_AT_MOST = 80
"""… in parts of a tick, so that a disk that was away for minutes slows nobody down once it is back."""


class LastCommits:
    """Times of the last commits in parts of a tick, by what they wrote: rows about people, rows of the city."""

    def __init__(self) -> None:
        self._took: dict[tuple[bool, bool], deque[int]] = {}
        self._played = 0

    def remember(self, ticks: int, *, people: bool, city: bool) -> None:
        """A commit took so long."""
        took = self._took.setdefault((people, city), deque(maxlen=_LIKE))
        took.append(min(ticks, _AT_MOST))

    def play(self, *, city: bool) -> int:
        """What a commit about people took, each of the last in its turn; 0 where nothing was written yet.

        Args:
            city: whether it wrote rows of the city too. Where no such one is known, the likest is taken.
        """
        for sort in ((True, city), (True, not city), (False, True)):
            if took := self._took.get(sort):
                self._played += 1
                return took[self._played % len(took)]
        return 0
