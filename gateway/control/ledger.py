"""The conservation law as it may be shown: exact where nobody is real, coarse for people elsewhere."""

from typing import Any

from gateway.devices.catalog import catalog
from gateway.telemetry import Tally


def terms(tally: Tally, exact: bool) -> list[dict[str, Any]]:
    """One entry per origin, kind, fate and reason, with `count`.

    Where `exact` is False, everything about personal kinds and unknown senders is one entry per
    kind with the fate "heard": counts of masked uplinks say who is at home (decisions 3).
    """
    personal = {name for name, kind in catalog().items() if kind.personal} | {"unknown"}
    shown: dict[tuple[str, str, str, str], int] = {}
    for (origin, kind, fate, reason), count in tally.terms.items():
        if exact or kind not in personal:
            key = (origin, kind, fate.value, "" if reason is None else reason.value)
        else:
            key = (origin, kind, "heard", "")
        shown[key] = shown.get(key, 0) + count
    return [
        {"origin": origin, "kind": kind, "fate": fate, "reason": reason, "count": count}
        for (origin, kind, fate, reason), count in sorted(shown.items())
    ]
