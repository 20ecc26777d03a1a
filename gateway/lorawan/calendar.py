"""Who sends when, of our own forwarders: two that reach the same devices must not answer in RX2 at a time, nor one forwarder twice.

RX2 is one slow channel that all devices share. Two forwarders reach the same neighbourhood if they heard one frame both, lately. Frames
of another data rate do not disturb: spreading factors are nearly orthogonal.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from gateway.lorawan.air_law import Clause, Transmission
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import Reception
from gateway.wire.lorawan.identifiers import Eui

TAKEN = Clause("RX2 is taken by another answer nearby", "this network's own calendar")

_LATELY_S = 600.0
_LATE_S = 10.0
_MOST = 20_000


class Calendar:
    """That of one network; times are the monotonic clock's."""

    def __init__(self) -> None:
        self._met: dict[tuple[Eui, Eui], float] = {}
        self._entries: defaultdict[tuple[int, DataRate], list[tuple[float, float, Eui]]]
        self._entries = defaultdict(list)

    def meet(self, receptions: Sequence[Reception]) -> None:
        """These heard one frame."""
        if len(receptions) == 1:
            return
        at_s = receptions[0].heard_s
        for pair in combinations(sorted({one.forwarder for one in receptions}), 2):
            self._met[pair] = at_s
        if len(self._met) > _MOST:
            self._met = {pair: s for pair, s in self._met.items() if at_s - s < _LATELY_S}

    def is_free(self, asked: Transmission, forwarder: Eui) -> bool:
        """Whether nobody nearby sends there and then."""
        begin, end = _span(asked)
        return all(
            end <= other_begin or begin >= other_end or not self._near(forwarder, other, begin)
            for other_begin, other_end, other in self._entries[asked.freq_hz, asked.rate]
        )

    def enter(self, sent: Transmission, forwarder: Eui) -> None:
        """This forwarder sends then."""
        begin, end = _span(sent)
        entries = self._entries[sent.freq_hz, sent.rate]
        entries[:] = [one for one in entries if one[1] > begin - _LATE_S]
        entries.append((begin, end, forwarder))

    def strike(self, sent: Transmission, forwarder: Eui) -> None:
        """It does not after all."""
        entry = *_span(sent), forwarder
        entries = self._entries[sent.freq_hz, sent.rate]
        if entry in entries:
            entries.remove(entry)

    def _near(self, one: Eui, other: Eui, at_s: float) -> bool:
        if one == other:
            return True
        met_s = self._met.get((min(one, other), max(one, other)))
        return met_s is not None and at_s - met_s < _LATELY_S


def _span(sent: Transmission) -> tuple[float, float]:
    return sent.at_s, sent.at_s + sent.air_us / 1e6
