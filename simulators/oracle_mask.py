"""The oracle's child mask: the twelve steps of docs/mask.md, one after another."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import cos, dist, isfinite, radians, sin, sqrt
from typing import Any, NamedTuple

from gateway.model.instant import MINUTE, Instant
from gateway.model.reason import Fate, Reason

_AXIS_M = 6_378_137.0  # WGS 84, semi-major axis
_ECCENTRICITY_2 = 0.006_694_379_990_14  # WGS 84, first eccentricity squared
_BUFFER_M = 20.0
_FAR_M = 300.0
_NET_M = 150.0
_POOR_M = 50.0
_UNSAID_M = 10.0
_GAP = 30 * MINUTE
_RECENT = 64


class Rules(NamedTuple):
    """The policy: service area, when the rules began, the usual home radius in metres."""

    in_area: Callable[[float, float], bool]
    since: Instant
    default_radius_m: float


class Fix(NamedTuple):
    """One uplink of a child, as the mask sees it."""

    identity: tuple[Any, ...]
    at: Instant
    late: bool
    lat: float | None
    lon: float | None
    accuracy_m: float | None


@dataclass(slots=True)
class Memory:
    """What the mask remembers of one child, in memory only."""

    open: bool = False
    last: Instant | None = None
    run: list[tuple[float, float, bool]] = field(default_factory=list)  # lat, lon, far from home
    recent: deque[tuple[Any, ...]] = field(default_factory=lambda: deque(maxlen=_RECENT))


class Ruling(NamedTuple):
    """Fate and reason of one fix; `slack_m` as in `simulators.oracle.Verdict`."""

    fate: Fate
    reason: Reason | None = None
    slack_m: float = float("inf")


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two places on the WGS 84 ellipsoid: the chord between their earth-centred points.

    Over a few kilometres the chord is shorter than the way over the ground by micrometres.
    """
    return dist(_earth_centred(lat1, lon1), _earth_centred(lat2, lon2))


def _earth_centred(lat: float, lon: float) -> tuple[float, float, float]:
    phi, lam = radians(lat), radians(lon)
    across = _AXIS_M / sqrt(1 - _ECCENTRICITY_2 * sin(phi) ** 2)
    return (
        across * cos(phi) * cos(lam),
        across * cos(phi) * sin(lam),
        across * (1 - _ECCENTRICITY_2) * sin(phi),
    )


def _suppress(reason: Reason, slack_m: float = float("inf")) -> Ruling:
    return Ruling(Fate.SUPPRESSED, reason, slack_m)


def judge_child(fix: Fix, device: Mapping[str, Any], memory: Memory, rules: Rules) -> Ruling:
    """Rule on one fix and move the memory on; `device` is the ledger's roster line."""
    if fix.identity in memory.recent:  # step 1
        return Ruling(Fate.DUPLICATE)
    memory.recent.append(fix.identity)
    refused = _before_state(fix, device, rules)
    if refused is not None:
        return _suppress(refused)
    if memory.last is not None and fix.at <= memory.last:  # step 6
        return _late(fix, device, memory, rules)
    if memory.last is not None and fix.at - memory.last > _GAP:  # step 7
        memory.open, memory.run = False, []
    memory.last = fix.at
    unusable = _unusable(fix, rules)
    if unusable is not None:  # step 8
        memory.run = []
        return _suppress(unusable)
    return _by_distance(fix, device, memory, rules)


def _before_state(fix: Fix, device: Mapping[str, Any], rules: Rules) -> Reason | None:
    """Steps 2 to 5: reasons that leave the memory as it is."""
    checks = (
        (not device["consent"], Reason.NO_CONSENT),
        (fix.late, Reason.LATE),
        (fix.at < rules.since, Reason.RULES_CHANGED),
        (device["household"] is None or device["home"] is None, Reason.NO_HOME),
        (device.get("crs", "EPSG:4326") != "EPSG:4326", Reason.UNKNOWN_CRS),
    )
    return next((reason for applies, reason in checks if applies), None)


def _late(fix: Fix, device: Mapping[str, Any], memory: Memory, rules: Rules) -> Ruling:
    """Step 6: too late to be kept, but a place near home still closes."""
    slack = float("inf")
    if fix.lat is not None and fix.lon is not None:
        outside = False
        if isfinite(fix.lat) and isfinite(fix.lon):
            outside, _, _, slack = _measure(fix, device, rules)
        if not outside:
            memory.open, memory.run = False, []
    return _suppress(Reason.LATE, slack)


def _unusable(fix: Fix, rules: Rules) -> Reason | None:
    """Step 8: positions that are none."""
    lat, lon = fix.lat, fix.lon
    if lat is None or lon is None:
        return Reason.NO_FIX
    if not (isfinite(lat) and isfinite(lon)):
        return Reason.FAULT
    if abs(lat) < 0.001 and abs(lon) < 0.001:
        return Reason.ZERO_ZERO
    return None if rules.in_area(lat, lon) else Reason.OUTSIDE_AREA


class _Measured(NamedTuple):
    """Whether a fix is provably outside, how far beyond R + margin it lies, its accuracy, the slack."""

    outside: bool
    beyond_m: float
    accuracy_m: float
    slack_m: float


def _measure(fix: Fix, device: Mapping[str, Any], rules: Rules) -> _Measured:
    lat, lon = fix.lat, fix.lon
    assert lat is not None
    assert lon is not None
    home_lat, home_lon = device["home"]
    accuracy = _UNSAID_M if fix.accuracy_m is None else fix.accuracy_m
    radius = max(rules.default_radius_m, device["radius_m"] or 0.0)
    limit = radius + 2 * accuracy + 1
    raw = distance_m(lat, lon, home_lat, home_lon)
    rounded = distance_m(round(lat, 5), round(lon, 5), home_lat, home_lon)
    slack = min(abs(raw - limit), abs(rounded - limit))
    return _Measured(raw > limit and rounded > limit, raw - limit, accuracy, slack)


def _by_distance(fix: Fix, device: Mapping[str, Any], memory: Memory, rules: Rules) -> Ruling:
    """Steps 9 to 12."""
    lat, lon = fix.lat, fix.lon
    assert lat is not None
    assert lon is not None
    outside, beyond_m, accuracy, slack = _measure(fix, device, rules)
    if not outside:  # step 9
        memory.open, memory.run = False, []
        return _suppress(Reason.INSIDE_HOME, slack)
    if accuracy > _POOR_M:  # step 10
        memory.run = []
        return _suppress(Reason.POOR_ACCURACY, slack)
    if memory.open:  # step 11
        return Ruling(Fate.STORED, None, slack)
    clear = beyond_m - _BUFFER_M  # step 12
    slack = min(slack, abs(clear), abs(clear - _FAR_M))
    if not clear > 0:
        memory.run = []
        return _suppress(Reason.NOT_REOPENED, slack)
    memory.run.append((lat, lon, clear > _FAR_M))
    first = memory.run[0]
    net = distance_m(first[0], first[1], lat, lon)
    slack = min(slack, abs(net - _NET_M))
    if len(memory.run) >= 3 and (net > _NET_M or all(far for *_, far in memory.run[-3:])):
        memory.open, memory.run = True, []
    return _suppress(Reason.NOT_REOPENED, slack)
