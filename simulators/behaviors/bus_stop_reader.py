"""Buses run, riders wait, board and alight; readers at stops and doors see some of their tags."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import partial

from gateway.devices.kinds.bus_stop_reader import Read
from gateway.model.instant import MINUTE, SECOND, Instant
from simulators.calendar import day_of, midnight
from simulators.riders import Ride, rides_on
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline
from simulators.timetable import Trip, timetable
from simulators.vehicles import vehicles

_ALIVE_EVERY = 30 * MINUTE
_AT_DOOR, _AT_STOP = 0.85, 0.72  # chance that a bag's tag is read at all
_DELAY_KEEP = 0.9  # of a bus's delay is left at its next stop, before the new part


class Buses:
    """The day's trips as happenings: each arrival makes the readers there speak."""

    def __init__(self, seed: int, readers: Mapping[str, Speaker], timeline: Timeline) -> None:
        self._seed = seed
        self._readers = readers
        self._timeline = timeline

    def begin(self) -> None:
        """Plan the rest of today, every midnight after it, and the readers' signs of life."""
        now = self._timeline.now
        self._plan_day(day_of(now))
        for device in self._readers:
            offset = stream(self._seed, device, "alive").randrange(_ALIVE_EVERY // SECOND)
            self._timeline.plan(now + offset * SECOND, partial(self._alive, device))

    def _alive(self, device: str, at: Instant) -> None:
        self._readers[device].say(at, at - SECOND, None, reads=())
        self._timeline.plan(at + _ALIVE_EVERY, partial(self._alive, device))

    def _plan_day(self, day: date) -> None:
        rides = rides_on(self._seed, day)
        for trip in timetable().trips_on(day):
            self._plan_trip(day, trip, rides.get(trip.trip, []))
        tomorrow = day + timedelta(days=1)
        self._timeline.plan(midnight(tomorrow), lambda _: self._plan_day(tomorrow))

    def _plan_trip(self, day: date, trip: Trip, rides: list[Ride]) -> None:
        """Delays grow by lognormal bits and by boarding; a bus never leaves before its time."""
        dice = stream(self._seed, "trip", trip.trip, day.isoformat())
        bus = vehicles().bus_of[trip.trip]
        delay_s = 0.0
        for number, call in enumerate(trip.calls):
            boarding = [ride for ride in rides if ride.boards == number]
            leaving = [ride for ride in rides if ride.alights == number]
            delay_s = delay_s * _DELAY_KEEP + dice.lognormvariate(2.0, 0.8) - 4.0
            delay_s = max(0.0, delay_s)
            arrives = midnight(day) + round((call.arrival_s + delay_s) * SECOND)
            delay_s += 2.2 * len(boarding) + 1.4 * len(leaving)
            if (boarding or leaving) and arrives - 20 * SECOND > self._timeline.now:
                self._plan_visit(arrives, bus, f"stop-{call.stop}", boarding, leaving)

    def _plan_visit(
        self, at: Instant, bus: str, stop: str, boarding: list[Ride], leaving: list[Ride]
    ) -> None:
        """The stop's reader sees those who wait, the door's reader those who get on and off."""
        waiting = [ride.rider.tag for ride in boarding]
        through = [*waiting, *(ride.rider.tag for ride in leaving)]
        truth = {"boarding": len(boarding), "alighting": len(leaving), "vehicle": bus}
        if waiting:
            self._timeline.plan(
                at - 15 * SECOND, lambda now: self._see(now, stop, waiting, _AT_STOP, truth)
            )
        self._timeline.plan(
            at + 25 * SECOND, lambda now: self._see(now, bus, through, _AT_DOOR, truth)
        )

    def _see(
        self,
        at: Instant,
        device: str,
        tags: Iterable[str],
        chance: float,
        truth: Mapping[str, object],
    ) -> None:
        dice = stream(self._seed, device, "reads", str(at))
        reads: list[Read] = []
        for tag in tags:
            if dice.random() < chance:
                antennas = (1, 2) if dice.random() < 0.25 else (dice.randint(1, 2),)
                reads += [Read(tag, antenna, round(dice.gauss(-58, 6))) for antenna in antennas]
        if reads:
            self._readers[device].say(at, at - SECOND, truth, reads=tuple(reads[:64]))
