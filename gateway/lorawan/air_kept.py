"""The law of one forwarder, whose sums outlive the process: no kill lets an hour hold more than is permitted.

What was sent is written down by sixtieths, and beside it what may be sent until the next writing: that is on disk before a forwarder is asked
to send. Who comes back takes all of it for used, just now. Times are the machine's monotonic clock, which goes on over a kill; after a boot
all of it was sent right before that. The wall clock plays no part, so that it may jump.

A downlink that is permitted in both windows counts in the sums of both until its forwarder tells which one it took.
"""

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct

from gateway.lorawan.air_law import PARTS, AirLaw, AirSum, Transmission
from gateway.lorawan.rules import SECOND, SubBand

BOOT = 16
_AHEAD_US = 10 * SECOND
_SLOTS = 6
_KEPT = PARTS + 2
_RECORD = Struct(f">B{BOOT}s8sQ{_SLOTS * (_KEPT + 1)}I")
"""Form, boot, region, time, and for each sum: set aside, then its sixtieths up to the one after now. 1,545 bytes."""

_FORM = 1
_MOST = (1 << 32) - 1


class KeptLaw(AirLaw):
    """What one forwarder has sent, and may send.

    Args:
        boot: of this machine since it was switched on; b"" where nobody knows.
    """

    def __init__(self, rules: Sequence[SubBand], *, boot: bytes) -> None:
        super().__init__(rules)
        self._boot = boot.ljust(BOOT, b"\0")[:BOOT]
        self._region = blake2b("|".join(rule.law for rule in rules).encode(), digest_size=8).digest()  # fmt: skip
        kept = [n for n, rule in enumerate(rules) if rule.share and not rule.share.by_channel]
        self._kept = kept[:_SLOTS]
        self._promised = dict.fromkeys(self._kept, 0)
        self._on_disk = dict.fromkeys(self._kept, 0)

    def promise(self, counted: Transmission, other: Transmission | None) -> None:
        """Count a downlink in one window, and in the sum of the other, which it may be sent in as well."""
        self.sent(counted)
        if other is not None and (found := self._sum_for(other)) is not None:
            found.add(other)
        for one in (counted, other):
            number = None if one is None else self._number(one)
            if one is not None and number in self._promised:
                self._promised[number] += one.air_us

    def settle(self, counted: Transmission, other: Transmission | None, *, went: Transmission | None) -> None:  # fmt: skip
        """Its forwarder told in which of the two it went; None for not at all."""
        if other is not None and (found := self._sum_for(other)) is not None:
            found.drop(other)
        if went is not counted:
            self.unsent(counted)
            if went is not None:
                self.sent(went)

    @property
    def covered(self) -> bool:
        """Whether all that was promised is on disk."""
        return all(self._promised[number] <= self._on_disk[number] for number in self._kept)

    def record(self, now_s: float, *, last: bool = False) -> tuple[bytes, dict[int, int]]:
        """What is to be written down, and what `kept` is told once it is.

        Args:
            last: nothing more is sent after it.
        """
        now_us = round(now_s * SECOND)
        values: list[int] = []
        upto = {}
        for number in self._kept:
            ahead = 0 if last else self._sum_of(number).most_us // PARTS
            upto[number] = self._promised[number] + ahead
            values += [ahead, *self._parts(number, now_us)]
        values += [0] * (_SLOTS * (_KEPT + 1) - len(values))
        return _RECORD.pack(_FORM, self._boot, self._region, now_us, *values), upto

    def kept(self, upto: dict[int, int]) -> None:
        """That is on disk."""
        for number, air_us in upto.items():
            self._on_disk[number] = max(self._on_disk[number], air_us)

    def recall(self, record: bytes, now_s: float) -> None:
        """Go on behind what was written down; what is of another region or another version says nothing of this one."""
        if len(record) != _RECORD.size:
            return
        form, boot, region, then_us, *values = _RECORD.unpack(record)
        if form != _FORM or region != self._region:
            return
        now_us = round(now_s * SECOND)
        asides_us: tuple[int, ...]
        if any(boot) and boot != self._boot:  # the machine was off since: the clock began at 0
            base_us, asides_us = 0, (0,)
        else:
            base_us = then_us if any(boot) else now_us
            asides_us = (
                now_us,
                now_us + _AHEAD_US,
            )  # sent at the latest, or promised and still to be sent
        for slot, number in enumerate(self._kept):
            aside, *parts = values[slot * (_KEPT + 1) : (slot + 1) * (_KEPT + 1)]
            found = self._sum_of(number)
            first = base_us // found.part_us - PARTS
            for n, air_us in enumerate(parts):
                if air_us:
                    found.parts[first + n] += air_us
            for part in {aside_us // found.part_us for aside_us in asides_us}:
                found.parts[part] += aside

    def _sum_for(self, sent: Transmission) -> AirSum | None:
        number = self._number(sent)
        share = None if number is None else self._rules[number].share
        return None if number is None or share is None else self._sum(share, number, sent)

    def _sum_of(self, number: int) -> AirSum:
        share = self._rules[number].share
        assert share is not None
        return self._sums.setdefault((number, 0), AirSum(share))

    def _parts(self, number: int, now_us: int) -> list[int]:
        found = self._sum_of(number)
        first = now_us // found.part_us - PARTS
        return [min(found.parts.get(first + n, 0), _MOST) for n in range(_KEPT)]
