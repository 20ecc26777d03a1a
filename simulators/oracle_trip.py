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
class Stay:
    """Where the child stays: a place, and where it was seen to stay every fix of it."""

    place: tuple[float, float]
    seen: list[tuple[float, float]] = field(default_factory=list)

    def places(self) -> list[tuple[float, float]]:
        """The places near which it stays: the first, and the mean of what was seen."""
        number = len(self.seen)
        if not number:
            return [self.place]
        return [self.place, (sum(lat for lat, _ in self.seen) / number, sum(lon for _, lon in self.seen) / number)]  # fmt: skip


@dataclass(slots=True)
class Trip:
    """One child's, in memory only. `slack_m` is that of the last question.

    Attributes:
        before: times of the newest fix behind the guard, its own and ours; None where all was forgotten.
        lost_sight: whether late fixes alone have come for as long as a stay.
        waiting: held, all within the radius of the first; it may stay there.
        beside: held before those, until the child is two radii away.
    """

    before: tuple[Instant, Instant] | None = None
    waiting: list[Held] = field(default_factory=list)
    beside: list[Held] = field(default_factory=list)
    short: list[Held] = field(default_factory=list)
    shown: int = 0
    stay: Stay | None = None
    lost_sight: bool = False
    leg: int | None = None
    slack_m: float = float("inf")

    @property
    def heard(self) -> Instant:
        """When the newest fix was received."""
        assert self.before is not None
        return self.before[1]

    @property
    def holds(self) -> bool:
        """Whether any fix waits for its fate."""
        return bool(self.waiting or self.beside or self.short)

    def take(self, fix: Held, rules: Rules) -> list[Ended]:
        """One fix more; those whose fate is known now, perhaps its own."""
        self.slack_m = float("inf")
        known = self._pause(fix, rules)
        fix = fix._replace(leg=self.leg)
        if rules.stay is None:
            return known + self._go_on(fix, rules)
        here = fix.lat, fix.lon
        if self.stay is not None:
            if self._beside_any(here, self.stay.places(), rules):
                if self.stay.seen:
                    self.stay.seen.append(here)
                return [*known, Ended(fix, Reason.STAYING)]
            self.stay = None
        while self.waiting and not self._near(self.waiting[0], here, rules, 1):
            self.beside.append(self.waiting.pop(0))
        while self.beside and not self._near(self.beside[0], here, rules, 2):
            known += self._go_on(self.beside.pop(0), rules)
        self.waiting.append(fix)
        if (
            fix.at - self.waiting[0].at >= rules.stay
            or len(self.waiting) + len(self.beside) >= _MOST
        ):
            known += self._settle(self.waiting[0], rules)
        return known

    def _pause(self, fix: Held, rules: Rules) -> list[Ended]:
        """A time without a fix: it may have stayed where it was last, and where it is now."""
        silent = _SILENCE + 1
        if self.before is not None and not self.lost_sight:
            silent = fix.at - self.before[0]
        known = self.forget() if silent > _SILENCE else []
        self.before, self.lost_sight = (fix.at, fix.received_at), False
        if rules.stay is not None and silent >= rules.stay:
            if self.waiting:
                known += self._settle(self.waiting[-1], rules)
            self.stay = Stay((fix.lat, fix.lon))
        return known

    def late(self, received_at: Instant, rules: Rules) -> None:
        """A fix that is too late: where nothing else came for as long as a stay, nobody knows where it was."""
        if (
            rules.stay is not None
            and self.before is not None
            and received_at - self.before[1] >= rules.stay
        ):
            self.lost_sight = True

    def _settle(self, at: Held, rules: Rules) -> list[Ended]:
        """It stays at one of those that wait; the run ends."""
        stay = Stay((at.lat, at.lon), [(one.lat, one.lon) for one in self.waiting])
        known = [Ended(one, Reason.STAYING) for one in self.waiting]
        for one in self.beside:
            if self._beside_any((one.lat, one.lon), stay.places(), rules):
                known.append(Ended(one, Reason.STAYING))
            else:
                known += self._go_on(one, rules)
        known += self._end_run()
        self.waiting, self.beside, self.stay, self.leg = [], [], stay, 2
        return known

    def open(self, at: tuple[Instant, Instant], lat: float, lon: float, *, known: bool, rules: Rules) -> None:  # fmt: skip
        """The guard has opened; where nobody knows since when the child is there, it may be a stay."""
        self.before, self.lost_sight = at, False
        self.leg = 1 if known else None
        self.stay = None if known or rules.stay is None else Stay((lat, lon))

    def hide(self, rules: Rules) -> list[Ended]:
        """The child is in hiding: what waits goes on to the run, and the run ends."""
        known = []
        for one in (*self.beside, *self.waiting):
            known += self._go_on(one, rules)
        known += self._end_run()
        self.waiting, self.beside, self.stay, self.leg, self.before = [], [], None, None, None
        return known

    def forget(self) -> list[Ended]:
        """Silence, a fault or a stop: nothing that is held is kept."""
        held = (*self.short, *self.beside, *self.waiting)
        self.waiting, self.beside, self.short, self.shown = [], [], [], 0
        self.stay = self.leg = self.before = None
        return [Ended(one, Reason.FORGOTTEN) for one in held]

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

    def _beside_any(
        self, here: tuple[float, float], places: list[tuple[float, float]], rules: Rules
    ) -> bool:
        return any([self._within(here, one, rules, 1) for one in places])  # noqa: C419 - all slacks count

    def _near(self, one: Held, here: tuple[float, float], rules: Rules, radii: int) -> bool:
        return self._within((one.lat, one.lon), here, rules, radii)

    def _within(
        self, one: tuple[float, float], other: tuple[float, float], rules: Rules, radii: int
    ) -> bool:
        apart, limit = on_sphere_m(*one, *other), radii * rules.stay_m * _WIDER
        self.slack_m = min(self.slack_m, abs(apart - limit))
        return apart <= limit


def on_sphere_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres on the sphere of docs/mask.md, for the ways between fixes."""
    half = (
        sin(radians(lat2 - lat1) / 2) ** 2
        + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * _SPHERE_M * asin(min(1.0, sqrt(half)))
