"""The real timetable of the feeder buses, read from GTFS files, run by type of day."""

import csv
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from simulators.calendar import is_holiday

_SUNDAY = 6
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Stop(NamedTuple):
    """One bus stop: GTFS `stop_id`, its name, WGS 84 degrees."""

    stop: str
    name: str
    lat: float
    lon: float


class Call(NamedTuple):
    """A bus at a stop: seconds after local midnight (may pass 86,400) and the GTFS stop id."""

    arrival_s: int
    departure_s: int
    stop: str


class Trip(NamedTuple):
    """One run of a bus from its first to its last stop."""

    trip: str
    route: str
    service: str
    calls: tuple[Call, ...]


class Timetable(NamedTuple):
    """Stops people can board at, all trips, and which services run on which day of the week."""

    stops: dict[str, Stop]
    trips: tuple[Trip, ...]
    services: dict[str, tuple[bool, ...]]

    def trips_on(self, day: date) -> list[Trip]:
        """The trips of that day's type, in order of departure; the feed's own dates are ignored.

        Public holidays go by Sunday's.
        """
        kind = _SUNDAY if is_holiday(day) else day.weekday()
        running = {name for name, days in self.services.items() if days[kind]}
        return [trip for trip in self.trips if trip.service in running]


def seconds(text: str) -> int:
    """Seconds after midnight of a GTFS time: `6:12:00` and `24:05:00` are both good."""
    hours, minutes, rest = text.strip().split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def _rows(name: str) -> list[dict[str, str]]:
    """The rows of one GTFS file; the feed begins its files with a byte order mark."""
    text = (files("simulators") / "data" / "feeder" / name).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


@cache
def timetable() -> Timetable:
    """The feeder lines of Toyama City (GTFS-JP 2019, 富山県富山市, CC0)."""
    stops = {
        row["stop_id"]: Stop(
            row["stop_id"], row["stop_name"], float(row["stop_lat"]), float(row["stop_lon"])
        )
        for row in _rows("stops.txt")
        if row["location_type"] != "1"  # a station only groups the poles where buses call
    }
    calls: dict[str, list[tuple[int, Call]]] = {}
    for row in _rows("stop_times.txt"):
        call = Call(seconds(row["arrival_time"]), seconds(row["departure_time"]), row["stop_id"])
        calls.setdefault(row["trip_id"], []).append((int(row["stop_sequence"]), call))
    trips = [
        Trip(
            row["trip_id"],
            row["route_id"],
            row["service_id"],
            tuple(call for _, call in sorted(calls[row["trip_id"]])),
        )
        for row in _rows("trips.txt")
    ]
    trips.sort(key=lambda trip: (trip.calls[0].departure_s, trip.trip))
    services = {
        row["service_id"]: tuple(row[day] == "1" for day in _WEEKDAYS)
        for row in _rows("calendar.txt")
    }
    return Timetable(stops, tuple(trips), services)
