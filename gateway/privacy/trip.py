"""What of a child's way is held back until it may be kept, or must be forgotten; in memory alone.

A fix is held while the child may still turn out to stay where it was, and while its run is too short to be kept.
Whatever ends in doubt is forgotten: a restart forgets all of it, and so can only remove rows.
"""

from collections.abc import Iterable
from math import cos, hypot, radians
from typing import NamedTuple, NoReturn

from gateway.model.instant import MINUTE, Instant
from gateway.model.reading import Reading
from gateway.model.reason import Reason
from gateway.privacy.generalise import battery_class
from gateway.privacy.policy import Policy

_DEGREE_M = 111_320.0
_MOST = 240
"""Fixes held of one child; whoever says more without going anywhere stays."""

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
        self._waiting: tuple[Fix, ...] = ()  # it may still stay where the first of them was
        self._run: tuple[Fix, ...] = ()  # did not stay; too few so far
        self._shows = False
        # where it stays: the first fix of the stay, and the middle of all that showed it
        self._start: tuple[float, float] | None = None
        self._place: tuple[float, float] | None = None
        self._leg: int | None = None

    def __repr__(self) -> str:
        return "<trip>"

    def held(self) -> int:
        """How many fixes wait."""
        return len(self._waiting) + len(self._run)

    @property
    def heard(self) -> Instant:
        """When the newest held fix came, by our clock; uplinks without a place say nothing of where it is."""
        return max(fix.received_at for fix in (*self._run, *self._waiting))

    def save(self) -> tuple[object, ...]:
        """What `restore` brings back."""
        return self._waiting, self._run, self._shows, self._start, self._place, self._leg

    def restore(self, saved: tuple[object, ...]) -> None:
        """Forget what came since `save`."""
        self._waiting, self._run, self._shows, self._start, self._place, self._leg = saved  # type: ignore[assignment]

    def open(self, lat: float, lon: float, *, known: bool) -> None:
        """The guard opened here. Where nobody knows what was before, it may have stayed here all the time."""
        self._leg = 1 if known else None
        if self._policy.staying is not None and not known:
            self._start = self._place = (lat, lon)

    def take(self, fix: Fix) -> Step:
        """One more fix behind the guard."""
        kept: list[Fix] = []
        gone: list[tuple[Fix, Reason]] = []
        self._break(fix, gone)
        fix.leg = self._leg
        staying = self._policy.staying
        if staying is None:
            self._pass(fix, kept)
        elif not self._stays(fix, staying.radius_m, gone):
            waiting = self._waiting
            left = 0
            for before in waiting:
                if _near((before.lat, before.lon), fix, staying.radius_m):
                    break
                self._pass(before, kept)
                left += 1
            self._waiting = waiting = (*waiting[left:], fix)
            if fix.at - waiting[0].at >= staying.least or len(waiting) > _MOST:
                self._settle(gone)
        return Step(kept, gone)

    def _break(self, fix: Fix, gone: list[tuple[Fix, Reason]]) -> None:
        """What a time without a fix means: it may have stayed where it was last, or nobody knows."""
        held = (*self._run, *self._waiting)
        if not held:
            return
        silent = fix.at - max(one.at for one in held)
        staying = self._policy.staying
        if silent > SILENCE:
            gone += self.lose().gone
        elif staying is not None and self._waiting and silent >= staying.least:
            self._settle(gone)

    def come_home(self) -> Step:
        """The child is in hiding again: it did not stay where it was last."""
        kept: list[Fix] = []
        for fix in self._waiting:
            self._pass(fix, kept)
        self._waiting = ()
        return Step(kept, self._end())

    def lose(self, why: Reason = Reason.FORGOTTEN) -> Step:
        """Nobody knows what was meanwhile: forget all that is held."""
        gone = [(fix, why) for fix in (*self._run, *self._waiting)]
        self._waiting = self._run = ()
        self._end()
        return Step([], gone)

    def _stays(self, fix: Fix, radius_m: float, gone: list[tuple[Fix, Reason]]) -> bool:
        """Whether it is still where it stayed; if so, the fix is gone."""
        if self._start is None or self._place is None:
            return False
        if _near(self._start, fix, radius_m) or _near(self._place, fix, radius_m):
            gone.append((fix, Reason.STAYING))
            return True
        self._start = self._place = None
        return False

    def _settle(self, gone: list[tuple[Fix, Reason]]) -> None:
        """It stays: what showed that is gone, and a new leg begins behind it."""
        waiting = self._waiting
        self._start = (waiting[0].lat, waiting[0].lon)
        self._place = _middle(waiting)
        gone += [(fix, Reason.STAYING) for fix in waiting]
        self._waiting = ()
        start, place = self._start, self._place
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


def _middle(fixes: Iterable[Fix]) -> tuple[float, float]:
    some = list(fixes)
    return sum(fix.lat for fix in some) / len(some), sum(fix.lon for fix in some) / len(some)


def _near(place: tuple[float, float], fix: Fix, radius_m: float) -> bool:
    """Whether a fix lies within a radius; on a sphere, good to one per cent. NaN is near."""
    east = (fix.lon - place[1] + 180.0) % 360.0 - 180.0
    way = hypot(fix.lat - place[0], east * cos(radians(fix.lat))) * _DEGREE_M
    return not way > radius_m * 1.01
