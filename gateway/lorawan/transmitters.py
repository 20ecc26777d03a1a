"""What each forwarder may still send: every downlink is held against the law of the air before a forwarder has it.

Both windows are asked for; the first that is permitted is counted at once, because others are asked meanwhile, and in the sums the other
one, too. A forwarder that fell back to RX2 says so, and then that one counts alone; of one that sent nothing nothing counts. One that
tells nothing may have sent, and counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.lorawan.air_kept import KeptLaw
from gateway.lorawan.air_law import Clause, Transmission
from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.calendar import TAKEN, Calendar
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import RX1, RX2, Downlink, Reception
from gateway.lorawan.rules import SubBand
from gateway.wire.lorawan.identifiers import Eui

_TOO_SLOW = Clause("too large for the data rates of both windows", "RP002-1.0.4, maximum payload")


@dataclass(frozen=True, slots=True, eq=False)
class Booking:
    """A downlink that its forwarder may send.

    Attributes:
        sending: as it was to be sent.
        downlink: with the windows that are permitted, one at least.
        forwarder: that it is for.
        station: whether that speaks as a Basics Station.
        law: of it.
        calendar: of all of them.
        windows: both, by their numbers.
    """

    sending: Downlink
    downlink: Downlink
    forwarder: Eui
    station: bool
    law: KeptLaw
    calendar: Calendar
    windows: dict[int, Transmission]

    @property
    def counted(self) -> tuple[Transmission, Transmission | None]:
        """The window that was counted, and the other one where it may be sent in that as well."""
        first, second = self.windows[RX1], self.windows[RX2]
        if not self.downlink.first:
            return second, None
        return first, second if self.downlink.second else None

    def used(self, window: int | None) -> None:
        """It went out in this window; None for not at all."""
        went = None if window is None else self.windows[window]
        self.law.settle(*self.counted, went=went)
        if went is not self.counted[0]:
            self.calendar.strike(self.counted[0], self.forwarder)
            if went is not None:
                self.calendar.enter(went, self.forwarder)

    def unknown(self, window: int) -> None:
        """Its forwarder did not tell, and may have sent it: a station in either window, which both go on to count; over UDP
        it was asked for this one alone.
        """
        if not self.station:
            self.used(window)


class Transmitters:
    """All forwarders of one network.

    Args:
        rules: of the region.
        boot: of this machine; what was sent before another one is over.

    Attributes:
        laws: of those that were asked to send, or did before a restart; one each, however it speaks.
        calendar: who sends when.
        refused: how many windows were refused, by clause.
    """

    def __init__(self, rules: Sequence[SubBand], boot: bytes = b"") -> None:
        self._rules = rules
        self._boot = boot
        self.laws: dict[Eui, KeptLaw] = {}
        self.calendar = Calendar()
        self.refused: Counter[str] = Counter()

    def recall(self, records: Mapping[Eui, bytes], now_s: float) -> None:
        """What they have sent, as it was written down."""
        for forwarder, record in records.items():
            self._law(forwarder).recall(record, now_s)

    def _law(self, forwarder: Eui) -> KeptLaw:
        law = self.laws.get(forwarder)
        if law is None:
            law = self.laws[forwarder] = KeptLaw(self._rules, boot=self._boot)
        return law

    def book(self, downlink: Downlink, heard: Reception, *, in_rx1: bool = False) -> Booking | Clause:  # fmt: skip
        """Let the forwarder send it in the windows that are permitted; the clause of RX2 where none is.

        Args:
            in_rx1: only if RX1 is one of them; else its clause.
        """
        law = self._law(heard.forwarder)
        law.station = heard.way.station
        at_s = heard.heard_s + downlink.delay_s
        first = _sent(downlink, at_s, downlink.rx1_freq_hz, downlink.rx1_rate)
        second = _sent(downlink, at_s + 1, downlink.rx2_freq_hz, downlink.rx2_rate)
        free = not downlink.second or self.calendar.is_free(second, heard.forwarder)
        clauses = law.allow(first), law.allow(second) or (None if free else TAKEN)
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
        windows = {RX1: first, RX2: second}
        booking = Booking(
            *(downlink, allowed, heard.forwarder, heard.way.station),
            *(law, self.calendar, windows),
        )
        law.promise(*booking.counted)
        self.calendar.enter(booking.counted[0], heard.forwarder)
        return booking


def _sent(downlink: Downlink, at_s: float, freq_hz: int, rate: DataRate) -> Transmission:
    air_us = airtime_us(len(downlink.phy), rate, crc=False)
    return Transmission(at_s, freq_hz, rate, air_us, downlink.eirp_dbm)
