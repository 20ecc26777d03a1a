"""What the oracle says of uplinks, and the rows that it expects."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from gateway.model.instant import HOUR, Instant
from gateway.model.reason import Fate, Reason
from simulators.calendar import day_of, midnight
from simulators.oracle_rules import Rules
from simulators.oracle_trip import Held

_FIRST_DAY = date(1970, 1, 1)
_CLASS_TOPS = (25.0, 50.0, 75.0)
Line = Mapping[str, Any]


class ExpectedRow(NamedTuple):
    """One row that should be stored.

    Attributes:
        kind: device kind.
        at: personal kinds: the start of the time bin; city kinds: the exact time.
        device: the device it came from (a personal row itself does not say).
        values: child: lat, lon (5 decimals), battery_class, cell, leg, each None where the rules keep it back;
            read: stop, vehicle, antenna; city kinds: the sent values, for gauges with `stage_m`, for passages
            with both counts.
        who: personal kinds: whom its pseudonym stands for: a child's device (and a day), a tag on a service day;
            "" where rows have none.
    """

    kind: str
    at: Instant
    device: str
    values: Mapping[str, Any]
    who: str = ""


class Verdict(NamedTuple):
    """What should become of the `n`-th uplink of the ledger.

    Attributes:
        n: its number in the ledger.
        device, kind: as in the ledger.
        fate: exactly one term of the conservation law.
        reason: why, where it was rejected or suppressed.
        rows: what should be stored; empty unless `fate` is stored.
        slack_m: the least distance, in metres, between a measured and a deciding length: where it
            is tiny, two correct implementations may differ by their distance formulas.
        settled: what became of earlier uplinks, held until this one: these verdicts take the place of theirs.
    """

    n: int
    device: str
    kind: str
    fate: Fate
    reason: Reason | None = None
    rows: tuple[ExpectedRow, ...] = ()
    slack_m: float = float("inf")
    settled: "tuple[Verdict, ...]" = ()


def verdict(
    line: Line,
    fate: Fate,
    reason: Reason | None = None,
    *,
    rows: tuple[ExpectedRow, ...] = (),
    slack_m: float = float("inf"),
) -> Verdict:
    """The verdict on a line."""
    return Verdict(line["n"], line["device"], line["kind"], fate, reason, rows, slack_m)


def identity(line: Line) -> tuple[Any, ...]:
    """What tells two uplinks of one device apart: counter, device's own time, payload digest."""
    return (line["seq"], line["t"], line["digest"])


def child_row(line: Line, held: Held, rules: Rules) -> ExpectedRow:
    """What is stored of a child's fix."""
    fields, values = rules.fields, line["values"]
    whole = "place" in fields and not rules.says_cells
    said = {
        "lat": round(held.lat, 5) if whole else None,
        "lon": round(held.lon, 5) if whole else None,
        "battery_class": None,
        "cell": held.cell if "cell" in fields else None,
        "leg": held.leg if "leg_class" in fields and rules.holds else None,
    }
    if "battery_class" in fields:
        said["battery_class"] = battery_class(values.get("battery_pct"))
    who = line["device"] if "pseudonym" in fields else ""
    if who and rules.daily:
        who += f" {day_of(held.at)}"
    return ExpectedRow(line["kind"], bin_of(held.at, rules.step), line["device"], said, who)


def bin_of(at: Instant, step: Instant) -> Instant:
    """The start of a time bin; those of more than an hour are counted from the first local midnight of 1970."""
    if step <= HOUR:
        return at - at % step
    return at - (at - midnight(_FIRST_DAY)) % step


def battery_class(per_cent: float | None) -> int | None:
    """1 (≤ 25 %) to 4 (above 75 %); None if unknown."""
    if per_cent is None:
        return None
    return 1 + sum(per_cent > top for top in _CLASS_TOPS)


def service_day_ends(at: Instant, begins: Instant) -> Instant:
    """The end of the service day in which a tag was read; `begins` by local time."""
    return midnight(day_of(at - begins) + timedelta(days=1)) + begins
