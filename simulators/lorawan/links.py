"""How much is lost between two antennas: distance, what stands between, and a little that changes from frame to frame.

    loss = 128.95 + 23.2 log10(d / 1 km) + N(0, 7.8)       dB, d at least 10 m

Measured at 868 MHz from a car around one antenna in Oulu (Petäjäjärvi and others, ITST 2015). What stands between
two antennas stays there: its part is drawn once for each pair, and is the same both ways.
"""

from collections.abc import Mapping
from functools import cache
from math import log10

from simulators.streams import stream
from simulators.streets import Point, distance

_AT_1_KM_DB, _DECADE_DB = 128.95, 23.2
_NEAREST_M = 10.0

SHADOW_DB = 7.8
"""Standard deviation of what stands between two antennas."""

FADING_DB = 2.0
"""Standard deviation from frame to frame of antennas that do not move."""

FORWARDER_GAIN_DB = 5.0
"""Of a forwarder's antenna; the gateway should know of it (`gain_db`), since the law limits what leaves it."""


def plain_loss_db(metres: float) -> float:
    """The loss over open ground, by distance alone."""
    return _AT_1_KM_DB + _DECADE_DB * log10(max(metres, _NEAREST_M) / 1000)


class Links:
    """Losses between named antennas of one town.

    Args:
        places: name → where it stands.
    """

    def __init__(self, seed: int, places: Mapping[str, Point]) -> None:
        self._seed = seed
        self._places = places
        self._loss = cache(self._draw)

    def loss_db(self, one: str, other: str) -> float:
        """Between these two, either way."""
        return self._loss(*sorted((one, other)))

    def _draw(self, one: str, other: str) -> float:
        metres = distance(self._places[one], self._places[other])
        return plain_loss_db(metres) + shadow_db(self._seed, one, other)


def shadow_db(seed: int, one: str, other: str) -> float:
    """What stands between two antennas, either way."""
    return stream(seed, "shadow", *sorted((one, other))).gauss(0.0, SHADOW_DB)
