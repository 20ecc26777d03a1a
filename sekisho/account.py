"""How a reconciliation is shown: the conservation law per kind, reasons, and what nothing explains."""

from collections import Counter
from typing import Any

from gateway.model.reason import Fate
from sekisho import screen
from sekisho.reconciliation import UNKNOWN, Reconciliation, fates


def show(result: Reconciliation, in_flight: int) -> None:
    """Print it; where the gateway could not be asked, the law is the oracle's own."""
    account = result.account
    kinds = sorted({key[0] for key in account})
    screen.table(
        ("", "handed over", *(fate.value for fate in Fate), "in flight"),
        [*(_line(result, kind) for kind in kinds), _total(result, in_flight)],
    )
    for fate in (Fate.SUPPRESSED, Fate.REJECTED):
        for kind in kinds:
            reasons = _reasons(result, kind, fate)
            if reasons:
                print(f"  {fate.value:<11} {_name(kind)}: {reasons}")
    if not result.unexplained and any(key[1] == Fate.REJECTED for key in account):
        print("              (every rejection is one that the simulator harmed on purpose)")
    totals = Counter[str]()
    for (_kind, fate_name, _reason), count in account.items():
        totals[fate_name] += count
    said = " + ".join(f"{count:,} {fate}" for fate, count in totals.most_common())
    mark = "✓" if result.unexplained == 0 else "✗"
    print(
        f"  ledger      {result.sent:,} sent = {said}     {result.unexplained} unexplained {mark}"
    )
    if result.unexplained:
        _show_differences(result)


def _show_differences(result: Reconciliation) -> None:
    if result.counted is not None and result.counted.total() < result.sent:
        print(
            f"    The gateway counted {result.counted.total():,} of {result.sent:,} uplinks. If it was started "
            "anew since the ledger began, stop it: rows alone are compared then."
        )
    for name, less, more in (
        ("expected, not so", result.expected, result.account),
        ("so, not expected", result.account, result.expected),
    ):
        for key, count in (less - more).items():
            print(f"    {name}: {count:,} {' · '.join(filter(None, key))}")
    for name, rows in (
        ("rows missing", result.missing),
        ("rows too many", result.surplus),
        ("people without a pseudonym of their own", result.mixed),
    ):
        for kind, count in rows.items():
            print(f"    {name}: {count:,} {kind}")
    if result.elsewhen:
        print(
            "    These rows come from before or after this ledger: one ledger, one fresh directory."
            if result.elsewhen == result.surplus.total()
            else f"    {result.elsewhen:,} of these rows come from before or after this ledger: one ledger, one "
            "fresh directory."
        )


def as_json(result: Reconciliation, in_flight: int) -> dict[str, Any]:
    """Every figure; `fates_compared` is false where the gateway could not be asked."""
    return {
        "sent": result.sent,
        "unexplained": result.unexplained,
        "in_flight": in_flight,
        "fates_compared": result.counted is not None,
        "terms": [
            {"kind": kind, "fate": fate, "reason": reason, "count": count}
            for (kind, fate, reason), count in sorted(result.account.items())
        ],
        "rows_missing": dict(result.missing),
        "rows_too_many": dict(result.surplus),
        "people_mixed_up": dict(result.mixed),
    }


def _line(result: Reconciliation, kind: str) -> tuple[Any, ...]:
    """One kind's line of the conservation law; in flight is known for all together only."""
    terms = fates(result.account, kind)
    return (_name(kind), sum(terms.values()), *terms.values(), None)


def _total(result: Reconciliation, in_flight: int) -> tuple[Any, ...]:
    totals = dict.fromkeys(Fate, 0)
    for (_kind, fate, _reason), count in result.account.items():
        totals[Fate(fate)] += count
    return ("all", sum(totals.values()) + in_flight, *totals.values(), in_flight)


def _reasons(result: Reconciliation, kind: str, fate: Fate) -> str:
    reasons = Counter(
        {key[2]: count for key, count in result.account.items() if key[:2] == (kind, fate)}
    )
    return " · ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())


def _name(kind: str) -> str:
    return "(unknown senders)" if kind == UNKNOWN else kind
