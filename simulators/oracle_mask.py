"""The oracle's child mask: the twelve steps of docs/mask.md and what rule sets add, one after another."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from gateway.model.instant import SECOND, Instant
from gateway.model.reason import Fate, Reason
from simulators.oracle_memory import Fix, Memory
from simulators.oracle_mesh import Box, apart_m, box_of, code_of, distance_m
from simulators.oracle_rules import Rules
from simulators.oracle_trip import Ended, Held, on_sphere_m

_FLAT = 3000.0  # by such a part a way over a plane may be longer or shorter
_FORMULA_M = 1.0  # what a circle's margin keeps for the distance formula


class Ruling(NamedTuple):
    """Fate and reason of one fix; `slack_m` as in `simulators.oracle.Verdict`.

    Attributes:
        held: where it is held or stored, what its row says.
        ended: others that were held until now.
    """

    fate: Fate
    reason: Reason | None = None
    slack_m: float = float("inf")
    held: Held | None = None
    ended: tuple[Ended, ...] = ()


class _Measured(NamedTuple):
    """Whether a fix is provably outside, how far beyond that it lies, its accuracy, the slack."""

    outside: bool
    beyond_m: float
    accuracy_m: float
    slack_m: float


def judge_child(fix: Fix, device: Mapping[str, Any], memory: Memory, rules: Rules) -> Ruling:
    """Rule on one fix and move the memory on; `device` is the ledger's roster line.

    Its `home` and `radius_m` hide; so do those of each of `former`, if there are any.
    """
    if fix.identity in memory.recent:  # step 1
        return Ruling(Fate.DUPLICATE)
    memory.recent.append(fix.identity)
    refused = _before_state(fix, device, rules)
    if refused is not None:
        if refused is Reason.LATE:
            memory.trip.late(fix.received_at, rules)
        return _suppress(refused)
    homes = _homes(device)
    lost = memory.lose() if memory.homes not in (None, homes) else []  # it moved
    memory.homes = homes
    if memory.last is not None and fix.at <= memory.last:  # step 6
        ruling = _late(fix, device, memory, rules)
        return ruling._replace(ended=(*lost, *ruling.ended))
    if memory.last is not None and fix.at - memory.last > rules.gap:  # step 7
        lost += memory.lose()
    memory.last = fix.at
    unusable = _unusable(fix, rules)
    if unusable is not None:  # step 8
        memory.run = []
        return _suppress(unusable, ended=lost)
    ruling = _by_distance(fix, device, memory, rules)
    return ruling._replace(ended=(*lost, *ruling.ended))


def _suppress(
    reason: Reason, slack_m: float = float("inf"), ended: list[Ended] | None = None
) -> Ruling:
    return Ruling(Fate.SUPPRESSED, reason, slack_m, ended=tuple(ended or ()))


def _before_state(fix: Fix, device: Mapping[str, Any], rules: Rules) -> Reason | None:
    """Steps 2 to 5: reasons that leave the memory as it is."""
    homeless = device["household"] is None or device["home"] is None
    checks = (
        (not device["consent"], Reason.NO_CONSENT),
        (fix.late, Reason.LATE),
        (fix.at < rules.since, Reason.RULES_CHANGED),
        (homeless, Reason.NO_HOME),
        (device.get("crs", "EPSG:4326") != "EPSG:4326", Reason.UNKNOWN_CRS),
    )
    found = next((reason for applies, reason in checks if applies), None)
    if found is not None or rules.zones is None:
        return found
    zone = rules.zones.zone_of(*device["home"])
    if zone is None:
        return Reason.NO_ZONE
    density = rules.zones.density(zone)
    least, below = rules.density_from, rules.density_below
    if (least is not None and density < least) or (below is not None and density >= below):
        return Reason.NO_LANE
    return None


def _late(fix: Fix, device: Mapping[str, Any], memory: Memory, rules: Rules) -> Ruling:
    """Step 6: too late to be kept, but a place near home still closes."""
    slack, lost = float("inf"), []
    if fix.lat is not None and fix.lon is not None:
        outside = False
        if isfinite(fix.lat) and isfinite(fix.lon):
            outside, _, _, slack = _measure(fix, device, rules)
        if not outside:
            lost = memory.lose()
    memory.trip.late(fix.received_at, rules)
    return _suppress(Reason.LATE, slack, lost)


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


def _measure(fix: Fix, device: Mapping[str, Any], rules: Rules) -> _Measured:
    lat, lon = fix.lat, fix.lon
    assert lat is not None
    assert lon is not None
    accuracy = rules.unsaid_m if fix.accuracy_m is None else fix.accuracy_m
    unsure = 2 * accuracy if rules.zones is None else 0.0
    places = [(lat, lon)]
    if not rules.says_cells:
        places.append((round(lat, 5), round(lon, 5)))
    beyond = [_beyond_m(Box(*one, *one), device, rules) - unsure for one in places]
    slack = min(map(abs, beyond))
    return _Measured(all(one > 0 for one in beyond), beyond[0], accuracy, slack)


def _homes(device: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Where it lives, and lived, with the radius that was asked for there."""
    lived = [device, *device.get("former", ())]
    return [(*one["home"], one["radius_m"] or 0.0) for one in lived]


def _beyond_m(box: Box, device: Mapping[str, Any], rules: Rules) -> float:
    """Metres between a box and the nearest of what hides: a zone and its buffer, or a circle with its margin."""
    return min(_beyond_one_m(box, *one, rules) for one in _homes(device))


def _beyond_one_m(box: Box, lat: float, lon: float, radius_m: float, rules: Rules) -> float:
    if rules.zones is None:
        radius = max(rules.default_radius_m, radius_m)
        return apart_m(box, Box(lat, lon, lat, lon)) - radius - _FORMULA_M
    zone = rules.zones.zone_of(lat, lon)
    assert zone is not None
    return rules.zones.gap_m(box, zone) - rules.buffer_m


def _by_distance(fix: Fix, device: Mapping[str, Any], memory: Memory, rules: Rules) -> Ruling:
    """Steps 9 to 12."""
    lat, lon = fix.lat, fix.lon
    assert lat is not None
    assert lon is not None
    before, memory.before = memory.before, (lat, lon, fix.at)
    outside, beyond_m, accuracy, slack = _measure(fix, device, rules)
    if not outside:  # step 9
        memory.open, memory.run, memory.placed = False, [], (True, True)
        return _suppress(_hiding(rules), slack, memory.trip.hide(rules))
    unbelieved, spare = _unbelieved(fix, accuracy, before, rules)
    slack = min(slack, spare)
    if unbelieved is not None:  # step 10, and what `validate` adds to it
        memory.run = []
        return _suppress(unbelieved, slack)
    if memory.open:  # step 11
        return _keep(fix, device, memory, rules, slack)
    if rules.stay is not None and not memory.placed[0]:
        return _suppress(Reason.NOT_REOPENED, slack)
    clear = beyond_m - (rules.buffer_m if rules.zones is None else 0.0)  # step 12
    far = rules.far_m
    slack = min(slack, abs(clear), abs(clear - (far or 0.0)))
    if not clear > 0:
        memory.run = []
        return _suppress(Reason.NOT_REOPENED, slack)
    memory.run.append((lat, lon, far is not None and clear > far))
    first = memory.run[0]
    net = distance_m(first[0], first[1], lat, lon)
    slack = min(slack, abs(net - rules.net_m))
    by_way = net > rules.net_m
    least = rules.reopen_fixes
    if len(memory.run) >= least and (by_way or all(one for *_, one in memory.run[-least:])):
        memory.open, memory.run = True, []
        known = memory.placed[1] and by_way
        memory.trip.open((fix.at, fix.received_at), lat, lon, known=known, rules=rules)
    return _suppress(Reason.NOT_REOPENED, slack)


def _hiding(rules: Rules) -> Reason:
    return Reason.INSIDE_HOME if rules.zones is None else Reason.INSIDE_ZONE


def _unbelieved(
    fix: Fix, accuracy_m: float, before: tuple[float, float, Instant] | None, rules: Rules
) -> tuple[Reason | None, float]:
    """Step 10 and `validate`: why a fix is not believed, and the slack of the way to it."""
    if accuracy_m > rules.poor_m:
        return Reason.POOR_ACCURACY, float("inf")
    slack = float("inf")
    if rules.speed_m_s is not None:
        if before is None:
            return Reason.TOO_FAST, slack
        assert fix.lat is not None
        assert fix.lon is not None
        way = on_sphere_m(before[0], before[1], fix.lat, fix.lon)
        allowed = rules.speed_m_s * (fix.at - before[2]) / SECOND
        slack = abs(way - allowed) - way / _FLAT
        if way > allowed:
            return Reason.TOO_FAST, slack
    if rules.age is not None and fix.received_at - fix.at > rules.age:
        return Reason.TOO_OLD, slack
    return None, slack


def _keep(
    fix: Fix, device: Mapping[str, Any], memory: Memory, rules: Rules, slack_m: float
) -> Ruling:
    """Behind step 11: the cell that a row would say, then stays and runs."""
    lat, lon = fix.lat, fix.lon
    assert lat is not None
    assert lon is not None
    if not rules.keeps_ways:
        return _suppress(Reason.NO_LANE, slack_m)
    cell = None
    if rules.says_cells:
        level = _level(lat, lon, rules)
        if level is None:
            return _suppress(Reason.SPARSE, slack_m)
        cell = code_of(level, lat, lon)
        beyond = _beyond_m(box_of(level, cell), device, rules)
        slack_m = min(slack_m, abs(beyond))
        if beyond <= 0:
            return _suppress(_hiding(rules), slack_m)
    held = Held(fix.identity, fix.at, fix.received_at, lat, lon, cell, memory.trip.leg)
    if not rules.holds:
        return Ruling(Fate.STORED, None, slack_m, held)
    known = memory.trip.take(held, rules)
    slack_m = min(slack_m, memory.trip.slack_m)
    held = held._replace(leg=memory.trip.leg)
    own = next((one for one in known if one.held.key == held.key), None)
    others = tuple(one for one in known if one is not own)
    if own is not None and own.reason is not None:
        return Ruling(Fate.SUPPRESSED, own.reason, slack_m, None, others)
    return Ruling(
        Fate.HELD if own is None else Fate.STORED,
        None,
        slack_m,
        held if own is None else own.held,
        others,
    )


def _level(lat: float, lon: float, rules: Rules) -> str | None:
    """The level of a fix's cell; None where too few people live."""
    if not rules.dense:
        return rules.cell
    zone = None if rules.zones is None else rules.zones.zone_of(lat, lon)
    if rules.zones is None or zone is None:
        return None
    density = rules.zones.density(zone)
    return next((level for least, level in rules.dense if density >= least), None)
