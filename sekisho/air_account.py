"""How the reconciliation of simulated nodes is shown."""

from collections import Counter
from typing import Any

from sekisho.air_answers import ACKNOWLEDGED
from sekisho.air_reconciliation import AirReconciliation

_SHOWN = 20


def show(found: AirReconciliation) -> None:
    """Print it."""
    print(
        f"  nodes       {found.joined:,} of {found.nodes:,} joined, by {found.requests:,} requests"
    )
    mark = "✓" if found.unexplained == 0 else "✗"
    heard = found.uplinks.total()
    print(
        f"  uplinks     {heard:,} heard = {_sum(found.uplinks)}     {found.unexplained} unexplained {mark}"
    )
    if found.unheard:
        print(f"              ({found.unheard:,} more reached no forwarder)")
    print(f"  copies      {found.copies.total():,} hearings = {_sum(found.copies)}")
    if found.broken:
        print(f"              ({found.broken:,} more collided and arrived with a wrong CRC)")
    confirmed, acknowledged = found.confirmed.total(), found.confirmed[ACKNOWLEDGED]
    if confirmed:
        print(
            f"  confirmed   {confirmed:,} = {_sum(found.confirmed)}     {acknowledged / confirmed:.1%}"
        )
        print(f"  their tries {found.answers.total():,} arrived = {_sum(found.answers)}")
    print(f"  downlinks   {found.counters:,} of data were asked for")
    if found.gone:
        print(f"  {found.gone} times the forwarders found that the gateway was not there")
    if not found.asked:
        print("  (no gateway runs there: what it counted was not compared)")
    for fault in found.faults[:_SHOWN]:
        print(f"    unexplained: {fault}")
    if found.unexplained > _SHOWN:
        print(f"    and {found.unexplained - _SHOWN:,} more")


def as_json(found: AirReconciliation) -> dict[str, Any]:
    """Every figure; `asked` is false where the gateway could not be asked."""
    return {
        "nodes": found.nodes,
        "joined": found.joined,
        "requests": found.requests,
        "uplinks": dict(found.uplinks),
        "unheard": found.unheard,
        "copies": dict(found.copies),
        "broken": found.broken,
        "confirmed": dict(found.confirmed),
        "answers": dict(found.answers),
        "downlinks": found.counters,
        "gone": found.gone,
        "asked": found.asked,
        "unexplained": found.unexplained,
        "faults": found.faults,
    }


def _sum(parts: Counter[str]) -> str:
    return " + ".join(f"{count:,} {name}" for name, count in parts.most_common() if count) or "0"
