"""Coarser values: five decimals of a degree, steps of time, four classes of battery."""

from datetime import tzinfo

from gateway.model.instant import HOUR, MINUTE, SECOND, Instant, to_datetime

_SCALE = 100_000.0  # five decimals: about 1.1 m
_CLEAR_OF_A_TIE = 0.4999


def rounded(degrees: float) -> float:
    """`round(degrees, 5)`, several times faster away from ties.

    Raises:
        ValueError, OverflowError: not finite.
    """
    scaled = degrees * _SCALE
    whole = round(scaled)
    if -_CLEAR_OF_A_TIE < scaled - whole < _CLEAR_OF_A_TIE:
        return whole / _SCALE
    return round(degrees, 5)


def minute_of(at: Instant) -> Instant:
    """The start of the one-minute bin."""
    return at - at % MINUTE


def bin_of(at: Instant, step: Instant, zone: tzinfo) -> Instant:
    """The start of the time bin; bins longer than an hour are counted from local midnight's offset."""
    if step <= HOUR:
        return at - at % step
    offset = to_datetime(at, zone).utcoffset()
    ahead = 0 if offset is None else int(offset.total_seconds()) * SECOND
    return at - (at + ahead) % step


def battery_class(percent: float | None) -> int | None:
    """1 (≤ 25 %), 2 (≤ 50 %), 3 (≤ 75 %), 4 (above); None if unknown."""
    if percent is None:
        return None
    return 1 if percent <= 25.0 else 2 if percent <= 50.0 else 3 if percent <= 75.0 else 4
