"""Lengths of time as people say them."""

from gateway.clock import Clock
from gateway.model.errors import Refusal
from gateway.model.instant import SECOND, Instant
from gateway.model.quantity import DURATION, parse


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


def length(
    option: str, text: str, *, least: float = 0.0, below: str = "time goes forward."
) -> float:
    """The length of time that an option names, in seconds.

    Args:
        least: the shortest that is taken.
        below: what to say of a shorter one.

    Raises:
        Refusal: it is none, or too short.
    """
    try:
        seconds = parse(text, DURATION)
    except ValueError as error:
        raise Refusal(f"{option} {text}: {error}", exit_code=2) from None
    if seconds < least:
        raise Refusal(f"{option} {text}: {below}", exit_code=2)
    return seconds
