"""What the oracle's mask is told of a fix, and what it remembers of a child."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.model.instant import DAY, Instant
from simulators.oracle_trip import Ended, Trip

_RECENT = 64


class Fix(NamedTuple):
    """One uplink of a child, as the mask sees it.

    Attributes:
        identity: tells it from the device's other uplinks.
        received_at: ours; `at` is when it was observed.
    """

    identity: tuple[Any, ...]
    at: Instant
    received_at: Instant
    late: bool
    lat: float | None
    lon: float | None
    accuracy_m: float | None


@dataclass(slots=True)
class Memory:
    """What the mask remembers of one child, in memory only.

    Attributes:
        before: place and time of the fix before.
        homes: what hid the child when the newest fix was judged.
        placed: whether it was seen in hiding since all was forgotten, and since the last silence.
    """

    open: bool = False
    last: Instant | None = None
    run: list[tuple[float, float, bool]] = field(default_factory=list)  # lat, lon, far from home
    recent: deque[tuple[Any, ...]] = field(default_factory=lambda: deque(maxlen=_RECENT))
    heard: Instant | None = None
    before: tuple[float, float, Instant] | None = None
    placed: tuple[bool, bool] = (False, False)
    homes: list[tuple[float, float, float]] | None = None
    trip: Trip = field(default_factory=Trip)

    def lose(self) -> list[Ended]:
        """A silence, a late fix in hiding: closed, and nobody knows where the child is."""
        self.open, self.run, self.before = False, [], None
        self.placed = (self.placed[0], False)
        return self.trip.forget()


def unheard(memory: Memory, received_at: Instant) -> bool:
    """Whether all that is remembered of a device is over."""
    return memory.heard is not None and received_at - memory.heard > DAY
