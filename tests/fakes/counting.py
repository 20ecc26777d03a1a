"""Counters as tests need them: plans without files, readings at places, streets drawn by hand."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from hashlib import blake2b
from typing import Any

from gateway.counting.calendar import Calendar
from gateway.counting.lane import Counter, Plan
from gateway.counting.units import MeshUnits, Units
from gateway.devices.kinds.bus_stop_reader import Read, Values
from gateway.model.instant import Instant
from gateway.model.reading import Reading
from gateway.rules.counts import Count, KSuppress, Protect
from gateway.rules.model import Lane
from tests.fakes.readings import NOON, child, document, household, reading, stop

K5 = KSuppress(5, complementary=True, leaf_edges="drop", one_facility="drop")
MESH = Count("mesh_250", "household", "month", ("hour", "weekday_type"), 40)


def key(period: str) -> bytes:
    """A key that anyone can compute."""
    return blake2b(period.encode(), digest_size=32, person=b"period").digest()


def plan(
    rule: Count = MESH,
    units: Units | None = None,
    zone: tzinfo = UTC,
    of: Lane | None = None,
) -> Plan:
    """A rule of a lane, `analysis` unless it is said, ready to be counted."""
    calendar = Calendar(rule.period, rule.slices, zone)
    held = of or lane()
    return Plan(held.name, held, rule, calendar, units or MeshUnits("250m"), "made-up")


def lane(protect: Sequence[Protect] = (K5,), name: Any = "analysis") -> Lane:
    """A lane with no more than its head and what protects its numbers."""
    return Lane(name, "to test", "school:own-district", "consent", None, protect=tuple(protect))


def counter(
    planned: Plan | None = None,
    keys: Callable[[str], bytes] = key,
    closed: Iterable[str] = (),
) -> Counter:
    """One with no period open."""
    return Counter(planned or plan(), keys, frozenset(closed).__contains__, lambda: 256)


def walked(
    place: tuple[float, float],
    family: str = "h-1",
    at: Instant = NOON,
    received_at: Instant | None = None,
) -> Reading:
    """A child of a family was somewhere."""
    values = document(lat=place[0], lon=place[1])
    return reading(child(family, household(name=family)), values, at, received_at=received_at)


def read(tags: Iterable[str], at_stop: str | None = "12_1", at: Instant = NOON) -> Reading:
    """A reader at a stop, or at a bus's door, saw tags."""
    at_door: dict[str, Any] = {"mount": "door", "vehicle": "bus-7"}
    attributes = at_door if at_stop is None else {"mount": "stop", "stop": at_stop}
    seen = Values(reads=tuple(Read(tag, 1, -50) for tag in tags))
    return reading(stop(attributes), seen, at)
