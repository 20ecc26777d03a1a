"""What releases of twenty invented towns give away of one household: `python -m benchmarks.releases`.

Rules are those of `config/privacy/`, numbers those of real counters. Two attacks, of A11's kind:

next      a household has withdrawn; who sees the release before and the one after looks where a number fell. Found of
          the leaver's cells, less what the same look finds of a child that stayed. Points.
again     the same period released a second time without that household, which the ledger refuses: its cells that look
          otherwise, from numbers as they are, from `k or more` alone, and from what is shipped. Per cent.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from time import process_time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from benchmarks.small_towns import Town
from gateway.counting.calendar import Calendar
from gateway.counting.lane import Counter, Plan
from gateway.counting.protect import Cell, protect
from gateway.counting.release import release
from gateway.counting.streets import Streets
from gateway.counting.units import MeshUnits
from gateway.model.device import Device, Household
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import Instant, parse_rfc3339
from gateway.model.reading import Reading
from gateway.rules.counts import Classes, KSuppress, Protect
from gateway.rules.model import Lane
from gateway.settings.rule_set import load_rules

TOWNS = 20
DAYS = 8
_LEAVERS = 20
_ZONE = ZoneInfo("Asia/Tokyo")
_RULES = Path(__file__).parents[1] / "config" / "privacy"
_MONDAYS = tuple(
    parse_rfc3339(f"{day}T00:00:00+09:00") for day in ("2026-04-06", "2026-05-11", "2026-06-08")
)
Seen = dict[Cell, set[int]]
"""Cell → the families that were there."""


class Figures(NamedTuple):
    """Of one lane and town.

    Attributes:
        cells, told: how many there are, and of how many something is told.
        below_k: told cells in which fewer than k households were; must be 0.
        following: points more of the leaver's cells than of a child's that stayed.
        raw, at_least_k, shipped: shares of the leaver's cells that a second release gives away.
    """

    cells: int
    told: int
    below_k: int
    following: float
    raw: float
    at_least_k: float
    shipped: float


def figures(seed: int, days: int = DAYS) -> dict[str, Figures]:
    """Lane → what was found in one town."""
    town = Town(seed)
    streets = Streets(town.streets)
    lanes = {"analysis": _plan("patrol-analysis", streets), "open": _plan("open-data", MeshUnits("250m"))}  # fmt: skip
    counters = {name: Counter(plan, _key, _never, lambda: 512) for name, plan in lanes.items()}
    seen: dict[str, list[Seen]] = {name: [] for name in lanes}
    for period, begins in enumerate(_MONDAYS):
        for held in seen.values():
            held.append(defaultdict(set))
        for family, place, at in town.fixes(period, begins, days):
            reading = _reading(family, place, at)
            for name, plan in lanes.items():
                unit = plan.units.of(reading)
                if unit is not None:
                    seen[name][period][unit, plan.calendar.moment(at).slice].add(family)
                if not period:
                    counters[name].take(reading)
    return {name: _figures(plan, counters[name], seen[name]) for name, plan in lanes.items()}


def _figures(plan: Plan, counter: Counter, seen: Sequence[Seen]) -> Figures:
    (held,) = counter.open.values()
    document = release(plan, "benchmark", held)
    k = document["counts"]["k"]
    true = {(plan.units.name(unit), *plan.calendar.columns(slice_).values()): len(families) for (unit, slice_), families in seen[0].items()}  # fmt: skip
    split = [name for name in ("weekday_type", "hour") if name in plan.rule.slices]
    told = [true[row["unit"], *(row[name] for name in split)] for row in document["rows"]]
    rules = plan.lane.protect
    before = _tell(plan, rules, seen[0])
    shown = _tell(plan, rules, seen[1], before)
    following, shipped = [], []
    for leaver in range(0, 2 * _LEAVERS, 2):
        after = _tell(plan, rules, seen[2], shown, leaver)
        fell = {cell for cell, least in shown.items() if after.get(cell, 0) < least}
        following.append(
            _found(seen[1], leaver, fell) - _found(seen[1], leaver + 1, fell),
        )
        again = _tell(plan, rules, seen[1], before, leaver)
        shipped.append(_found(seen[1], leaver, _differ(shown, again)))
    bare = [rule for rule in rules if isinstance(rule, KSuppress)]
    return Figures(
        *(len(true), len(told), sum(number < k for number in told), 100 * mean(following)),
        *(_again(plan, bare, seen[1]), _again(plan, [*bare, Classes((k,))], seen[1])),
        100 * mean(shipped),
    )


def _again(plan: Plan, rules: Sequence[Protect], seen: Seen) -> float:
    """Per cent of a leaver's cells that a second release of one period gives away under `rules`."""
    shown = _tell(plan, rules, seen)
    return 100 * mean(
        _found(seen, leaver, _differ(shown, _tell(plan, rules, seen, None, leaver)))
        for leaver in range(_LEAVERS)
    )


def _tell(
    plan: Plan,
    rules: Sequence[Protect],
    seen: Seen,
    before: Mapping[Cell, int] | None = None,
    without: int | None = None,
) -> dict[Cell, int]:
    """Cell → the least that is told of it, perhaps without one household."""
    cells = {cell: len(families - {without}) for cell, families in seen.items()}
    told = protect(cells, rules, plan.units.dead_ends, plan.units.hidden, before or {})
    return {cell: one.least for cell, one in told.items()}


def _differ(one: Mapping[Cell, int], two: Mapping[Cell, int]) -> set[Cell]:
    return {cell for cell in {*one, *two} if one.get(cell) != two.get(cell)}


def _found(seen: Seen, family: int, cells: set[Cell]) -> float:
    """The share of a family's cells that are among `cells`."""
    own = sum(family in families for families in seen.values())
    return sum(family in seen[cell] for cell in cells) / max(1, own)


def _plan(rules: str, units: Streets | MeshUnits) -> Plan:
    (lane,) = load_rules(_RULES / f"{rules}.yaml").lanes
    held: Lane = lane
    (rule,) = held.count
    return Plan(held.name, held, rule, Calendar(rule.period, rule.slices, _ZONE), units, rules)


def _reading(family: int, place: tuple[float, float], at: Instant) -> Reading:
    household = Household(HouseholdId(f"h-{family}"), None, None, "EPSG:4326")
    device = Device(DeviceId(f"c-{family}"), "child_tracker", "16201", 0, household)
    return Reading(device, _Values(*place), at, at, None, b"", at, late=False)


class _Values(NamedTuple):
    lat: float
    lon: float


def _key(period: str) -> bytes:
    return period.encode().ljust(32, b".")


def _never(_period: str) -> bool:
    return False


def main() -> None:
    """Print a line a town and lane, and the means."""
    towns = int(sys.argv[1]) if len(sys.argv) > 1 else TOWNS
    head = ("town", "lane", "cells", "told", "below k", "next, points", "again: raw %", "k or more %", "shipped %")  # fmt: skip
    print(" ".join(f"{word:>13}" for word in head))
    rows: dict[str, list[Figures]] = defaultdict(list)
    for seed in range(towns):
        for lane, one in figures(seed).items():
            rows[lane].append(one)
            _print(str(seed), lane, one)
    for lane, held in rows.items():
        _print("all", lane, means(held))
    for lane, micros in cost().items():
        print(f"a fix into the counter of {lane}: {micros:.1f} µs of CPU")


def cost() -> dict[str, float]:
    """Lane → µs of CPU to take a fix."""
    town = Town(0)
    found = {}
    for plan in (
        _plan("patrol-analysis", Streets(town.streets)),
        _plan("open-data", MeshUnits("250m")),
    ):
        counter = Counter(plan, _key, _never, lambda: 512)
        readings = [_reading(*fix) for fix in town.fixes(0, _MONDAYS[0], DAYS)]
        begun = process_time()
        for reading in readings:
            counter.take(reading)
        found[plan.name] = (process_time() - begun) / len(readings) * 1e6
    return found


def means(held: Sequence[Figures]) -> Figures:
    """The means of several towns; of numbers below k the sum."""
    columns = list(zip(*held, strict=True))
    return Figures(
        *(round(mean(columns[0])), round(mean(columns[1])), sum(columns[2])),
        *(mean(column) for column in columns[3:]),
    )


def _print(town: str, lane: str, one: Figures) -> None:
    whole = [f"{number:>13}" for number in (town, lane, *one[:3])]
    print(" ".join([*whole, *(f"{share:>13.1f}" for share in one[3:])]), flush=True)


if __name__ == "__main__":
    main()
