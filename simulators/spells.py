"""Faults that last: each makes of one uplink after another what a device in that state would send.

A spell answers None when it is over; the uplink is then said as it is.
"""

from random import Random
from typing import Protocol

from gateway.model.instant import DAY, HOUR, MINUTE
from simulators.damage import said_again
from simulators.uplink import SimUplink

SKEWS = (
    *(-40 * DAY, -8 * DAY, -26 * HOUR, -3 * HOUR, -12 * MINUTE),
    *(12 * MINUTE, 50 * MINUTE, 3 * HOUR, 26 * HOUR),
)
"""How wrong a device's clock may be: up to an hour ahead is believed, seven days behind is too late, and
forty days behind lies before the device was registered."""

_LAST_WORDS = 5
"""Uplinks between a battery that is low and one that is empty."""


class Spell(Protocol):
    """What a device in trouble sends instead."""

    def __call__(self, uplink: SimUplink) -> SimUplink | None:
        """Its next uplink; None when the trouble is over."""
        ...


class ClockSkew:
    """The device's own clock is wrong by a fixed length."""

    def __init__(self, dice: Random) -> None:
        self._left = dice.randint(5, 40)
        self._skew = dice.choice(SKEWS)

    def __call__(self, uplink: SimUplink) -> SimUplink | None:
        if self._left == 0 or uplink.t is None:
            return None
        self._left -= 1
        return said_again(uplink, t=uplink.t + self._skew)._replace(harm="clock_skew")


class Stuck:
    """The sensor, and in one spell of three the counter, stays where it was at the beginning."""

    def __init__(self, dice: Random, first: SimUplink) -> None:
        self._left = dice.randint(5, 60)
        self._fields = first.values
        self._seq = first.seq if dice.random() < 1 / 3 else None

    def __call__(self, uplink: SimUplink) -> SimUplink | None:
        if self._left == 0:
            return None
        self._left -= 1
        return said_again(uplink, seq=self._seq, fields=self._fields)._replace(harm="stuck")


class DeadGps:
    """The tracker finds no position, or believes to be where the equator meets Greenwich's meridian."""

    def __init__(self, dice: Random) -> None:
        self._left = dice.randint(10, 60)
        self._place = dice.choice(({}, {"lat": 0.0, "lon": 0.0, "accuracy_m": 5.0}))

    def __call__(self, uplink: SimUplink) -> SimUplink | None:
        if self._left == 0:
            return None
        self._left -= 1
        values = uplink.values or {}
        rest = {name: value for name, value in values.items() if name not in _POSITION}
        return said_again(uplink, fields={**rest, **self._place})._replace(harm="dead_gps")


_POSITION = ("lat", "lon", "accuracy_m")


class BatteryDeath:
    """A few last words where the battery is said, then nothing any more."""

    def __init__(self, first: SimUplink) -> None:
        self._left = _LAST_WORDS if "battery_pct" in (first.values or {}) else 0

    def __call__(self, uplink: SimUplink) -> SimUplink | None:
        if self._left == 0:
            return uplink._replace(harm="battery_death", lost=True)
        self._left -= 1
        fields = {**(uplink.values or {}), "battery_pct": float(self._left)}
        return said_again(uplink, fields=fields)._replace(harm="battery_death")
