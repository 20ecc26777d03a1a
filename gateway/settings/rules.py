"""Compiles a lane of `privacy.yaml` into the mask's policy, and names its rule set by a digest."""

import json
from dataclasses import fields, replace
from hashlib import sha256
from zoneinfo import ZoneInfo

from gateway.privacy.policy import Policy
from gateway.settings.area import ServiceArea
from gateway.settings.schema import LaneFile

_DAY_S = 86_400
_SERVICE_DAY_STARTS_H = 3
_NO_RULES = {"ruleset", "in_area", "generation", "rules_since", "zone", "retain_days"}
"""Fields that are no number of the mask's; area and zone enter the digest in a form of their own."""


def compile_policy(lane: LaneFile, area: ServiceArea, zone: ZoneInfo) -> Policy:
    """The policy of a lane. How long rows stay and what they are for is no rule of the mask's: the
    rule set's digest covers the numbers, the area, the time zone, and whether files hold weeks or days.
    """
    circle = lane.suppress[0]
    policy = Policy(
        ruleset="",
        in_area=area.area.contains,
        zone=zone,
        retain_days=int(lane.retain_s // _DAY_S),
        service_day_starts_h=_SERVICE_DAY_STARTS_H,
        home_radius_m=circle.radius_m,
        default_accuracy_m=circle.default_accuracy_m,
        accuracy_limit_m=circle.accuracy_limit_m,
        buffer_m=circle.buffer_m,
        reopen_fixes=circle.reopen.fixes,
        reopen_net_m=circle.reopen.net_m,
        reopen_far_m=circle.reopen.far_m,
        gap_minutes=circle.gap_s / 60,
    )
    numbers = {
        field.name: getattr(policy, field.name)
        for field in fields(policy)
        if field.name not in _NO_RULES
    }
    files = "week" if policy.weekly else "day"  # else one uplink could be stored under two names
    canonical = {**numbers, "form": 1, "files": files, "zone": zone.key, "area": area.canonical}
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    return replace(policy, ruleset=sha256(text.encode()).hexdigest())
