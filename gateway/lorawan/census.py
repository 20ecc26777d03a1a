"""How well forwarders hear, in coarse classes and of nobody: what radio health may know (privacy.md C10).

Who could watch a class grow by one would see a frame come, and beside a row or beside none that would tell what the mask did. So where
people are real no number is told, only shares in steps of 5 %, of the last whole hour in which a hundred frames came.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gateway.lorawan.reception import Reception
from gateway.model.instant import HOUR, Instant
from gateway.wire.lorawan.identifiers import Eui

_RSSI_DBM = (-120, -110, -100, -90, -80)
_SNR_DB = (-15, -10, -5, 0, 5)
_ENOUGH = 100
_STEP, _FINE = 5, 0.1
_MOST_COPIES = 5


def _names(edges: tuple[int, ...]) -> tuple[str, ...]:
    between = (f"{low} to {high}" for low, high in pairwise(edges))
    return (f"below {edges[0]}", *between, f"{edges[-1]} and above")


_RSSI, _SNR = _names(_RSSI_DBM), _names(_SNR_DB)
_COPIES = (*map(str, range(1, _MOST_COPIES)), f"{_MOST_COPIES} or more")


@dataclass(slots=True)
class _Sums:
    """What was heard within a while: (class of RSSI, class of SNR or None, spreading factor) by forwarder, and copies by their number."""

    heard: dict[Eui, Counter[tuple[int, int | None, int]]] = field(default_factory=dict)
    copies: Counter[int] = field(default_factory=Counter)


_NONE: Counter[tuple[int, int | None, int]] = Counter()


class Census:
    """All forwarders of one network."""

    def __init__(self) -> None:
        self._now, self._before = _Sums(), _Sums()
        self._hour = 0

    def hear(self, reception: Reception) -> None:
        """A forwarder heard a frame, of whoever."""
        self._turn(reception.at)
        sums = self._now.heard.get(reception.forwarder)
        if sums is None:
            sums = self._now.heard[reception.forwarder] = Counter()
        snr_db = reception.snr_db
        snr = None if snr_db is None else bisect_right(_SNR_DB, snr_db)
        sums[bisect_right(_RSSI_DBM, reception.rssi_dbm), snr, reception.rate.sf] += 1

    def count(self, receptions: Iterable[Reception]) -> None:
        """One frame of ours was heard by all these."""
        forwarders = len({one.forwarder for one in receptions})
        self._now.copies[min(forwarders, _MOST_COPIES)] += 1

    def told(self, now: Instant, *, exact: bool) -> dict[str, Any]:
        """What may be said: `frames` (None where that is not told) and shares in percent, by forwarder; and by how many of
        them each frame of ours was heard.

        Args:
            exact: nobody is real: all of it up to now, and every number.
        """
        self._turn(now)
        heard, copies = self._before.heard, self._before.copies
        if exact:
            both = {*heard, *self._now.heard}
            heard = {eui: heard.get(eui, _NONE) + self._now.heard.get(eui, _NONE) for eui in both}
            copies = copies + self._now.copies
        step = _FINE if exact else _STEP
        return {
            "forwarders": {
                str(eui): {"frames": sums.total() if exact else None, **_shares(sums, step)}
                for eui, sums in sorted(heard.items())
            },
            "heard_by": _percent({_COPIES[n - 1]: copies[n] for n in sorted(copies)}, step),
        }

    def _turn(self, now: Instant) -> None:
        """An hour is over: what has a hundred frames may be told, and is counted anew."""
        hour = now // HOUR
        if hour == self._hour:
            return
        self._hour = hour
        for eui, sums in list(self._now.heard.items()):
            if sums.total() >= _ENOUGH:
                self._before.heard[eui] = self._now.heard.pop(eui)
        if self._now.copies.total() >= _ENOUGH:
            self._before.copies, self._now.copies = self._now.copies, Counter()


def _shares(sums: Counter[tuple[int, int | None, int]], step: float) -> dict[str, Any]:
    rssi: Counter[str] = Counter()
    snr: Counter[str] = Counter()
    sf: Counter[str] = Counter()
    for (strength, quality, factor), many in sorted(sums.items(), key=lambda one: one[0][2]):
        rssi[_RSSI[strength]] += many
        sf[f"SF{factor}"] += many
        if quality is not None:
            snr[_SNR[quality]] += many
    return {
        "rssi_dbm": _percent({name: rssi[name] for name in _RSSI}, step),
        "snr_db": _percent({name: snr[name] for name in _SNR}, step),
        "sf": _percent(sf, step),
    }


def _percent(sums: dict[str, int], step: float) -> dict[str, float]:
    """Shares of a hundred in steps; nothing of what is less than half of one."""
    total = sum(sums.values())
    shares = {name: round(many * 100 / total / step) * step for name, many in sums.items() if many}
    return {name: round(share, 1) for name, share in shares.items() if share}
