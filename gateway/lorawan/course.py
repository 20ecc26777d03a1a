"""How one device sends, as far as the network set it or knows it; in memory alone (the rule that sets it: `adr`)."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

UPLINKS = 20
"""That are listened to before anything is asked for."""

_MASK_TAKEN, _RATE_TAKEN, _POWER_TAKEN = 0b001, 0b010, 0b100
_ALL_TAKEN = 0b111


class Setting(NamedTuple):
    """How a device sends.

    Attributes:
        dr: number of the data rate.
        power: steps of 2 dB below the most; None while nobody knows.
        repeat: times that it sends each frame (NbTrans).
    """

    dr: int
    power: int | None
    repeat: int = 1


@dataclass(slots=True)
class Course:
    """What a session has come to.

    Attributes:
        now: as it sends, as far as that is known.
        top, weakest: fastest data rate and last step of power that it may be asked for: those it refused are beyond.
        heard: counter and best SNR of its last uplinks in that setting.
        asked: what it was asked for and has not answered; and in answer to which uplink.
        unanswered: how often in a row.
        rests: uplinks for which it is left alone.
        fewer: it was told to send each frame fewer times,
        least_repeat: and not fewer than so.
        over: it refused what no other request would mend.
    """

    now: Setting
    top: int
    weakest: int
    heard: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=UPLINKS))
    asked: tuple[int, Setting] | None = None
    unanswered: int = 0
    rests: int = 0
    fewer: bool = False
    least_repeat: int = 1
    over: bool = False

    def add(self, f_cnt: int, snr_db: float) -> None:
        """An uplink came."""
        self.heard.append((f_cnt, snr_db))

    def answered(self, taken: int) -> None:
        """The device's word on what it was asked for: it did all of it, or nothing (LoRaWAN 1.0.4 §5.3).

        Args:
            taken: the three bits of its LinkADRAns.
        """
        if self.asked is None:
            return
        (_, asked), now = self.asked, self.now
        self.asked, self.unanswered = None, 0
        if taken & _ALL_TAKEN == _ALL_TAKEN:
            self._take(asked)
            return
        power, power_now = asked.power or 0, now.power or 0
        if not taken & _RATE_TAKEN:
            self.top = asked.dr - 1
            self.over |= asked.dr == now.dr
        if not taken & _POWER_TAKEN:
            self.weakest = max(power - 1, 0)
            self.over |= power <= power_now
        self.over |= not taken & _MASK_TAKEN

    def sends(self, dr: int) -> None:
        """It sends at another data rate than it was known to: as it was asked, and its answer was lost; or it went back by
        itself because nobody answered, and did that at full power first.
        """
        if self.asked is not None and self.asked[1].dr == dr:
            asked = self.asked[1]
            self.asked, self.unanswered = None, 0
            self._take(asked)
        else:
            power = 0 if dr < self.now.dr else self.now.power
            self._take(Setting(dr, power, self.now.repeat))

    def leave_alone(self, uplinks: int) -> None:
        """It does not answer."""
        self.heard.clear()
        self.asked, self.unanswered, self.rests = None, 0, uplinks

    def _take(self, setting: Setting) -> None:
        """From here on it sends so. Who lost more once it sent fewer times is not told that again: it would swing back and forth."""
        self.fewer |= setting.repeat < self.now.repeat
        if self.fewer and setting.repeat > self.now.repeat:
            self.least_repeat = setting.repeat
        self.now = setting
        self.heard.clear()
