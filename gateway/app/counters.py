"""Counters of a running gateway: taken up at start, written down every five minutes, released when their period ends.

Whether anything changed or not, every open counter is written down, so that neither size nor rhythm of its file tells
of anybody. What a kill costs is five minutes at most, and the release says how often that was. Where neither a counter nor
its number gets on disk a kill would leave no trace, so nothing is counted until one does; the release says how long.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import tzinfo
from functools import partial

from gateway.app.begun import TAGS, WAYS_OUT, Begun, give_up, plan_of
from gateway.app.closing import FAULTS, Closing, full_name
from gateway.clock import Clock
from gateway.counting.lane import Counter, Plan
from gateway.counting.period import PeriodCounter
from gateway.counting.release import MINUTES_BETWEEN
from gateway.counting.units import StopUnits
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE, Instant, local_day
from gateway.privacy.keysource import KeysUnavailable
from gateway.statedir import StateDir
from gateway.stores.counters import CounterFiles
from gateway.stores.releases import Releases
from gateway.telemetry import Facts

BETWEEN: Instant = MINUTES_BETWEEN * MINUTE
"""How often counters are written down."""

_LEAST_HOUSEHOLDS = 256


class Counters:
    """Those of one run.

    Args:
        plans: what is counted.
        rules: the digest of the rule set in force.
        directory: → the devices registered now.
        zone: local time zone.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        rules: str,
        state: StateDir,
        keys: KeyRing,
        directory: Callable[[], Directory],
        clock: Clock,
        zone: tzinfo,
        facts: Facts,
    ) -> None:
        self._keys = keys.periods
        self._directory = directory
        self._clock = clock
        self._facts = facts
        self._files = CounterFiles(state.counting_dir)
        self._closing = Closing(
            *(rules, Releases(state.releases_dir, clock, zone), self._files, self._keys, facts)
        )
        self._zone = zone
        self._closed: set[str] = set()
        self._leaving: list[tuple[Plan, PeriodCounter]] = []
        self._turn = asyncio.Lock()
        self.lanes = tuple(self._lane(plan) for plan in plans)

    def take_up(self) -> None:
        """Go on with what the run before wrote down; to be called under the lock, before anything is taken.

        Raises:
            Refusal: counters cannot be gone on with or read, or the ledger was changed; says what can be done.
        """
        try:
            self._take_up_all()
        except (OSError, KeysUnavailable) as error:
            why = error.why if isinstance(error, KeysUnavailable) else error.strerror
            raise Refusal(
                f"Counters of open periods, their keys or the ledger of releases cannot be read ({why}). They lie in "
                f"{self._files.folder} and releases/ beside it, the keys where sekisho keys status says. Mend that place."
            ) from error

    def _take_up_all(self) -> None:
        there = self._files.names()
        left = sorted({*there, *self._keys.names()})
        if not (self.lanes or left):
            return  # who counts nothing needs no ledger
        for lane in self.lanes:
            lane.since = self._clock.now()
        self._closed = self._closing.closed()
        kinds = {one.kind for one in self._directory().devices.values()}
        plans = [lane.plan for lane in self.lanes]
        begun = Begun(plans, self._files, self._keys, kinds)
        faults = []
        for full in left:
            of = self._lane_of(full)
            if full in self._closed or (of is None and full not in there):
                self._closing.forget(full)
                continue
            found = begun.take_up(full, 0 if of is None else self._room(of.plan))
            if isinstance(found, str):
                faults.append(give_up(full, found))
            elif found is None or of is None:
                self._closing.forget(full)
            else:
                self._go_on(full, of, found)
        if faults:
            raise Refusal(WAYS_OUT + "\n".join(faults), exit_code=2)
        self._write([self._sealed(full, one) for full, one in self._open()])

    async def keep(self) -> None:
        """Write counters down every five minutes, until cancelled."""
        while True:
            await asyncio.sleep(BETWEEN / 1e6)
            await self.write_down()

    async def write_down(self, *, clean: bool = False) -> None:
        """Write every open counter down; where the disk refuses, the one before stays, and its number tells that it is old.

        Args:
            clean: whether nothing can be taken any more in this run.
        """
        async with self._turn:
            sealed = [self._sealed(full, one, clean=clean) for full, one in self._open()]
            if sealed:
                await asyncio.to_thread(self._write, sealed)

    async def look_after(self) -> None:
        """Release what is over, open what has begun, remove what had its time; to be called where the clock is trusted."""
        if not (self.lanes or self._closing.has_been):
            return
        now = self._clock.now()
        for lane in self.lanes:
            for period in lane.over(now):
                del lane.open[period.span.name]
                self._closed.add(full_name(lane.plan, period))
                self._leaving.append((lane.plan, period))
        async with self._turn:
            for leaving in [*self._leaving]:
                self._learn(leaving[0])
                if await asyncio.to_thread(self._closing.release, *leaving):
                    self._leaving.remove(leaving)
            await asyncio.to_thread(self._closing.remove, local_day(now, self._zone))
        begun = [self._begin(lane, now) for lane in self.lanes]
        if any(begun):
            await self.write_down()

    def _learn(self, plan: Plan) -> None:
        """Know the names of all stops: a checkpoint holds their numbers only."""
        if isinstance(plan.units, StopUnits):
            devices = self._directory().devices.values()
            plan.units.learn(str(one.attributes["stop"]) for one in devices if "stop" in one.attributes)  # fmt: skip

    def _lane(self, plan: Plan) -> Counter:
        return Counter(
            plan,
            lambda period: self._keys.key(f"{plan.name}-{period}"),
            lambda period: f"{plan.name}-{period}" in self._closed,
            partial(self._room, plan),
        )

    def _room(self, plan: Plan) -> int:
        """For how many subjects a period keeps room: by what is registered, never by who was seen."""
        if plan.rule.distinct == "tag":
            return TAGS
        devices = self._directory().devices.values()
        families = len({one.household.household for one in devices if one.household is not None})
        return max(_LEAST_HOUSEHOLDS, 1 << (families + families // 4).bit_length())

    def _lane_of(self, full: str) -> Counter | None:
        plan = plan_of(full, [lane.plan for lane in self.lanes])
        return next((lane for lane in self.lanes if lane.plan is plan), None)

    def _go_on(self, full: str, lane: Counter, period: PeriodCounter) -> None:
        period.find(self._keys.number(full))
        lane.open[period.span.name] = period
        if period.cut_off:
            self._facts.note(
                "counter cut off",
                f"A counter was taken up as it was written down last: a run was cut off, or an older counter came back "
                f"from a backup. Up to {MINUTES_BETWEEN} minutes for each checkpoint are lost to it; its release says so",
                logging.WARNING,
            )

    def _begin(self, lane: Counter, now: Instant) -> bool:
        """Open the period that runs, whether or not anybody was seen yet."""
        span = lane.plan.calendar.moment(now).span
        if span.name in lane.open:
            return False
        try:
            return lane.begin(span, now) is not None
        except KeysUnavailable:
            lane.since = now
            return False  # the next uplink, or the next round, asks again

    def _open(self) -> list[tuple[str, PeriodCounter]]:
        found = [(lane.plan, period) for lane in self.lanes for period in lane.open.values()]
        return [(full_name(plan, period), period) for plan, period in [*found, *self._leaving]]

    def _sealed(self, full: str, period: PeriodCounter, *, clean: bool = False) -> "_Written":
        return full, period, period.to_bytes(self._clock.now(), clean=clean)

    def _write(self, counters: list["_Written"]) -> None:
        for full, period, content in counters:
            known = self._write_one(full, content)
            with suppress(OSError):
                self._keys.write_number(full, period.number)
                known = True
            if known:
                period.go_on(period.written_at)
                continue
            period.stand(period.written_at)
            self._facts.note(
                "counting waits",
                "Neither a counter nor its number can be written down, so a kill would leave no trace: nothing is "
                "counted for it from here on (what comes is suppressed: no lane takes it). It is tried again in five "
                "minutes, and its release says how long it was. Free space, or mend the disk",
                logging.ERROR,
            )

    def _write_one(self, full: str, content: bytes) -> bool:
        try:
            self._files.write(full, self._keys.key(full), content)
        except FAULTS:
            self._facts.note(
                "counter not written down",
                "A counter cannot be written down: if this run is cut off, it lacks more than five minutes, and its "
                "release says so. It is tried again in five minutes",
                logging.ERROR,
            )
            return False
        return True


_Written = tuple[str, PeriodCounter, bytes]
