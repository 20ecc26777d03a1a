"""Who sends when, of our own forwarders: two that reach the same devices must not answer in RX2 at a time, nor one forwarder twice.

RX2 is one slow channel that all devices share. Two forwarders reach the same neighbourhood if they heard one frame both, lately. Frames
of another data rate do not disturb: spreading factors are nearly orthogonal.
"""

from collections.abc import Sequence
from itertools import combinations

from gateway.lorawan.air_law import Clause, Transmission
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import Reception
from gateway.wire.lorawan.identifiers import Eui

TAKEN = Clause("RX2 is taken by another answer nearby", "this network's own calendar")

_TURN_S = 300.0
"""After which a generation is the older one: what was met is known for five to ten minutes."""

_LATE_S = 10.0
_BEST = 16
"""Of a frame that many heard those who heard it best: an answer disturbs nobody whom it hardly reaches."""


class Calendar:
    """That of one network; times are the monotonic clock's.

    Who met is kept in two generations: what did not meet again while both aged is forgotten with the older one.
    """

    def __init__(self) -> None:
        self._met: set[tuple[Eui, Eui]] = set()
        self._met_before: set[tuple[Eui, Eui]] = set()
        self._turned_s = float("-inf")
        self._entries: dict[tuple[int, DataRate], list[tuple[float, float, Eui]]] = {}

    def meet(self, receptions: Sequence[Reception]) -> None:
        """These heard one frame, the best first."""
        if len(receptions) == 1:
            return
        at_s = receptions[0].heard_s
        self._turn(at_s)
        best = sorted({one.forwarder for one in receptions[:_BEST]})
        self._met.update(combinations(best, 2))

    def is_free(self, asked: Transmission, forwarder: Eui) -> bool:
        """Whether nobody nearby sends there and then."""
        begin, end = _span(asked)
        self._turn(begin)
        return all(
            end <= other_begin or begin >= other_end or not self._near(forwarder, other)
            for other_begin, other_end, other in self._entries.get((asked.freq_hz, asked.rate), ())
        )

    def enter(self, sent: Transmission, forwarder: Eui) -> None:
        """This forwarder sends then."""
        begin, end = _span(sent)
        for channel, entries in list(self._entries.items()):
            entries[:] = [one for one in entries if one[1] > begin - _LATE_S]
            if not entries:
                del self._entries[channel]
        self._entries.setdefault((sent.freq_hz, sent.rate), []).append((begin, end, forwarder))

    def strike(self, sent: Transmission, forwarder: Eui) -> None:
        """It does not after all."""
        entry = *_span(sent), forwarder
        entries = self._entries.get((sent.freq_hz, sent.rate), [])
        if entry in entries:
            entries.remove(entry)

    def _turn(self, at_s: float) -> None:
        age_s = at_s - self._turned_s
        if age_s >= _TURN_S:
            self._met_before = self._met if age_s < 2 * _TURN_S else set()
            self._met, self._turned_s = set(), at_s

    def _near(self, one: Eui, other: Eui) -> bool:
        pair = min(one, other), max(one, other)
        return one == other or pair in self._met or pair in self._met_before


def _span(sent: Transmission) -> tuple[float, float]:
    return sent.at_s, sent.at_s + sent.air_us / 1e6
