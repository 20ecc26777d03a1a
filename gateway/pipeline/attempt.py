"""One frame's step, fenced in."""

import logging
from collections.abc import Callable

from gateway.telemetry import Facts


def attempt(facts: Facts, step: Callable[[], None]) -> bool:
    """What one frame breaks must not end all others: False where it came to nothing, which is counted.

    No text of the error goes anywhere: it may hold a frame's bytes.
    """
    try:
        step()
    except Exception:  # noqa: BLE001 whatever it is
        facts.note(
            "lorawan: fault of ours",
            "A LoRaWAN frame met a fault of this program and came to nothing",
            logging.ERROR,
        )
        return False
    return True
