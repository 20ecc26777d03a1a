"""A release: what is told of one lane and period, as one document. Exact numbers are not in it.

    {"release": 1, "name", "lane", "purpose", "audience", "legal_basis", "rules", "in_force", "units",
     "basis", "period": {"kind", "name", "first", "last", "hours"}, "counts": {"unit", "distinct", "slices", "k", "cap"},
     "losses": {"kills", "minutes_at_most", "missed", "full", "counted_from", "minutes_not_counted"},
     "rows": [{"unit": "5537013624", "weekday_type": "weekday", "hour": 7, "households": "10-24", "least": 10}, …],
     "shapes": {"5537013624": {…GeoJSON geometry…}, …}}

Rows stand in the order of the units' names, never of the numbers: nothing is ranked.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from gateway.counting.lane import Plan
from gateway.counting.period import Losses, PeriodCounter
from gateway.counting.protect import Cell, protect
from gateway.model.instant import HOUR, MINUTE, to_rfc3339
from gateway.rules.counts import KSuppress

FORM = 1
MINUTES_BETWEEN = 5
"""How often counters are written down: what one kill may cost."""


def release(
    plan: Plan, rules: str, counter: PeriodCounter, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is told of a period.

    Args:
        rules: the digest of what is in force: rule set, service area and time zone.
        before: the release of the period before; one of other units or another rule is left aside.
    """
    lane, rule, calendar, units = plan.lane, plan.rule, plan.calendar, plan.units
    cells = counter.cells()
    told = protect(
        *(cells, lane.protect, units.dead_ends, units.hidden),
        _told_before(plan, cells, {} if before is None else before),
    )
    rows = sorted((units.name(unit), slice_, unit, shown) for (unit, slice_), shown in told.items())
    said = "households" if rule.distinct == "household" else "tags"
    shapes = {name: units.shape(unit) for name, _, unit, _ in rows}
    return {
        "release": FORM,
        "name": plan.name,
        "lane": lane.name,
        "purpose": lane.purpose,
        "audience": lane.audience,
        "legal_basis": lane.legal_basis,
        "rules": plan.rules,
        "in_force": rules,
        "units": units.pin,
        "basis": sha256(plan.basis.encode()).hexdigest(),
        "period": {
            "kind": rule.period,
            "name": counter.span.name,
            "first": counter.span.first.isoformat(),
            "last": counter.span.last.isoformat(),
            "hours": (counter.span.ends - counter.span.begins) // HOUR,
        },
        "counts": {
            "unit": rule.unit,
            "distinct": rule.distinct,
            "slices": list(rule.slices),
            "k": max((one.k for one in lane.protect if isinstance(one, KSuppress)), default=1),
            "cap": plan.cap,
        },
        "losses": {
            **_losses(counter.losses),
            "counted_from": to_rfc3339(counter.coverage.since, calendar.zone),
            "minutes_not_counted": -(-counter.coverage.missed // MINUTE),
        },
        "rows": [
            {"unit": name, **calendar.columns(slice_), said: shown.words, "least": shown.least}
            for name, slice_, _, shown in rows
        ],
        "shapes": {name: shape for name, shape in shapes.items() if shape is not None},
    }


def _told_before(plan: Plan, cells: Iterable[Cell], before: Mapping[str, Any]) -> dict[Cell, int]:
    """What was told of these cells in the period before."""
    if before.get("basis") != sha256(plan.basis.encode()).hexdigest():
        return {}
    least = {(row["unit"], row.get("weekday_type"), row.get("hour")): row["least"] for row in before["rows"]}  # fmt: skip
    found = {}
    for unit, slice_ in cells:
        columns = plan.calendar.columns(slice_)
        key = plan.units.name(unit), columns.get("weekday_type"), columns.get("hour")
        if key in least:
            found[unit, slice_] = least[key]
    return found


def _losses(losses: Losses) -> dict[str, int | bool]:
    return {
        "kills": losses.kills,
        "minutes_at_most": (losses.kills + losses.missed) * MINUTES_BETWEEN,
        "missed": losses.missed,
        "full": losses.turned_away > 0,
    }
