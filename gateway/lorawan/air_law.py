"""Whether one transmitter may send: power, length, pauses and sums, by its region's rules; and the clause when not.

Ask, then tell what was sent, and take back what was not sent after all. Nothing is known of what others send: carrier sense is the forwarder's (or the device's) own.
Answers are promised for later windows, so times may come out of order, by ten seconds at most. Sums are kept in sixtieths of
their stretch of time and counted over sixty-one, so that no stretch ever holds more, and memory never grows.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from gateway.lorawan.plan import DataRate
from gateway.lorawan.rules import SECOND, Share, SubBand

PARTS = 60
"""Into how many a stretch is divided."""

_KEPT = 3 * PARTS
_LATE_US = 10 * SECOND
_RECENT = 256
_GRID_HZ = 25_000


class Transmission(NamedTuple):
    """One frame on the air.

    Attributes:
        at_s: when it begins, on whatever clock the caller has.
        air_us: how long it takes (`airtime.airtime_us`).
    """

    at_s: float
    freq_hz: int
    rate: DataRate
    air_us: int
    eirp_dbm: float

    @property
    def at_us(self) -> int:
        """The same in microseconds."""
        return round(self.at_s * SECOND)


class Clause(NamedTuple):
    """Why a transmission is refused.

    Attributes:
        says: what the law asks for, and what this transmission is.
        law: where that stands.
    """

    says: str
    law: str

    def __str__(self) -> str:
        return f"{self.says} ({self.law})"


class AirLaw:
    """What one transmitter has sent, and may send.

    Args:
        rules: of its region (`Plan.rules`).
        station: see below.

    Attributes:
        station: whether it speaks as a LoRa Basics Station now, which keeps channels to a share of its own.
    """

    def __init__(self, rules: Sequence[SubBand], *, station: bool = False) -> None:
        self._rules = rules
        self.station = station
        self._pauses = _Pauses()
        self._rests: defaultdict[tuple[int, int], _Pauses] = defaultdict(_Pauses)
        self._sums: dict[tuple[int, int], AirSum] = {}

    def allow(self, sent: Transmission) -> Clause | None:
        """The clause that forbids a transmission; None if it may be sent."""
        number = self._number(sent)
        if number is None:
            return Clause(
                f"nothing may be sent on {sent.freq_hz / 1e6:g} MHz with {sent.rate.bw_hz // 1000} kHz",
                self._rules[0].law if self._rules else "no rules are known for this region",
            )
        rule = self._rules[number]
        says = _alone(rule, sent)
        if says is None and rule.pauses and not self._pauses.fits(sent, rule.owed_us(sent.air_us)):
            says = "the silence after a transmission is not over"
        if says is None and not self._rested(rule, sent):
            says = (
                f"a Basics Station rests {rule.station_rest} times the airtime, and would drop this"
            )
        if says is None and rule.share and not self._sum(rule.share, number, sent).fits(sent):
            most, within = rule.share.most_us / SECOND, rule.share.within_us / SECOND
            says = f"{most:g} s of any {within:g} s are used up"
        return None if says is None else Clause(says, rule.law)

    def sent(self, sent: Transmission) -> None:
        """Count a transmission, whether it was allowed or not."""
        number = self._number(sent)
        if number is None:
            return
        rule = self._rules[number]
        self._pauses.add(sent, rule.owed_us(sent.air_us))
        if rule.station_rest:
            self._rest(rule, sent).add(sent, (rule.station_rest - 1) * sent.air_us)
        if rule.share is not None:
            self._sum(rule.share, number, sent).add(sent)

    def unsent(self, sent: Transmission) -> None:
        """One that was counted was not sent after all."""
        number = self._number(sent)
        if number is None:
            return
        rule = self._rules[number]
        self._pauses.drop(sent)
        if rule.station_rest:
            self._rest(rule, sent).drop(sent)
        if rule.share is not None:
            self._sum(rule.share, number, sent).drop(sent)

    def _number(self, sent: Transmission) -> int | None:
        """Which rule holds."""
        for number, rule in enumerate(self._rules):
            if rule.holds(sent.freq_hz, sent.rate.bw_hz):
                return number
        return None

    def _rested(self, rule: SubBand, sent: Transmission) -> bool:
        if not (self.station and rule.station_rest):
            return True
        return self._rest(rule, sent).fits(sent, (rule.station_rest - 1) * sent.air_us)

    def _rest(self, rule: SubBand, sent: Transmission) -> "_Pauses":
        return self._rests[_scope(rule.station_rest, sent, by_channel=rule.rest_by_channel)]

    def _sum(self, share: Share, number: int, sent: Transmission) -> "AirSum":
        key = _scope(number, sent, by_channel=share.by_channel)
        return self._sums.setdefault(key, AirSum(share))


def _alone(rule: SubBand, sent: Transmission) -> str | None:
    """What is wrong with a transmission whatever was sent before it."""
    if sent.eirp_dbm > rule.eirp_dbm:
        return f"{rule.eirp_dbm:g} dBm EIRP at most; this is {sent.eirp_dbm:g} dBm"
    if rule.longest_us is not None and sent.air_us > rule.longest_us:
        return f"{rule.longest_us / 1000:g} ms at most; this takes {sent.air_us / 1000:.0f} ms"
    return None


def _scope(purse: int, sent: Transmission, *, by_channel: bool) -> tuple[int, int]:
    """What a sum or a rest is counted for: all of a purse, or one channel of it."""
    return purse, round(sent.freq_hz / _GRID_HZ) if by_channel else 0


class _Pauses:
    """Transmissions that others must keep away from: (begin, end with the silence owed)."""

    def __init__(self) -> None:
        self._recent: list[tuple[int, int]] = []

    def fits(self, sent: Transmission, owed_us: int) -> bool:
        """Whether neither breaks the other's silence."""
        until = sent.at_us + sent.air_us + owed_us
        return all(sent.at_us >= end or until <= begin for begin, end in self._recent)

    def add(self, sent: Transmission, owed_us: int) -> None:
        self._recent.append((sent.at_us, sent.at_us + sent.air_us + owed_us))
        newest = max(begin for begin, _end in self._recent)
        kept = [one for one in self._recent if one[1] > newest - _LATE_US]
        self._recent = kept[-_RECENT:]

    def drop(self, sent: Transmission) -> None:
        for one in self._recent:
            if one[0] == sent.at_us:
                self._recent.remove(one)
                return


class AirSum:
    """Airtime of one scope by sixtieths of the stretch in which it is limited.

    Attributes:
        most_us: that is permitted within the stretch.
        part_us: how long a sixtieth is.
        parts: number of the sixtieth → microseconds on the air.
    """

    def __init__(self, share: Share) -> None:
        self.most_us = share.most_us
        self.part_us = -(-share.within_us // PARTS)
        self.parts: defaultdict[int, int] = defaultdict(int)

    def fits(self, sent: Transmission) -> bool:
        """Whether no run of sixty-one parts would hold too much."""
        parts = self.parts.copy()
        added = self._split(sent)
        for part, us in added:
            parts[part] += us
        first, last = added[0][0], max(parts)
        ends = range(first, min(last, added[-1][0] + PARTS) + 1)
        return all(
            sum(us for part, us in parts.items() if end - PARTS <= part <= end) <= self.most_us
            for end in ends
        )

    def add(self, sent: Transmission) -> None:
        for part, us in self._split(sent):
            self.parts[part] += us
        oldest = max(self.parts) - _KEPT
        for part in [part for part in self.parts if part < oldest]:
            del self.parts[part]

    def drop(self, sent: Transmission) -> None:
        for part, us in self._split(sent):
            if part in self.parts:
                self.parts[part] -= us

    def _split(self, sent: Transmission) -> list[tuple[int, int]]:
        """The parts that a transmission touches, and how much of it lies in each."""
        found = []
        at_us, end = sent.at_us, sent.at_us + sent.air_us
        while at_us < end:
            part = at_us // self.part_us
            upto = min(end, (part + 1) * self.part_us)
            found.append((part, upto - at_us))
            at_us = upto
        return found or [(at_us // self.part_us, 0)]
