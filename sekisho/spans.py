"""Lengths of time as people say them."""

from gateway.clock import Clock
from gateway.model.instant import SECOND, Instant


def span(microseconds: Instant) -> str:
    """A length of time as people say it."""
    seconds = microseconds / SECOND
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def ago(at: Instant, clock: Clock) -> str:
    """How long ago, in the largest unit that gives at least two."""
    return f"{span(max(0, clock.now() - at))} ago"
