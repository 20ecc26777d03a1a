"""What a node lives on: a lithium cell that empties with every frame, window and hour, or mains.

Figures: SX1276 datasheet (29 mA at 13 dBm, 20 at 7, 11 while it listens), with 11 mA for the sensor and its processor while they
are awake; 30 µA asleep. A cell of 2,400 mAh keeps 3.6 V to its last fifth and falls to 3.0 V.
"""

CAPACITY_MAH = 2400.0
_TX_MA, _TX_MA_PER_STEP, _RX_MA, _SLEEP_MA = 40.0, 2.5, 22.0, 0.03
_FULL_V, _EMPTY_V, _KNEE = 3.6, 3.0, 0.2
_HOUR_US = 3_600_000_000
_EMPTIEST, _FULLEST = 1, 254
MAINS = 0
"""What a node on mains says in DevStatusAns (LoRaWAN 1.0.4 §5.5)."""


class Battery:
    """One cell.

    Args:
        charge: share of its capacity at the beginning, 0 to 1.
    """

    def __init__(self, charge: float) -> None:
        self._left_mah = CAPACITY_MAH * charge
        self._seen_us = 0

    @property
    def share(self) -> float:
        """What is left, 0 to 1."""
        return max(0.0, self._left_mah) / CAPACITY_MAH

    @property
    def empty(self) -> bool:
        return self._left_mah <= 0

    @property
    def volts(self) -> float:
        """What its meter shows."""
        low = min(1.0, self.share / _KNEE)
        return round(_EMPTY_V + (_FULL_V - _EMPTY_V) * low, 2)

    @property
    def level(self) -> int:
        """As DevStatusAns says it: 1 empty, 254 full."""
        return _EMPTIEST + round(self.share * (_FULLEST - _EMPTIEST))

    def sleep(self, now_us: int) -> None:
        """It has slept since it was asked last."""
        self._draw(_SLEEP_MA, now_us - self._seen_us)
        self._seen_us = now_us

    def send(self, air_us: int, power_steps: int) -> None:
        """A frame with so many steps of power less than the most."""
        self._draw(_TX_MA - _TX_MA_PER_STEP * power_steps, air_us)

    def listen(self, for_us: int) -> None:
        """Its receiver was on."""
        self._draw(_RX_MA, for_us)

    def _draw(self, milliamperes: float, for_us: int) -> None:
        self._left_mah -= milliamperes * for_us / _HOUR_US
