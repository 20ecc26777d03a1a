"""What of a child's way is held back until it may be kept, or must be forgotten; in memory alone.

A fix is held while the child may still turn out to stay where it was, and while its run is too short to be kept.
Whatever ends in doubt is forgotten: a restart forgets all of it, and so can only remove rows.
"""

from math import cos, hypot, radians
from typing import NamedTuple, NoReturn

from gateway.model.instant import MINUTE, Instant
from gateway.model.reading import Reading
from gateway.model.reason import Reason
from gateway.privacy.generalise import battery_class
from gateway.privacy.policy import Policy, Staying

_DEGREE_M = 111_320.0
_MOST = 240
"""Fixes held of one child; whoever says more without going anywhere stays."""

_BESIDE = 2
"""A fix waits until the child is so many radii away: until then what is beside it may turn out to be the stay."""

SILENCE: Instant = 30 * MINUTE
"""After so long without a further fix, what is held is forgotten (decisions 1)."""


class Fix:
    """One fix behind the guard: where, and what its row needs. Never shown, never serialised.

    Attributes:
        at: accepted time; `received_at` our clock, `device_time` the device's, `counter`, `digest` as of its uplink.
        lat, lon: as it was said, degrees.
        place: as a row would say it: rounded degrees, or None; and the cell's code, or None.
        battery: its class.
        origin: whose credential handed it over.
        counted: whether a counting lane took it.
        leg: 1 on the way from home, 2 behind a stay, None where nobody knows.
    """

    __slots__ = (
        "at", "battery", "counted", "counter", "device_time", "digest", "lat", "leg", "lon", "origin", "place",
        "received_at",
    )  # fmt: skip

    def __init__(
        self,
        reading: Reading,
        place: tuple[float | None, float | None, str | None],
        *,
        counted: bool,
    ) -> None:
        self.at = reading.observed_at
        self.received_at = reading.received_at
        self.device_time = reading.device_time
        self.counter = reading.counter
        self.digest = reading.digest
        self.lat = reading.values.lat
        self.lon = reading.values.lon
        self.place = place
        self.battery = battery_class(reading.values.battery_pct)
        self.origin = reading.origin
        self.counted = counted
        self.leg: int | None = None

    def __repr__(self) -> str:
        return "<fix>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exact position is never serialised")


class Step(NamedTuple):
    """What one fix did to those held.

    Attributes:
        kept: may be kept now, oldest first.
        gone: must be forgotten, and why.
    """

    kept: list[Fix]
    gone: list[tuple[Fix, Reason]]


class Trip:
    """One child's held fixes."""

    __slots__ = (
        "_at",
        "_heard",
        "_leaving",
        "_leg",
        "_place",
        "_policy",
        "_run",
        "_shows",
        "_start",
        "_waiting",
    )

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        # the time of the newest fix behind the guard, and ours when it came; None: nobody knows what was before
        self._at: Instant | None = None
        self._heard: Instant = 0
        self._waiting: tuple[Fix, ...] = ()  # it may still stay where the first of them was
        self._leaving: tuple[Fix, ...] = ()  # did not stay there, but perhaps beside it
        self._run: tuple[Fix, ...] = ()  # did not stay; too few so far
        self._shows = False
        # where it stays: the first fix of the stay; of one that was seen the middle of its fixes, and their number
        self._start: tuple[float, float] | None = None
        self._place: tuple[float, float, int] | None = None
        self._leg: int | None = None

    def __repr__(self) -> str:
        return "<trip>"

    def held(self) -> int:
        """How many fixes wait."""
        return self._waits() + len(self._run)

    def _waits(self) -> int:
        return len(self._waiting) + len(self._leaving)

    @property
    def heard(self) -> Instant:
        """When the newest fix came, by our clock; uplinks without a place say nothing of where it is."""
        return self._heard

    def save(self) -> tuple[object, ...]:
        """What `restore` brings back."""
        return (
            *(self._at, self._heard, self._waiting, self._leaving, self._run, self._shows),
            *(self._start, self._place, self._leg),
        )

    def restore(self, saved: tuple[object, ...]) -> None:
        """Forget what came since `save`."""
        (
            self._at, self._heard, self._waiting, self._leaving, self._run, self._shows,
            self._start, self._place, self._leg,
        ) = saved  # type: ignore[assignment]  # fmt: skip

    def open(self, reading: Reading, *, known: bool) -> None:
        """The guard opened by this fix. Where nobody knows what was before, it may have stayed here all the time."""
        self._at, self._heard = reading.observed_at, reading.received_at
        self._leg = 1 if known else None
        if not known:
            self._suppose(reading.values.lat, reading.values.lon)

    def take(self, fix: Fix) -> Step:
        """One more fix behind the guard."""
        kept: list[Fix] = []
        gone: list[tuple[Fix, Reason]] = []
        self._break(fix, kept, gone)
        fix.leg = self._leg
        staying = self._policy.staying
        if staying is None:
            self._pass(fix, kept)
        elif not self._stays(fix, staying.radius_m, gone):
            self._wait(fix, staying, kept)
            first = self._waiting[0]
            if fix.at - first.at >= staying.least or self._waits() >= _MOST:
                self._settle(first, kept, gone)
        return Step(kept, gone)

    def _break(self, fix: Fix, kept: list[Fix], gone: list[tuple[Fix, Reason]]) -> None:
        """What a time without a fix means: it may have stayed where it was last, or where it is now, or both."""
        at = self._at
        self._at, self._heard = fix.at, fix.received_at
        silent = SILENCE + 1 if at is None else fix.at - at
        staying = self._policy.staying
        if silent > SILENCE:
            gone += self._forget(Reason.FORGOTTEN)
        if staying is None or silent < staying.least:
            return
        if self._waiting:
            self._settle(self._waiting[-1], kept, gone)
        self._suppose(fix.lat, fix.lon)

    def miss(self, heard: Instant) -> None:
        """A late fix came: after as long as a stay of nothing else nobody knows where it was meanwhile."""
        staying = self._policy.staying
        if staying is not None and heard - self._heard >= staying.least:
            self._at = None

    def _suppose(self, lat: float, lon: float) -> None:
        """Take a place for a stay that nobody saw, where stays are hidden at all."""
        if self._policy.staying is not None:
            self._start, self._place = (lat, lon), None

    def _wait(self, fix: Fix, staying: Staying, kept: list[Fix]) -> None:
        """Let a fix wait, and those go on that are too far from it now for it to stay there, or near there."""
        waiting = self._waiting
        left = _beyond(waiting, fix, staying.radius_m)
        leaving = (*self._leaving, *waiting[:left])
        gone_on = _beyond(leaving, fix, _BESIDE * staying.radius_m)
        for before in leaving[:gone_on]:
            self._pass(before, kept)
        self._leaving, self._waiting = leaving[gone_on:], (*waiting[left:], fix)

    def come_home(self) -> Step:
        """The child is in hiding again: it did not stay where it was last."""
        kept: list[Fix] = []
        for fix in (*self._leaving, *self._waiting):
            self._pass(fix, kept)
        self._leaving = self._waiting = ()
        self._at = None
        return Step(kept, self._end())

    def lose(self, why: Reason = Reason.FORGOTTEN) -> Step:
        """Nobody knows what was meanwhile: forget all that is held."""
        self._at = None
        return Step([], self._forget(why))

    def _forget(self, why: Reason) -> list[tuple[Fix, Reason]]:
        gone = [(fix, why) for fix in (*self._run, *self._leaving, *self._waiting)]
        self._leaving = self._waiting = self._run = ()
        self._end()
        return gone

    def _stays(self, fix: Fix, radius_m: float, gone: list[tuple[Fix, Reason]]) -> bool:
        """Whether it is still where it stayed; if so, the fix is gone."""
        start, place = self._start, self._place
        if start is None:
            return False
        if _near(start, fix, radius_m) or (place is not None and _near(place, fix, radius_m)):
            gone.append((fix, Reason.STAYING))
            if place is not None:
                lat, lon, number = place[0], place[1], place[2] + 1
                self._place = lat + (fix.lat - lat) / number, lon + (fix.lon - lon) / number, number
            return True
        self._start = self._place = None
        return False

    def _settle(self, at: Fix, kept: list[Fix], gone: list[tuple[Fix, Reason]]) -> None:
        """It stays at one of those that wait: all of them and what is near there is gone, and a new leg begins."""
        waiting, leaving = self._waiting, self._leaving
        start, place = (at.lat, at.lon), _middle(waiting)
        self._waiting = self._leaving = ()
        staying = self._policy.staying
        assert staying is not None
        for fix in leaving:
            if _near(start, fix, staying.radius_m) or _near(place, fix, staying.radius_m):
                gone.append((fix, Reason.STAYING))
            else:
                self._pass(fix, kept)
        gone += [(fix, Reason.STAYING) for fix in waiting]
        gone += self._end()
        self._start, self._place = start, place
        self._leg = 2

    def _pass(self, fix: Fix, kept: list[Fix]) -> None:
        """It did not stay here; keep it as soon as its run is long enough."""
        if self._shows:
            kept.append(fix)
            return
        self._run = (*self._run, fix)
        if len(self._run) >= self._policy.shape.run:
            kept += self._run
            self._run = ()
            self._shows = True

    def _end(self) -> list[tuple[Fix, Reason]]:
        """The run is over; one that was too short is gone."""
        gone = [(fix, Reason.SHORT_RUN) for fix in self._run]
        self._run, self._shows = (), False
        self._start = self._place = None
        self._leg = None
        return gone


def _beyond(fixes: tuple[Fix, ...], fix: Fix, radius_m: float) -> int:
    """How many, from the first on, lie farther than a radius from a fix."""
    for number, before in enumerate(fixes):
        if _near((before.lat, before.lon), fix, radius_m):
            return number
    return len(fixes)


def _middle(fixes: tuple[Fix, ...]) -> tuple[float, float, int]:
    number = len(fixes)
    return sum(fix.lat for fix in fixes) / number, sum(fix.lon for fix in fixes) / number, number


def _near(place: tuple[float, ...], fix: Fix, radius_m: float) -> bool:
    """Whether a fix lies within a radius; on a sphere, good to one per cent. NaN is near."""
    east = (fix.lon - place[1] + 180.0) % 360.0 - 180.0
    way = hypot(fix.lat - place[0], east * cos(radians(fix.lat))) * _DEGREE_M
    return not way > radius_m * 1.01
