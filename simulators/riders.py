"""Who rides the buses: invented card holders with a usual way, and the tag on each bag."""

from datetime import date
from functools import cache
from random import Random
from typing import NamedTuple

from simulators.calendar import is_day_off
from simulators.streams import stream
from simulators.timetable import Trip, timetable

RIDERS = 420


class Rider(NamedTuple):
    """One card holder.

    Attributes:
        tag: EPC-96 in hex; header 0x30 and a company prefix that nobody owns.
        origin, destination: GTFS stop ids.
        out_h, back_h: usual local hours of both trips.
        days: chance to ride on a weekday and on a weekend day.
        stream: name of this rider's dice.
    """

    tag: str
    origin: str
    destination: str
    out_h: float
    back_h: float
    days: tuple[float, float]
    stream: str


class Ride(NamedTuple):
    """One rider on one trip, from call number to call number."""

    rider: Rider
    trip: str
    boards: int
    alights: int


@cache
def riders(seed: int) -> tuple[Rider, ...]:
    """All card holders of this seed's town."""
    lines = sorted({tuple(call.stop for call in trip.calls) for trip in timetable().trips})
    found = []
    for number in range(1, RIDERS + 1):
        name = f"rider-{number:04}"
        dice = stream(seed, name)
        line = dice.choice(lines)
        boards = dice.randrange(0, len(line) - 2)
        alights = min(len(line) - 1, boards + 2 + int(dice.expovariate(1 / 5.0)))
        commuter = dice.random() < 0.6
        out = dice.gauss(7.4, 0.5) if commuter else dice.uniform(8.5, 14.0)
        back = out + (dice.gauss(9.6, 1.0) if commuter else dice.uniform(1.2, 4.0))
        days = (0.9, 0.15) if commuter else (0.35, 0.3)
        tag = f"30F5FFFF{dice.getrandbits(64):016X}"
        found.append(
            Rider(tag, line[boards], line[alights], max(6.2, out), min(21.5, back), days, name)
        )
    return tuple(found)


def _catch(
    trips: list[Trip], dice: Random, hour: float, origin: str, goal: str
) -> tuple[Trip, int, int] | None:
    """The first bus after `hour` that goes from `origin` to `goal`."""
    wish = (hour + dice.gauss(0.0, 0.12)) * 3600
    for trip in trips:
        stops = [call.stop for call in trip.calls]
        if origin in stops and goal in stops:
            boards, alights = stops.index(origin), stops.index(goal)
            if boards < alights and trip.calls[boards].departure_s >= wish:
                return trip, boards, alights
    return None


def rides_on(seed: int, day: date) -> dict[str, list[Ride]]:
    """Trip id → who rides on it that day; most come back the way they went."""
    trips = timetable().trips_on(day)
    found: dict[str, list[Ride]] = {}
    for rider in riders(seed):
        dice = stream(seed, rider.stream, "day", day.isoformat())
        if dice.random() >= rider.days[is_day_off(day)]:
            continue
        legs = [(rider.out_h, rider.origin, rider.destination)]
        if dice.random() < 0.85:
            legs.append((rider.back_h, rider.destination, rider.origin))
        for hour, origin, goal in legs:
            caught = _catch(trips, dice, hour, origin, goal)
            if caught:
                trip, boards, alights = caught
                found.setdefault(trip.trip, []).append(Ride(rider, trip.trip, boards, alights))
    return found
