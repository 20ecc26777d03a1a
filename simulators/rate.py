"""Whether a fleet keeps its rate: what was due in each second, and what of it left in time."""

from dataclasses import dataclass

_IN_TIME_S = 1.0
"""An uplink that leaves later than this after it was due was not in time."""


@dataclass(slots=True)
class Rate:
    """Counts by seconds of wall time; memory does not grow.

    Attributes:
        wanted: uplinks due so far.
        held: of those, how many left in time.
        seconds: whole seconds in which any were due, so far.
        worst: the least share of a second's uplinks that left in time; 1.0 while all did.
        latest_s: how late the latest one was.
        due_s: when the newest one was due, seconds since the beginning.
    """

    wanted: int = 0
    held: int = 0
    seconds: int = 0
    worst: float = 1.0
    latest_s: float = 0.0
    due_s: float = 0.0
    _second: int = -1
    _due: int = 0
    _in_time: int = 0

    def note(self, due_s: float, left_s: float) -> None:
        """One uplink that was due at `due_s` and left at `left_s`, seconds since the beginning, in order."""
        if int(due_s) != self._second:
            self._close()
            self._second = int(due_s)
        in_time = left_s - due_s <= _IN_TIME_S
        self.due_s = due_s
        self._due += 1
        self._in_time += in_time
        self.wanted += 1
        self.held += in_time
        self.latest_s = max(self.latest_s, left_s - due_s)

    def _close(self) -> None:
        if self._due:
            self.seconds += 1
            self.worst = min(self.worst, self._in_time / self._due)
        self._due = self._in_time = 0

    def figures(self) -> dict[str, float]:
        """Per second of the time in which they were due; the second under way is not among the worst."""
        over = max(self.due_s, 1.0)
        return {
            "wanted_per_s": round(self.wanted / over, 1),
            "held_per_s": round(self.held / over, 1),
            "worst_second": round(self.worst, 3),
            "latest_s": round(self.latest_s, 3),
        }
