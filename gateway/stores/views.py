"""The views that row files have for people who read them: each shows one kind without what only the store needs."""

import re
from functools import cache
from importlib.resources import files

_VIEW = re.compile(r"CREATE VIEW (\w+) AS\s+SELECT (.*?)\s+FROM (\w+);", re.DOTALL)
_COLUMN = re.compile(r"(?:^|,)\s*(?:[\w()]*\((?:[^()]|\([^()]*\))*\) AS )?(\w+)", re.DOTALL)
_SHOWN_AS = {"observed_at_utc": "observed_at", "minute_utc": "minute", "child": "pseudonym"}
"""What a view calls a column of its table otherwise."""


@cache
def views() -> dict[str, tuple[str, tuple[str, ...]]]:
    """View → its kind, and the columns of that kind's table which it shows, in its order."""
    found = {}
    for room in ("city", "personal"):
        folder = files("gateway.stores").joinpath("migrations", room)
        for script in sorted(folder.iterdir(), key=lambda item: item.name):
            for name, columns, kind in _VIEW.findall(script.read_text("utf-8")):
                shown = tuple(_SHOWN_AS.get(one, one) for one in _COLUMN.findall(columns))
                found[name] = (kind, shown)
    return dict(sorted(found.items()))
