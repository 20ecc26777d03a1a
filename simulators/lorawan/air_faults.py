"""What goes wrong at forwarders and behind them, on purpose: the menu, and what a forwarder's clock then says."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from gateway.model.instant import DAY, Instant

_YEARS_OFF = 2 * 365 * DAY

MENU = {
    "outage": "share of frames at which a forwarder's backhaul goes away, for 50 s in the middle: what it hears "
    "meanwhile is handed over late, or lost (half of it over UDP)",
    "wrong_clock": "share of messages whose forwarder's clock is two years behind",
    "no_clock": "share of messages whose forwarder does not know the time",
    "antennas": "share of forwarders with two antennas, which tell of every frame twice",
}


@dataclass(frozen=True, slots=True)
class AirFaults:
    """Fault → rate, as `MENU` explains."""

    outage: float = 0.0
    wrong_clock: float = 0.0
    no_clock: float = 0.0
    antennas: float = 0.0


def clock(now: Callable[[], Instant], faults: AirFaults, dice: Random) -> Callable[[], Instant | None]:  # fmt: skip
    """A forwarder's own idea of the time."""

    def believed() -> Instant | None:
        fate = dice.random()
        if fate < faults.no_clock:
            return None
        if fate < faults.no_clock + faults.wrong_clock:
            return now() - _YEARS_OFF
        return now()

    return believed
