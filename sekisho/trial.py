"""One recorded way through the mask, fix by fix, in memory alone: what each comes to, and why."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from gateway.devices.catalog import catalog
from gateway.devices.decode import json_decoder
from gateway.devices.tables import table_columns
from gateway.keys.memory import MemoryKeys
from gateway.model.device import Device, Household
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.position import Position
from gateway.model.reason import Reason
from gateway.model.uplink import Route, Uplinks
from gateway.pipeline.process import Process
from gateway.privacy.distance import Plane
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy
from gateway.recent import Recent
from gateway.registry.purposes import STORE
from gateway.telemetry import Facts
from gateway.transports.replay.track import Point, Recording
from sekisho import track
from sekisho.rerun import KIND, boxed

_DEVICE = DeviceId("tried")


class Mark(NamedTuple):
    """One fix and what became of it.

    Attributes:
        point: as recorded.
        why: the reason it is hidden for; None where it is shown.
        lat, lon: where its row says it was, WGS 84 degrees; of a hidden fix, 0.
    """

    point: Point
    why: str | None
    lat: float
    lon: float

    def __repr__(self) -> str:
        return "<mark>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exact position is never serialised")


@dataclass(frozen=True, slots=True, repr=False)
class Trial:
    """A whole way.

    Attributes:
        marks: one per fix, in the order of the file.
        home: WGS 84 degrees.
        policy: the rules that were tried.
        hidden: reason → how many fixes.
        shown: how many fixes would be rows.
        minutes, length_m: from first to last fix; along the way.
        nearest_shown_m: of the shown places the nearest to home, in metres; None where none is shown.
        near_home: whether any fix was recorded within the home radius.
        undated: how many points were left out because they carry no time.
        nearest_m: of the recorded places the nearest to home, in metres.
    """

    marks: Sequence[Mark]
    home: tuple[float, float]
    policy: Policy
    hidden: dict[str, int]
    shown: int
    minutes: float
    length_m: float
    nearest_shown_m: float | None
    near_home: bool
    undated: int
    nearest_m: float


def run(recording: Recording, home: tuple[float, float], rules: Policy) -> Trial:
    """Send every fix through decoder and mask as the gateway would, and keep nothing anywhere."""
    policy = boxed(rules, recording.points)
    kind = catalog()[KIND]
    facts = Facts(Recent(exact=True))
    mask = Mask(policy, MemoryKeys(), {name: kind.row for name, kind in catalog().items()})
    process = Process(mask, policy.zone, facts)
    household = Household(HouseholdId("tried"), Position(*home), None, "EPSG:4326")
    device = Device(_DEVICE, KIND, "00000", recording.points[0].at, household, frozenset({STORE}))
    route = Route(device, KIND, json_decoder(kind))
    names = [column.name for column in table_columns(kind)]
    lat, lon = names.index("lat"), names.index("lon")
    marks = []
    for point, (at, payload) in zip(recording.points, recording.payloads(), strict=True):
        batch = process.decide([Uplinks("own", at, [(route, payload)], _unasked)])
        rows = [row for table in batch.outcome.rows.values() for row in table.observations]
        if rows:
            marks.append(Mark(point, None, rows[0].row[lat], rows[0].row[lon]))
        else:
            _origin, _kind, fate, reason = next(iter(batch.terms))
            marks.append(Mark(point, str(fate if reason is None else reason), 0.0, 0.0))
    return _trial(marks, home, policy, recording.undated)


def _trial(marks: list[Mark], home: tuple[float, float], policy: Policy, undated: int) -> Trial:
    points = [mark.point for mark in marks]
    plane = Plane(*home)
    away = [math.sqrt(plane.squared(m.lat, m.lon)) for m in marks if m.why is None]
    nearest_m = math.sqrt(min(plane.squared(p.lat, p.lon) for p in points))
    hidden = Counter(mark.why for mark in marks if mark.why is not None)
    return Trial(
        marks,
        home,
        policy,
        dict(hidden.most_common()),
        len(away),
        track.minutes(points),
        track.length_m(points),
        min(away, default=None),
        nearest_m <= policy.home_radius_m,
        undated,
        nearest_m,
    )


def _unasked(_refused: dict[int, Reason]) -> None:
    """Nobody waits for an acknowledgement of a trial."""
