"""The town is as large as promised, real where it says so, and invented elsewhere."""

from datetime import date
from itertools import pairwise

from simulators.area import in_municipality
from simulators.families import families
from simulators.fauna import SPECIES, passes_per_hour
from simulators.fleet import build_fleet
from simulators.riders import rides_on
from simulators.scenario import DEFAULT_START
from simulators.streets import distance
from simulators.timetable import seconds, timetable
from simulators.town import town
from simulators.vehicles import vehicles

TUESDAY, SATURDAY = date(2026, 5, 12), date(2026, 5, 16)


def test_the_town_is_large_enough() -> None:
    """At least 300 dwellings on 30 street edges, all connected."""
    here = town()

    assert len(here.dwellings) >= 300
    assert len({dwelling.edge for dwelling in here.dwellings}) >= 30
    assert len(here.streets.reaches(here.school)) == len(here.streets.nodes)


def test_the_town_lies_in_its_municipality() -> None:
    """Every dwelling, crossing and bus stop lies inside Toyama City; Takaoka and the sea do not."""
    places = [town().plane.degrees(d.house) for d in town().dwellings]
    places += [town().plane.degrees(node) for node in town().streets.nodes]
    places += [(stop.lat, stop.lon) for stop in timetable().stops.values()]

    assert all(in_municipality(*place) for place in places)
    assert not in_municipality(36.754, 137.026)
    assert not in_municipality(36.82, 137.22)


def test_local_metres_and_degrees_agree() -> None:
    """Degrees and back again is the same place."""
    for dwelling in town().dwellings[:20]:
        assert (
            distance(town().plane.point(*town().plane.degrees(dwelling.house)), dwelling.house)
            < 1e-6
        )


def test_the_stops_are_those_of_the_feed() -> None:
    """Stations that only group poles are left out; at least 20 stops remain, some in town."""
    stops = timetable().stops

    assert len(stops) == 27
    assert stops["12_1"].name == "蓮町"
    on_streets = [
        stop
        for stop in stops.values()
        if min(distance(town().plane.point(stop.lat, stop.lon), n) for n in town().streets.nodes)
        < 0.01
    ]
    assert len(on_streets) >= 4


def test_times_without_a_leading_zero_and_past_midnight() -> None:
    """GTFS writes 6:12:00 and 24:05:00."""
    assert seconds("6:12:00") == 22_320
    assert seconds("24:05:00") == 86_700


def test_buses_run_by_type_of_day() -> None:
    """Weekdays have more trips than Saturdays, whatever the year; no bus is in two places."""
    assert len(timetable().trips_on(TUESDAY)) == 129
    assert len(timetable().trips_on(SATURDAY)) == 74
    runs: dict[str, list[tuple[int, int]]] = {}
    for trip in timetable().trips_on(TUESDAY):
        run = (trip.calls[0].departure_s, trip.calls[-1].arrival_s)
        runs.setdefault(vehicles().bus_of[trip.trip], []).append(run)
    for run_list in runs.values():
        for before, after in pairwise(sorted(run_list)):
            assert before[1] <= after[0]


def test_riders_ride_forward() -> None:
    """Whoever boards gets off later on the same trip; weekdays are fuller than Saturdays."""
    weekday, saturday = rides_on(7, TUESDAY), rides_on(7, SATURDAY)

    assert all(r.boards < r.alights for rides in weekday.values() for r in rides)
    assert sum(map(len, weekday.values())) > 2 * sum(map(len, saturday.values()))


def test_a_larger_town_begins_with_the_smaller_one() -> None:
    """The first ten of a hundred children are the ten; some siblings share a home."""
    many = families(town(), 7, 100)

    assert many[:10] == families(town(), 7, 10)
    assert len({child.household.household for child in many}) < 100
    assert 0 < sum(not child.consent for child in many) < 12


def test_every_device_has_what_its_kind_needs() -> None:
    """A tracker has a household, a reader a mount, some gauges a datum; ids are unique."""
    fleet = build_fleet(town(), 7, DEFAULT_START, 50)

    assert len({device.device for device in fleet}) == len(fleet)
    assert {device.form for device in fleet} == {"json", "binary"}
    for device in fleet:
        assert (device.household is not None) == (device.kind == "child_tracker")
        assert ("mount" in device.attributes) == (device.kind == "bus_stop_reader")


def test_animals_keep_their_seasons_and_hours() -> None:
    """Bears come in October and at dawn, macaques by day; nobody comes a negative number of times."""
    assert passes_per_hour("bear", 10, 5.5) > 10 * passes_per_hour("bear", 1, 5.5)
    assert passes_per_hour("bear", 10, 5.5) > passes_per_hour("bear", 10, 0.5)
    assert passes_per_hour("macaque", 6, 12) > 5 * passes_per_hour("macaque", 6, 0)
    for name, species in SPECIES.items():
        day = sum(passes_per_hour(name, 6, hour / 4) / 4 for hour in range(96))
        assert 0.2 * species.per_day < day < 3.0 * species.per_day
