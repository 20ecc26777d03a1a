"""Whether anybody still answers: a node asks after so many uplinks, and then makes itself heard (LoRaWAN 1.0.4 §4.3.1.1).

uplinks since the last downlink    with the usual 64 and 32
64 and more                        ADRACKReq
96, 128, 160 …                     first the most power, then a slower data rate each time, at last all own channels, once each
"""

from simulators.lorawan.tuning import Tuning

LIMIT, DELAY = 64, 32


class Touch:
    """How long nobody answered.

    Args:
        limit, delay: ADR_ACK_LIMIT and ADR_ACK_DELAY.
    """

    def __init__(self, tuning: Tuning, limit: int = LIMIT, delay: int = DELAY) -> None:
        self._tuning = tuning
        self._limit, self._delay = limit, delay
        self._since = 0
        self._helped = False

    def uplink(self) -> bool:
        """A new uplink begins; whether it asks for any answer at all."""
        since, self._since = self._since, self._since + 1
        overdue = since - self._limit
        if overdue < 0 or (self._tuning.at_default() and not self._helped):
            return False
        if overdue and overdue % self._delay == 0:
            self._help()
        return True

    def downlink(self) -> None:
        """Somebody answered."""
        self._since = 0
        self._helped = False

    def _help(self) -> None:
        tuning = self._tuning
        self._helped = True
        if tuning.power_steps:
            tuning.power_steps = 0
        elif tuning.dr > tuning.lowest:
            tuning.dr -= 1
        else:
            tuning.restore()
