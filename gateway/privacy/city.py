"""Rows about things of the city: kept as they are, with the identity in clear."""

from collections.abc import Callable
from typing import Any

from gateway.model.reading import Reading
from gateway.privacy.undated import Undated

RowMaker = Callable[[Any, Any], tuple[Any, ...]]
"""A kind's own `row`: (document, device) → values of its columns."""

_NO_COUNTER = -1


def city_row(reading: Reading, make: RowMaker, undated: Undated) -> tuple[Any, ...] | None:
    """One row in the order of `CITY_HEAD` and the kind's columns; None for a repetition.

    Only a repetition that the store's key cannot know is told here: see `undated`.
    """
    device = reading.device
    name = device.device
    counter = reading.counter
    at = reading.observed_at
    received_at = reading.received_at
    dated = at == reading.device_time
    if not dated or at > received_at:
        key = (name, counter, reading.digest, 0)
        if undated.seen(key, received_at):
            return None
        if not dated:
            undated.remember(key, received_at)
    return (
        at,
        name,
        _NO_COUNTER if counter is None else counter,
        reading.digest,
        0,
        received_at,
        _clock(reading, dated),
        1 if reading.late else 0,
        *make(reading.values, device),
    )


def _clock(reading: Reading, dated: bool) -> str:
    if reading.simulated:
        return "simulated"
    if dated:
        return "device"
    return "network" if reading.observed_at == reading.network_at else "gateway"
