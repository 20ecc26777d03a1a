"""What each part of the rules costs in points, beside the shares that were measured before the rules were written.

    python -m benchmarks.what_if [--children 100] [--days 7]

100 children of the fictional district for a week. The shares of docs/privacy.md's experiments are of masks as such: a fix is
kept if it lies outside, from the first one on. The gateway's rules also wait before they reopen, hide stays, and widen a circle
by what a fix does not know. Each line takes one of these away.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gateway.privacy.policy import Policy
from sekisho.privacy_what_if import BEGIN
from sekisho.ways import Way
from sekisho.ways_of_town import ways_of
from sekisho.what_if import cell_of, keep, policy_of, use_of
from simulators.town import town

RULES = Path(__file__).parents[1] / "config" / "privacy"
MEASURED = {"toyama-zone": 57.0, "legacy-50m": 91.0}
"""Per cent of the points kept: zones of 250 m and 100 dwellings, buffer 100 m, cells of 125 m; a circle of 50 m."""


def at_once(policy: Policy) -> Policy:
    """Open at the first fix outside: it alone is dropped; and stay so over any silence."""
    return replace(policy, reopen_fixes=1, reopen_net_m=0.0, reopen_far_m=0.0, gap_minutes=1e7)


def without_accuracy(ways: Sequence[Way]) -> list[Way]:
    """Receivers that claim to be exact: nothing is added to a circle."""
    return [way._replace(fixes=[fix._replace(accuracy_m=0.0) for fix in way.fixes]) for way in ways]


def line(name: str, policy: Policy, ways: Sequence[Way]) -> float:
    """Print one run; its per cent."""
    use = use_of(keep(name, policy, ways, lambda _: None), ways, cell_of)
    print(f"  {name:<44} {use.points_percent:5.1f} %  {use.rows_per_trip:5.1f} rows/trip")
    return use.points_percent


def main() -> None:
    """Print all runs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--children", type=int, default=100)
    options.add_argument("--days", type=int, default=7)
    wish = options.parse_args()
    ways = ways_of(town("district"), 7, wish.children, BEGIN, wish.days, 60.0, lambda _: None)
    zones, circle = (policy_of(RULES / f"{name}.yaml", ways) for name in MEASURED)
    print("toyama-zone")
    line("as shipped", zones, ways)
    stays = replace(zones, staying=None)
    line("without stays", stays, ways)
    runs = replace(stays, shape=replace(stays.shape, run=1))
    line("and without the least run of three", runs, ways)
    bare = line("and open at the first fix outside", at_once(runs), ways)
    print(f"  {'measured before':<44} {MEASURED['toyama-zone']:5.1f} %  {bare - MEASURED['toyama-zone']:+.1f} points")  # fmt: skip
    print("legacy-50m")
    line("as shipped", circle, ways)
    line("open at the first fix outside", at_once(circle), ways)
    bare = line("and with receivers that claim no error", at_once(circle), without_accuracy(ways))
    print(f"  {'measured before':<44} {MEASURED['legacy-50m']:5.1f} %  {bare - MEASURED['legacy-50m']:+.1f} points")  # fmt: skip


if __name__ == "__main__":
    main()
