"""How long a device that nobody answers may go on asking to join: so that a city after a power cut does not drown its network.

within one hour of being switched on    36 s on the air
within the ten hours after              36 s
every 24 hours after that               8.7 s                    (LoRaWAN 1.0.4 §7)
"""

LAW = "LoRaWAN 1.0.4 §7: join-requests, 36 s of the first hour, 36 s of the next ten, 8.7 s a day"

_HOUR_US = 3_600_000_000
_FIRST = ((_HOUR_US, 36_000_000), (11 * _HOUR_US, 36_000_000))
_DAY_US, _A_DAY_US = 24 * _HOUR_US, 8_700_000


class JoinBudget:
    """One device's.

    Args:
        on_us: when it was switched on, on the clock that is used below.
    """

    def __init__(self, on_us: int) -> None:
        self._on_us = on_us
        self._until_us = 0
        self._used_us = 0

    def wait_us(self, now_us: int, air_us: int) -> int:
        """How long it must wait before a request of this length; 0 if it need not."""
        until, most = self._stretch(now_us)
        used = self._used_us if until == self._until_us else 0
        return 0 if used + air_us <= most else until - now_us

    def sent(self, now_us: int, air_us: int) -> None:
        """A request was sent."""
        until, _ = self._stretch(now_us)
        if until != self._until_us:
            self._until_us, self._used_us = until, 0
        self._used_us += air_us

    def _stretch(self, now_us: int) -> tuple[int, int]:
        """When the stretch of now ends, and how much airtime it has."""
        since = now_us - self._on_us
        for end, most in _FIRST:
            if since < end:
                return self._on_us + end, most
        last, _ = _FIRST[-1]
        return self._on_us + last + ((since - last) // _DAY_US + 1) * _DAY_US, _A_DAY_US
