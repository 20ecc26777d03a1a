"""The menu of faults: what can go wrong on purpose, and how often."""

from collections.abc import Mapping

MENU: Mapping[str, str] = {
    "loss": "never sent",
    "duplicate": "sent again, up to 90 s later",
    "reorder": "sent behind the device's next one",
    "delay": "sent 1 to 45 minutes late",
    "clock_skew": "a spell with a clock wrong by minutes, hours or days",
    "stuck": "a spell with the same values again and again, now and then the same counter too",
    "corrupt": "damaged bytes",
    "out_of_range": "a value beyond its limits",
    "unknown_device": "sent under an id that nobody registered",
    "battery_death": "the battery runs down, and the device falls silent for good",
    "flood": "200 to 400 uplinks within seconds",
    "half_open": "a connection dies in the middle of it and is never closed; sent again on another",
    "dead_gps": "a tracker's spell without a position, or with (0, 0)",
}
"""Fault → what happens. A rate is the share of a device's uplinks at which it happens, or begins."""

USUAL = ("duplicate", "corrupt", "out_of_range", "unknown_device")
"""What `harm` is made of, in equal parts."""

DEFAULT_RATE = 0.004
"""Of `harm`: enough that a short look at the town shows some."""


def rates(harm: float, faults: Mapping[str, float]) -> dict[str, float]:
    """Fault → rate, without those that never happen; a fault named for itself replaces its part of `harm`."""
    wanted = {name: harm / len(USUAL) for name in USUAL} | dict(faults)
    return {name: wanted[name] for name in MENU if wanted.get(name, 0.0) > 0.0}
