"""`sekisho run`, and SIGKILL by its own hand at one seam of its work. Not a test, but what tests start:

    python -m tests.e2e.crashing_gateway SEAM run --config FILE …

The gateway itself is untouched: its store and its worker are wrapped from here.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.interfaces import Committed, Outcome
from gateway.keys.ring import KeyRing
from gateway.pipeline.flow import Flow
from gateway.stores.sqlite import SqliteStore
from gateway.stores.sqlite_file import SqliteFile
from sekisho.__main__ import main

BIRTHS = (
    "behind a new personal file's key",
    "before a personal file's tables",
    "behind a personal file's tables",
)
"""Seams that come once for each personal file."""

SEAMS = (
    *BIRTHS,
    "inside a personal file's transaction",
    "between two personal files",
    "between personal files and the city's",
    "inside the city's transaction",
    "after the city's commit",
    "before the acknowledgement",
)
_AFTER_COMMITS = 5
"""So many batches go well before."""


class _Saboteur:
    """Watches one gateway; `done` names the files committed for the batch that is being written."""

    def __init__(self, seam: str) -> None:
        self._seam = seam
        self._batches = 0
        self.done: list[str] = []

    def here(self, seam: str) -> None:
        """Die if this is the seam, and enough went well before."""
        if seam == self._seam and (seam in BIRTHS or self._batches > _AFTER_COMMITS):
            print("killed", seam, file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    def begins(self) -> None:
        self._batches += 1
        self.done = []


def sabotage(seam: str) -> None:
    """Wrap store and worker of this process."""
    saboteur = _Saboteur(seam)
    write, transaction = SqliteStore.write, SqliteStore.transaction
    acknowledge, file_key, migrate = Flow._acknowledge, KeyRing.file_key, SqliteFile._migrate

    def watched_write(store: SqliteStore, outcome: Outcome) -> Committed:
        saboteur.begins()
        return write(store, outcome)

    @contextmanager
    def watched_transaction(store: SqliteStore, file: SqliteFile) -> Iterator[SqliteFile]:
        city = file.path.name == "city.db"
        if saboteur.done:
            saboteur.here(
                "between personal files and the city's" if city else "between two personal files"
            )
        with transaction(store, file) as opened:
            yield opened
            saboteur.here(
                "inside the city's transaction" if city else "inside a personal file's transaction"
            )
        saboteur.done.append(file.path.name)
        if city:
            saboteur.here("after the city's commit")

    def watched_acknowledge(flow: Any) -> None:
        if flow._committed:
            saboteur.here("before the acknowledgement")
        acknowledge(flow)

    def watched_file_key(ring: KeyRing, period: str) -> bytes:
        new = not ring.has_file_key(period)
        key = file_key(ring, period)
        if new:
            saboteur.here("behind a new personal file's key")
        return key

    def watched_migrate(file: SqliteFile, room: str) -> None:
        new = room == "personal" and not file.select("SELECT 1 FROM sqlite_schema")
        if new:
            saboteur.here("before a personal file's tables")
        migrate(file, room)
        if new:
            saboteur.here("behind a personal file's tables")

    KeyRing.file_key = watched_file_key  # type: ignore[method-assign,assignment]
    SqliteFile._migrate = watched_migrate  # type: ignore[method-assign,assignment]
    SqliteStore.write = watched_write  # type: ignore[method-assign,assignment]
    SqliteStore.transaction = watched_transaction  # type: ignore[method-assign,assignment]
    Flow._acknowledge = watched_acknowledge  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    sabotage(sys.argv.pop(1))
    main()
