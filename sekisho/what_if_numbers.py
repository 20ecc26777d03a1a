"""What the lanes that count would tell of ways: each period counted, closed and protected as a gateway does it, in memory."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple

from gateway.counting.lane import Counter, Plan
from gateway.counting.period import PeriodCounter
from gateway.counting.release import release
from gateway.counting.streets import Streets
from gateway.keys.memory import MemoryKeys
from gateway.model.instant import HOUR, Instant
from gateway.model.uplink import Uplinks
from gateway.pipeline.process import Process
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy
from gateway.rules.model import RuleSet
from gateway.settings.counting import Ground, trial_plans
from sekisho.ways import Way
from sekisho.what_if import KIND, ZONE, Street, route_of, sent


class Period(NamedTuple):
    """What one lane would tell of one period.

    Attributes:
        whole: whether the ways reach beyond its end; else it was told as it stood then.
        counted: units, by slice, in which somebody was counted.
        told: how many of them are told, and the words of the least of these; "" where none is.
        k: none is told below it.
    """

    lane: str
    unit: str
    period: str
    whole: bool
    counted: int
    told: int
    least: str
    k: int


def numbers_of(
    rules: RuleSet, policy: Policy, ways: Sequence[Way], streets: Sequence[Street]
) -> list[Period]:
    """Period by period, what the lanes of a rule set that count children would tell; nothing where there is none.

    Every way is a household's own, and everybody has agreed to every lane. Which places are facilities nobody knows here.

    Raises:
        Refusal: a lane counts by streets, and none are known.
    """
    lines = [(str(number), street) for number, street in enumerate(streets, 1)]
    plans = trial_plans(rules, Ground(Streets(lines) if lines else None, ()), ZONE)
    if not plans:
        return []
    counters = [Counter(plan, _key, lambda _period: False, lambda: len(ways) + 1) for plan in plans]
    process = Process(Mask(policy, MemoryKeys(), {KIND: None}, counters), ZONE)
    found: list[Period] = []
    before: dict[str, Mapping[str, Any]] = {}
    for hour, uplinks in groupby(_uplinks(ways, plans), lambda one: one.received_at // HOUR):
        for counter in counters:
            for over in counter.over(hour * HOUR):
                found.append(_told(counter.plan, over, before, whole=True))
                del counter.open[over.span.name]
        process.decide(list(uplinks))
    for counter in counters:
        left = sorted(counter.open.values(), key=lambda one: one.span.begins)
        found += [_told(counter.plan, one, before, whole=False) for one in left]
    return sorted(found, key=lambda one: (one.lane, one.unit))


def _uplinks(ways: Sequence[Way], plans: Sequence[Plan]) -> Iterator[Uplinks]:
    """All fixes in the order of their times."""
    lanes = frozenset(plan.lane.name for plan in plans)
    routes = [route_of(way, f"h-{number}", lanes) for number, way in enumerate(ways)]

    def of(number: int, way: Way) -> Iterator[tuple[Instant, int, int]]:
        return ((fix.at, number, at) for at, fix in enumerate(way.fixes))

    for _at, number, index in merge(*(of(number, way) for number, way in enumerate(ways))):
        yield sent(str(number), routes[number], ways[number], index)


def _key(period: str) -> bytes:
    """A key that is no secret: it chooses which units of a subject count where its lane caps them, and is written nowhere."""
    return blake2b(period.encode(), digest_size=32).digest()


def _told(
    plan: Plan, counter: PeriodCounter, before: dict[str, Mapping[str, Any]], *, whole: bool
) -> Period:
    document = release(plan, "", counter, before.get(plan.name))
    before[plan.name] = document
    rows = document["rows"]
    said = "households" if plan.rule.distinct == "household" else "tags"
    least = min(rows, key=lambda row: row["least"])[said] if rows else ""
    return Period(
        *(plan.lane.name, plan.rule.unit, counter.span.name, whole),
        *(len(counter.cells()), len(rows), least, document["counts"]["k"]),
    )
