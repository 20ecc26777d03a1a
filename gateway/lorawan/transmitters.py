"""What each forwarder may still send: every downlink is held against the law of the air before a forwarder has it.

Both windows are asked for; the first that is permitted is counted at once, because others are asked meanwhile. A forwarder
that fell back to RX2 says so, and then that one counts; of one that sent nothing nothing counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.lorawan.air_law import AirLaw, Clause, Transmission
from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import RX1, RX2, Downlink, Reception
from gateway.lorawan.rules import SubBand
from gateway.wire.lorawan.identifiers import Eui

_TOO_SLOW = Clause("too large for the data rates of both windows", "RP002-1.0.4, maximum payload")


@dataclass(frozen=True, slots=True, eq=False)
class Booking:
    """A downlink that its forwarder may send.

    Attributes:
        downlink: with the windows that are permitted, one at least.
        law: of the forwarder.
        windows: both, by their numbers.
    """

    downlink: Downlink
    law: AirLaw
    windows: dict[int, Transmission]

    @property
    def counted(self) -> int:
        """Which window was counted."""
        return RX1 if self.downlink.first else RX2

    def used(self, window: int | None) -> None:
        """It went out in this window; None for not at all."""
        if window == self.counted:
            return
        self.law.unsent(self.windows[self.counted])
        if window is not None:
            self.law.sent(self.windows[window])


class Transmitters:
    """All forwarders of one network.

    Args:
        rules: of the region.

    Attributes:
        refused: how many windows were refused, by clause.
    """

    def __init__(self, rules: Sequence[SubBand]) -> None:
        self._rules = rules
        self._laws: dict[tuple[Eui, bool], AirLaw] = {}
        self.refused: Counter[str] = Counter()

    def book(self, downlink: Downlink, heard: Reception, *, in_rx1: bool = False) -> Booking | Clause:  # fmt: skip
        """Let the forwarder send it in the windows that are permitted; the clause of RX2 where none is.

        Args:
            in_rx1: only if RX1 is one of them; else its clause.
        """
        station = heard.way.station
        law = self._laws.get((heard.forwarder, station))
        if law is None:
            law = self._laws[heard.forwarder, station] = AirLaw(self._rules, station=station)
        at_s = heard.heard_s + downlink.delay_s
        first = _sent(downlink, at_s, downlink.rx1_freq_hz, downlink.rx1_rate)
        second = _sent(downlink, at_s + 1, downlink.rx2_freq_hz, downlink.rx2_rate)
        clauses = law.allow(first), law.allow(second)
        for clause in clauses[:1] if in_rx1 else clauses:
            if clause is not None:
                self.refused[str(clause)] += 1
        allowed = replace(
            downlink,
            first=downlink.first and clauses[0] is None,
            second=downlink.second and clauses[1] is None,
        )
        if in_rx1 and not allowed.first:
            return clauses[0] or _TOO_SLOW
        if not allowed.first and not allowed.second:
            return clauses[1] or clauses[0] or _TOO_SLOW
        booking = Booking(allowed, law, {RX1: first, RX2: second})
        law.sent(booking.windows[booking.counted])
        return booking


def _sent(downlink: Downlink, at_s: float, freq_hz: int, rate: DataRate) -> Transmission:
    air_us = airtime_us(len(downlink.phy), rate, crc=False)
    return Transmission(at_s, freq_hz, rate, air_us, downlink.eirp_dbm)
