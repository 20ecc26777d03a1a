"""The virtual clock: what happens in town, in order of town time."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from gateway.model.instant import Instant

Happening = Callable[[Instant], None]
"""Something that happens at a moment; it may plan further happenings."""


class Timeline:
    """A heap of (at, serial, happening). Equal moments happen in the order they were planned."""

    def __init__(self, start: Instant) -> None:
        self.now = start
        self._heap: list[tuple[Instant, int, Happening]] = []
        self._serial = count()

    def plan(self, at: Instant, happening: Happening) -> None:
        """Let something happen at `at`.

        Raises:
            ValueError: `at` has passed; town time never goes back.
        """
        if at < self.now:
            raise ValueError(f"planned {self.now - at} µs too late")
        heappush(self._heap, (at, next(self._serial), happening))

    @property
    def next_at(self) -> Instant | None:
        """When the next happening is due; None when nothing is planned."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Go to the next happening and let it happen."""
        at, _, happening = heappop(self._heap)
        self.now = at
        happening(at)
