"""`sekisho run` of a build that leaks on purpose, at one place. Not a test, but what tests start:

    python -m tests.e2e.leaky_gateway LEAK run --config FILE …

The gateway itself is untouched: its mask and its store are wrapped from here.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.privacy.mask import Mask
from gateway.stores.sqlite import SqliteStore
from gateway.stores.sqlite_file import SqliteFile
from gateway.telemetry import Facts
from sekisho.__main__ import main

Place = tuple[float, float]

_RAW: deque[Place] = deque()
"""What the mask was handed and somebody's debugging code has kept."""


def _into_rows() -> None:
    """Whatever the city's file is written for, the raw places go along: a SQL row, its WAL, its backups."""
    transaction = SqliteStore.transaction

    @contextmanager
    def leaking(store: SqliteStore, file: SqliteFile) -> Iterator[SqliteFile]:
        with transaction(store, file) as opened:
            yield opened
            if file.path.name == "city.db":
                opened.db.execute("CREATE TABLE IF NOT EXISTS debugging (lat REAL, lon REAL)")
                while _RAW:
                    opened.db.execute("INSERT INTO debugging VALUES (?, ?)", _RAW.popleft())

    SqliteStore.transaction = leaking  # type: ignore[method-assign,assignment]


def _say(place: Place) -> None:
    logging.getLogger("sekisho").warning("fix at %.6f, %.6f is suppressed", *place)


def _fail(place: Place) -> None:
    """An exception that nobody catches: asyncio prints it with its text."""

    async def locate() -> None:
        raise ValueError(f"no street within 10 m of {place}")

    _TASKS.append(asyncio.get_running_loop().create_task(locate()))
    del _TASKS[:-1]


_TASKS: list[asyncio.Task[None]] = []


def _count(place: Place) -> None:
    """A counter with a label of its own for each place."""
    for facts in _FACTS:
        facts.count(f"fix{{lat={place[0]:.5f},lon={place[1]:.5f}}}")


_FACTS: list[Facts] = []


def _know_facts() -> None:
    begin = Facts.__init__

    def remembered(facts: Facts, *given: Any) -> None:
        begin(facts, *given)
        _FACTS.append(facts)

    Facts.__init__ = remembered  # type: ignore[method-assign,assignment]


LEAKS: dict[str, tuple[Callable[[], None], Callable[[Place], None]]] = {
    "SQL row": (_into_rows, _RAW.append),
    "WAL": (_into_rows, _RAW.append),
    "backup": (_into_rows, _RAW.append),
    "log line": (lambda: None, _say),
    "exception text": (lambda: None, _fail),
    "metric label": (_know_facts, _count),
}
"""Where → what is wrapped besides the mask, and what is done with each place that the mask is handed."""


def leak(name: str) -> None:
    """Wrap this process."""
    prepare, spill = LEAKS[name]
    prepare()
    apply = Mask.apply

    def leaking(mask: Mask, reading: Any) -> Any:
        lat = getattr(reading.values, "lat", None)
        if lat is not None:
            spill((lat, reading.values.lon))
        return apply(mask, reading)

    Mask.apply = leaking  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    leak(sys.argv.pop(1))
    main()
