"""What rule sets keep of the same ways: every fix through the mask, in memory alone, and how much is left of use."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians
from pathlib import Path
from typing import NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from gateway.devices.catalog import catalog
from gateway.devices.kinds.child_tracker import Values
from gateway.devices.tables import table_columns
from gateway.keys.memory import MemoryKeys
from gateway.model.device import Device, Household
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import SECOND, Instant
from gateway.model.observation import Observation
from gateway.model.position import Position
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Route, Uplinks
from gateway.pipeline.process import Process
from gateway.privacy.area import Area
from gateway.privacy.mask import Mask
from gateway.privacy.mesh import MESHES
from gateway.privacy.policy import Policy
from gateway.settings.rule_set import load_rules, partitions_of
from gateway.settings.rules import Ground, compile_policy
from sekisho.ways import Way

KIND = "child_tracker"
_ON_ITS_WAY = 2 * SECOND
_PURPOSES = frozenset({"store"})
_DEGREE_M = 111_320.0
_ROOM_DEG = 0.01
ZONE = ZoneInfo("Asia/Tokyo")
"""Of time bins, days and periods."""
_BESIDE_M = 40.0
"""A fix this near to a street was on it."""
_FINE = MESHES["125m"]

Place = tuple[float, float]
Street = tuple[Place, Place]


class Row(NamedTuple):
    """One row that a rule set leaves.

    Attributes:
        fix: the number of its fix in its way.
        minute: its time as the row says it, µs.
        lat, lon, cell: its place as the row says it; what it does not say is None.
    """

    fix: int
    minute: Instant
    lat: float | None
    lon: float | None
    cell: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """What one rule set keeps.

    Attributes:
        name: of the rule set.
        policy: the rules.
        rows: per way, in order of its fixes.
        ends: per way and fix, why nothing of it is kept; None where a row is.
    """

    name: str
    policy: Policy
    rows: Sequence[Sequence[Row]]
    ends: Sequence[Sequence[str | None]]

    @property
    def hidden(self) -> dict[str, int]:
        """Reason → fixes of which nothing is kept, the most frequent first."""
        whys = Counter(why for way in self.ends for why in way if why is not None)
        return dict(whys.most_common())

    def __reduce__(self) -> NoReturn:
        raise TypeError("exact positions are never serialised")


def policy_of(file: Path, ways: Sequence[Way]) -> Policy:
    """A rule set compiled; the service area is a box round the ways.

    Raises:
        Refusal: the file has faults, or no fix has a position.
    """
    rules = load_rules(file, invented=True)
    places = [(fix.lat, fix.lon) for way in ways for fix in way.fixes
              if fix.lat is not None and fix.lon is not None]  # fmt: skip
    if not places:
        raise Refusal("No fix has a position.", exit_code=2)
    lats, lons = ([place[axis] for place in places] for axis in (0, 1))
    box = (
        max(min(lats) - _ROOM_DEG, -90.0),
        max(min(lons) - _ROOM_DEG, -180.0),
        min(max(lats) + _ROOM_DEG, 90.0),
        min(max(lons) + _ROOM_DEG, 180.0),
    )
    return compile_policy(
        rules,
        partitions_of(file, rules),
        Ground(Area.from_bbox(*box).contains, "round the ways", ZONE),
    )


def keep(name: str, policy: Policy, ways: Sequence[Way], done: Callable[[int], None]) -> Kept:
    """Send every way through a mask of its own.

    Args:
        done: told after each way how many there are.
    """
    kept = []
    for way in ways:
        kept.append(_keep(policy, way))
        done(len(kept))
    return Kept(name, policy, [rows for rows, _ in kept], [ends for _, ends in kept])


def _keep(policy: Policy, way: Way) -> tuple[list[Row], list[str | None]]:
    """Each fix under an origin of its own, its number: rows may come later than their fixes."""
    fixes = way.fixes
    mask = Mask(policy, MemoryKeys(), {KIND: None})
    route = route_of(way, "h", _PURPOSES)
    batch = Process(mask, policy.zone).decide(
        [sent(str(number), route, way, number) for number in range(len(fixes))]
    )
    ends: list[str | None] = [None] * len(fixes)
    for (origin, _kind, fate, reason), count in batch.terms.items():
        if count > 0:
            ends[int(origin)] = str(fate if reason is None else reason)
    for origin, end in mask.forget_held():
        ends[int(origin)] = str(end)
    rows = []
    for group in batch.outcome.rows.values():
        for uplink, kept in zip(group.uplinks, group.observations, strict=True):
            (origin, *_), _, _ = batch.waiting[uplink]
            rows.append(_row(int(origin), kept))
            ends[int(origin)] = None
    return sorted(rows), ends


def route_of(way: Way, household: str, lanes: frozenset[str]) -> Route:
    """The device of a way, of a household that lives at its home and agreed to these lanes; a payload is the number of a fix."""
    family = Household(HouseholdId(household), Position(*way.home), None, "EPSG:4326")
    device = Device(DeviceId(f"{household} {way.child}"), KIND, "00000", 0, family, lanes)

    def decode(payload: Payload, _device: Device) -> tuple[Values, Instant, int]:
        assert isinstance(payload, bytes)
        number = int.from_bytes(payload, "big")
        fix = way.fixes[number]
        return Values(lat=fix.lat, lon=fix.lon, accuracy_m=fix.accuracy_m), fix.at, number

    return Route(device, KIND, decode)


def sent(origin: str, route: Route, way: Way, number: int) -> Uplinks:
    """One fix of a way, as it comes in."""
    at = way.fixes[number].at
    return Uplinks(origin, at + _ON_ITS_WAY, [(route, number.to_bytes(8, "big"))], _unasked)


def _unasked(_refused: dict[int, Reason]) -> None:
    """Nobody waits for an acknowledgement."""


_COLUMNS = [column.name for column in table_columns(catalog()[KIND])]
_MINUTE, _LAT, _LON, _CELL = (_COLUMNS.index(name) for name in ("minute", "lat", "lon", "cell"))


def _row(number: int, kept: Observation) -> Row:
    row = kept.row
    return Row(number, row[_MINUTE], row[_LAT], row[_LON], row[_CELL])


class Use(NamedTuple):
    """How much is left of use.

    Attributes:
        trips: ways from one stay to the next on which there was a fix.
        fixes: fixes with a position, on trips.
        rows: how many of them are kept.
        streets: streets (or, where none are known, cells of 125 m) on which somebody walked.
        streets_kept: those of them of which a row is kept.
    """

    trips: int
    fixes: int
    rows: int
    streets: int
    streets_kept: int

    @property
    def rows_per_trip(self) -> float:
        return self.rows / self.trips if self.trips else 0.0

    @property
    def points_percent(self) -> float:
        return 100 * self.rows / self.fixes if self.fixes else 0.0

    @property
    def streets_percent(self) -> float:
        return 100 * self.streets_kept / self.streets if self.streets else 0.0


def use_of(kept: Kept, ways: Sequence[Way], where: Callable[[float, float], int | None]) -> Use:
    """How much one rule set leaves; `where` names the street or cell of a place in degrees."""
    trips = fixes = rows = 0
    walked: set[int] = set()
    told: set[int] = set()
    for way, found in zip(ways, kept.rows, strict=True):
        shown = {row.fix for row in found}
        seen = set()
        for number, fix in enumerate(way.fixes):
            if fix.trip is None or fix.lat is None or fix.lon is None:
                continue
            seen.add(fix.trip)
            fixes += 1
            street = where(fix.lat, fix.lon)
            if street is not None:
                walked.add(street)
            if number in shown:
                rows += 1
                if street is not None:
                    told.add(street)
        trips += len(seen)
    return Use(trips, fixes, rows, len(walked), len(told))


class Network:
    """Streets, asked by places."""

    def __init__(self, streets: Iterable[Street]) -> None:
        self._streets = list(streets)
        self._near: dict[int, list[int]] = defaultdict(list)
        for number, (start, end) in enumerate(self._streets):
            steps = max(1, int(_metres(start, end) // 50))
            for step in range(steps + 1):
                share = step / steps
                lat = start[0] + (end[0] - start[0]) * share
                lon = start[1] + (end[1] - start[1]) * share
                for cell in _FINE.around(_FINE.cell(lat, lon), 1, 1):
                    if number not in self._near[cell]:
                        self._near[cell].append(number)

    def where(self, lat: float, lon: float) -> int | None:
        """The number of the nearest street within 40 m; None where there is none."""
        near = self._near.get(_FINE.cell(lat, lon), ())
        away, number = min(((_off((lat, lon), self._streets[n]), n) for n in near), default=(0.0, None))  # fmt: skip
        return number if away <= _BESIDE_M else None


def cell_of(lat: float, lon: float) -> int | None:
    """The cell of 125 m of a place, where no streets are known."""
    return _FINE.cell(lat, lon)


def _metres(a: Place, b: Place) -> float:
    return hypot(a[0] - b[0], (a[1] - b[1]) * cos(radians(a[0]))) * _DEGREE_M


def _off(place: Place, street: Street) -> float:
    """Metres from a place to the nearest point of a street."""
    narrow = cos(radians(place[0]))
    (lat, lon), (lat_1, lon_1), (lat_2, lon_2) = place, *street
    y, x = lat - lat_1, (lon - lon_1) * narrow
    up, along = lat_2 - lat_1, (lon_2 - lon_1) * narrow
    square = up * up + along * along
    share = 0.0 if square == 0 else min(1.0, max(0.0, (y * up + x * along) / square))
    return hypot(y - up * share, x - along * share) * _DEGREE_M
