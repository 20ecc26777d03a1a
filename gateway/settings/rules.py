"""Compiles a rule set into the mask's policy, and names what is in force by a digest."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.privacy.mesh import MESHES, Mesh
from gateway.privacy.partition import Partition
from gateway.privacy.policy import (
    EVERY_FIELD,
    Believed,
    Live,
    Noise,
    Policy,
    Shape,
    Staying,
    Zoned,
)
from gateway.rules.canonical import digest
from gateway.rules.masks import (
    Circle,
    Delay,
    DensityClasses,
    Generalise,
    Stay,
    TimeFloor,
    Zone,
)
from gateway.rules.masks import (
    Mesh as MeshRule,
)
from gateway.rules.model import Lane, RuleSet
from gateway.settings.area import ServiceArea

_DAY_US = 86_400_000_000
_SERVICE_DAY_STARTS_H = 3
_MESH: Mapping[int, Mesh] = {
    1000: MESHES["1km"],
    500: MESHES["500m"],
    250: MESHES["250m"],
    125: MESHES["125m"],
}
_NEVER_KEPT_DAYS = 1

Partitions = Mapping[str, Partition]
"""Partitions by the name that a rule gives them."""


class Ground(NamedTuple):
    """What rules stand on, beside themselves.

    Attributes:
        in_area: whether (lat, lon) lies in the service area, and the area's canonical form for the digest.
        zone: local time zone.
    """

    in_area: Callable[[float, float], bool]
    area: str
    zone: ZoneInfo

    @classmethod
    def of(cls, area: ServiceArea, zone: ZoneInfo) -> "Ground":
        """That of a service area."""
        return cls(area.area.contains, area.canonical, zone)


def compile_policy(rules: RuleSet, partitions: Partitions, ground: Ground) -> Policy:
    """The policy of a rule set; the digest covers all that it says, the area and the time zone."""
    name = f"{digest(rules)} {ground.area} {ground.zone.key}"
    policy = Policy(
        ruleset=sha256(name.encode()).hexdigest(),
        in_area=ground.in_area,
        zone=ground.zone,
        epoch=rules.epoch,
        service_day_starts_h=_SERVICE_DAY_STARTS_H,
        keeps_reads=rules.id == FIRST_FORM,
    )
    policy = replace(policy, live=_live(policy, rules, partitions))
    store = next((lane for lane in rules.lanes if lane.name == "store"), None)
    if store is None:
        return replace(policy, keeps_ways=False, retain_days=_NEVER_KEPT_DAYS)
    return _store(policy, store, rules, partitions)


FIRST_FORM = "first-form"
"""The id of what `privacy.yaml` says in the gateway's first form; it keeps tag reads as rows."""


def _live(policy: Policy, rules: RuleSet, partitions: Partitions) -> Live | None:
    lane = next((lane for lane in rules.lanes if lane.name == "guardian_live"), None)
    if lane is None:
        return None
    for rule in lane.suppress:
        if not isinstance(rule, Stay):
            policy = _hiding(policy, rule, partitions)
    delays = [rule.least_us for rule in lane.generalise if isinstance(rule, Delay)]
    assert lane.ttl_us is not None  # a lane that shows without an end is refused
    return Live(policy, lane.ttl_us, max(delays, default=0))


def _store(policy: Policy, lane: Lane, rules: RuleSet, partitions: Partitions) -> Policy:
    assert lane.retain_us is not None  # rows for ever are refused
    for rule in lane.suppress:
        if isinstance(rule, Stay):
            policy = replace(policy, staying=Staying(rule.least_us, rule.radius_m))
        else:
            policy = _hiding(policy, rule, partitions)
    believed = lane.validate
    if believed is not None:
        limit = believed.accuracy_m
        policy = replace(
            policy,
            believed=Believed(believed.age_us, believed.speed_m_s),
            accuracy_limit_m=min(policy.accuracy_limit_m, policy.accuracy_limit_m if limit is None else limit),
        )  # fmt: skip
    when = lane.when
    return replace(
        policy,
        retain_days=lane.retain_us // _DAY_US,
        shape=_shape(lane, rules),
        density_from=None if when is None else when.density_from,
        density_below=None if when is None else when.density_below,
    )


def _hiding(policy: Policy, rule: Circle | Zone, partitions: Partitions) -> Policy:
    policy = replace(
        policy,
        default_accuracy_m=rule.default_accuracy_m,
        accuracy_limit_m=rule.accuracy_limit_m,
        buffer_m=rule.buffer_m,
        reopen_fixes=rule.reopen.fixes,
        reopen_net_m=rule.reopen.net_m,
        reopen_far_m=rule.reopen.far_m,
        gap_minutes=rule.gap_us / 60e6,
    )
    if isinstance(rule, Circle):
        return replace(policy, home_radius_m=rule.radius_m)
    return replace(policy, zoned=Zoned(partitions[rule.partition], rule.pin))


def _shape(lane: Lane, rules: RuleSet) -> Shape:
    fields = EVERY_FIELD if lane.strip is None else frozenset(lane.strip.allow)
    if lane.pseudonymise is None:
        fields -= {"pseudonym"}
    named = lane.pseudonymise is not None and lane.pseudonymise.period == "day"
    shape = Shape(fields=fields & EVERY_FIELD, daily=named)
    for rule in lane.generalise:
        shape = _coarser(shape, rule)
    for run in lane.shape:
        shape = replace(shape, run=max(shape.run, run.n))
    for noise in lane.perturb:
        shape = replace(shape, noise=Noise(noise.mean_m, rules.epoch or ""))
    return shape


def _coarser(shape: Shape, rule: Generalise) -> Shape:
    if isinstance(rule, MeshRule):
        return replace(shape, cells=_MESH[rule.cell_m])
    if isinstance(rule, TimeFloor):
        return replace(shape, step=max(shape.step, rule.step_us))
    if isinstance(rule, DensityClasses):
        classes = tuple((one.from_per_km2, _MESH[one.cell_m]) for one in rule.classes)
        return replace(shape, dense=classes)
    return shape  # a delay: rows are read long after
