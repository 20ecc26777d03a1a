"""The conservation law as it may be shown: exact where nobody is real, coarse for people elsewhere."""

from operator import itemgetter
from typing import Any

from gateway.devices.catalog import catalog
from gateway.telemetry import Tally


def terms(tally: Tally, exact: bool) -> list[dict[str, Any]]:
    """One entry per origin, kind, fate and reason, with `count`.

    Where `exact` is False, everything about personal kinds and unknown senders is one entry per
    kind with the fate "heard" and the count None, whether once or a million times since the start:
    whoever reads the rows could take them away from a count, and what is left was masked (decisions 3).
    """
    personal = {name for name, kind in catalog().items() if kind.personal} | {"unknown"}
    shown: dict[tuple[str, str, str, str], int | None] = {}
    for (origin, kind, fate, reason), count in tally.terms.items():
        if exact or kind not in personal:
            shown[origin, kind, fate.value, "" if reason is None else reason.value] = count
        elif count:
            shown[origin, kind, "heard", ""] = None
    return [
        {"origin": origin, "kind": kind, "fate": fate, "reason": reason, "count": count}
        for (origin, kind, fate, reason), count in sorted(shown.items(), key=itemgetter(0))
    ]
