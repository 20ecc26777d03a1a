"""Two days of a simulated town under the shipped rules: mask and oracle agree on every fix of every child."""

from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gateway.model.instant import SECOND
from gateway.model.reason import Fate
from sekisho.privacy_what_if import BEGIN
from sekisho.rules_in_force import of_policy
from sekisho.ways import Way
from sekisho.ways_of_town import ways_of
from sekisho.what_if import Kept, keep, policy_of
from simulators.oracle import Oracle
from simulators.oracle_verdict import Verdict
from simulators.town import town as town_named

PRIVACY = Path(__file__).parents[2] / "config" / "privacy"
_HAIR_M = 0.05
"""So close to a deciding length two distance formulas may differ; nothing more is asked of such a child."""


def roster(way: Way) -> dict[str, Any]:
    return {
        "roster": way.child, "registered_at": 0, "attributes": {}, "household": "h", "home": way.home,
        "crs": "EPSG:4326", "radius_m": None, "consent": True,
    }  # fmt: skip


def judged(oracle: Oracle, way: Way, numbers: Any) -> tuple[list[Verdict], float]:
    """The last word on each fix of a way, in order, and the least slack."""
    oracle.judge(roster(way))
    found: dict[int, Verdict] = {}
    slack = float("inf")
    for n, fix in zip(numbers, way.fixes, strict=False):
        line = {
            "n": n, "device": way.child, "kind": "child_tracker", "sent": fix.at + 2 * SECOND, "t": fix.at, "seq": n,
            "digest": "", "harm": None, "values": {"lat": fix.lat, "lon": fix.lon, "accuracy_m": fix.accuracy_m},
        }  # fmt: skip
        verdict = oracle.judge(line)
        assert verdict is not None
        slack = min(slack, verdict.slack_m)
        found |= {one.n: one for one in (verdict, *verdict.settled)}
    found |= {one.n: one for one in oracle.restart()}
    return [found[n] for n in sorted(found)], slack


@pytest.mark.parametrize(
    ("file", "town"),
    [("toyama-zone", "small"), ("rural", "village"), ("legacy-50m", "small"), ("toyama-zone", "district")],
)  # fmt: skip
def test_mask_and_oracle_agree_on_days_of_a_town(file: str, town: str) -> None:
    """Each fix's end, and the time and the cell or place of each row."""
    ways = ways_of(town_named(town), 7, 12, BEGIN, 2, 60.0, lambda _: None)
    policy = policy_of(PRIVACY / f"{file}.yaml", ways)
    kept: Kept = keep(file, policy, ways, lambda _: None)
    oracle = Oracle(of_policy(policy), looks=False)
    ends: Counter[str | None] = Counter()
    for way, rows, told in zip(ways, kept.rows, kept.ends, strict=True):
        verdicts, slack = judged(oracle, way, count())
        expected = [
            None if one.fate is Fate.STORED else str(one.reason or one.fate) for one in verdicts
        ]
        if slack < _HAIR_M and expected != told:
            continue
        assert expected == list(told)
        due = [
            (n, row.at, row.values["lat"], row.values["lon"], row.values["cell"])
            for n, one in enumerate(verdicts)
            for row in one.rows
        ]
        assert due == [tuple(row) for row in rows]
        ends.update(told)
    assert ends[None] > 20, "rows must be there to agree on"
    assert len(ends) > 4
