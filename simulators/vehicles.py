"""Which bus runs which trip: each trip takes a free bus at its first stop, or a new one."""

from functools import cache
from typing import NamedTuple

from simulators.timetable import Trip, timetable

_TURN_S = 120  # a bus needs this long to turn at a terminus


class Roster(NamedTuple):
    """All buses, and trip id → the bus that runs it."""

    fleet: tuple[str, ...]
    bus_of: dict[str, str]


@cache
def vehicles() -> Roster:
    """The smallest fleet, day type by day type, that runs the whole timetable."""
    by_service: dict[str, list[Trip]] = {}
    for trip in timetable().trips:
        by_service.setdefault(trip.service, []).append(trip)
    fleet: list[str] = []
    bus_of: dict[str, str] = {}
    for trips in by_service.values():
        free: dict[str, tuple[int, str]] = {}  # bus → (free from, stop)
        for trip in trips:
            first, last = trip.calls[0], trip.calls[-1]
            waiting = [
                bus
                for bus, (since, stop) in free.items()
                if stop == first.stop and since <= first.departure_s
            ]
            bus = waiting[0] if waiting else f"bus-{len(free) + 1:02}"
            if bus not in fleet:
                fleet.append(bus)
            free[bus] = (last.arrival_s + _TURN_S, last.stop)
            bus_of[trip.trip] = bus
    return Roster(tuple(fleet), bus_of)
