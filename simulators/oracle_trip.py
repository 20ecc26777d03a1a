"""The oracle's trips: which fixes wait, which show a stay, and which make a run that is long enough."""

from dataclasses import dataclass, field
from math import asin, cos, pi, radians, sin, sqrt
from typing import Any, NamedTuple

from gateway.model.instant import MINUTE, Instant
from gateway.model.reason import Reason
from simulators.oracle_rules import Rules

_SPHERE_M = 111_320.0 * 180 / pi  # on which a degree has this many metres
_WIDER = 1.01
_MOST = 240
_SILENCE = 30 * MINUTE


class Held(NamedTuple):
    """A fix that passed everything else.

    Attributes:
        key: what its uplink is known by.
        cell: level and code of what its row says, None for a place.
        leg: 1 behind the opening of a guard that knows where the child was, 2 behind a stay.
    """

    key: Any
    at: Instant
    received_at: Instant
    lat: float
    lon: float
    cell: str | None
    leg: int | None


class Ended(NamedTuple):
    """A held fix whose fate is known: None keeps it."""

    held: Held
    reason: Reason | None


@dataclass(slots=True)
class Trip:
    """One child's, in memory only. `slack_m` is that of the last question."""

    waiting: list[Held] = field(default_factory=list)
    short: list[Held] = field(default_factory=list)
    shown: int = 0
    stay: tuple[tuple[float, float], tuple[float, float]] | None = None
    leg: int | None = None
    slack_m: float = float("inf")

    @property
    def heard(self) -> Instant:
        """When the newest fix that is held was received."""
        return max(one.received_at for one in (*self.short, *self.waiting))

    @property
    def holds(self) -> bool:
        """Whether any fix waits for its fate."""
        return bool(self.waiting or self.short)

    def take(self, fix: Held, rules: Rules) -> list[Ended]:
        """One fix more; those whose fate is known now, perhaps its own."""
        self.slack_m = float("inf")
        known = self._pause(fix, rules)
        fix = fix._replace(leg=self.leg)
        if rules.stay is None:
            return known + self._go_on(fix, rules)
        if self.stay is not None:
            if any(self._near((fix.lat, fix.lon), place, rules) for place in self.stay):
                return [*known, Ended(fix, Reason.STAYING)]
            self.stay = None
        while self.waiting and not self._near(
            (self.waiting[0].lat, self.waiting[0].lon), (fix.lat, fix.lon), rules
        ):
            known += self._go_on(self.waiting.pop(0), rules)
        self.waiting.append(fix)
        if fix.at - self.waiting[0].at >= rules.stay or len(self.waiting) >= _MOST:
            known += self._settle()
        return known

    def _pause(self, fix: Held, rules: Rules) -> list[Ended]:
        """A time without a fix: it may have stayed where it was last, or nobody knows."""
        if not self.holds:
            return []
        silent = fix.at - (self.waiting or self.short)[-1].at
        if silent > _SILENCE:
            return self.forget()
        if rules.stay is not None and self.waiting and silent >= rules.stay:
            return self._settle()
        return []

    def _settle(self) -> list[Ended]:
        """It stays where those that wait are; the run ends."""
        known = [Ended(one, Reason.STAYING) for one in self.waiting]
        known += self._end_run()
        number = len(self.waiting)
        mean = (
            sum(one.lat for one in self.waiting) / number,
            sum(one.lon for one in self.waiting) / number,
        )
        self.stay = ((self.waiting[0].lat, self.waiting[0].lon), mean)
        self.waiting, self.leg = [], 2
        return known

    def open(self, lat: float, lon: float, *, known: bool, rules: Rules) -> None:
        """The guard has opened; where nobody knows since when the child is there, it may be a stay."""
        self.leg = 1 if known else None
        self.stay = None if known or rules.stay is None else ((lat, lon), (lat, lon))

    def hide(self, rules: Rules) -> list[Ended]:
        """The child is in hiding: what waits goes on to the run, and the run ends."""
        known = []
        for one in self.waiting:
            known += self._go_on(one, rules)
        known += self._end_run()
        self.waiting, self.stay, self.leg = [], None, None
        return known

    def forget(self) -> list[Ended]:
        """Silence, a fault or a stop: nothing that is held is kept."""
        known = [Ended(one, Reason.FORGOTTEN) for one in (*self.short, *self.waiting)]
        self.waiting, self.short, self.shown = [], [], 0
        self.stay = self.leg = None
        return known

    def _go_on(self, fix: Held, rules: Rules) -> list[Ended]:
        """To the run: from the least number on, all of it is kept."""
        self.short.append(fix)
        self.shown += 1
        if self.shown < rules.run:
            return []
        kept, self.short = self.short, []
        return [Ended(one, None) for one in kept]

    def _end_run(self) -> list[Ended]:
        ended = [Ended(one, Reason.SHORT_RUN) for one in self.short]
        self.short, self.shown = [], 0
        return ended

    def _near(self, one: tuple[float, float], other: tuple[float, float], rules: Rules) -> bool:
        apart, limit = on_sphere_m(*one, *other), rules.stay_m * _WIDER
        self.slack_m = min(self.slack_m, abs(apart - limit))
        return apart <= limit


def on_sphere_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres on the sphere of docs/mask.md, for the ways between fixes."""
    half = (
        sin(radians(lat2 - lat1) / 2) ** 2
        + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * _SPHERE_M * asin(min(1.0, sqrt(half)))
