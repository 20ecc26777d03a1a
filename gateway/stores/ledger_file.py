"""The ledger of releases on disk: read whole and held against itself, and only ever added to, in turns.

releases/ledger.jsonl            who released, looked, handed out (`gateway.counting.ledger`)
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from gateway.clock import Clock
from gateway.counting import ledger
from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE, to_rfc3339
from gateway.statedir import write_durably


class Add(Protocol):
    """Adds a line to a ledger that is held."""

    def __call__(
        self, what: ledger.What, facts: Mapping[str, Any], sign: ledger.Sign | None = None
    ) -> None:
        """On disk when this returns."""
        ...


class LedgerFile:
    """That of the folder `releases/` of a state directory; processes take turns at it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    @property
    def path(self) -> Path:
        """Where the ledger lies."""
        return self._folder / "ledger.jsonl"

    def entries(self) -> list[dict[str, Any]]:
        """The ledger's lines, each held against the one before.

        Raises:
            Refusal: a line was changed or says nothing that can be, or there are releases and no ledger. Reviews of before
                reviewers signed are no fault: they stand there and count for nothing.
            OSError: it cannot be read.
        """
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            if any(self._folder.glob("*.json")):  # the ledger is made before the first of them
                raise Refusal(
                    f"{self._folder} holds releases and no ledger.jsonl, so nobody can tell which periods were "
                    "released already. Bring the ledger back from a backup."
                ) from None
            return []
        try:
            entries = ledger.read(text)
            ledger.standings(entries)
        except ledger.Broken as error:
            raise Refusal(
                f"{self.path}: {error}: it was changed. Nothing is released, and no gateway starts here, "
                "until the file is back as it was; bring it from a backup."
            ) from None
        return entries

    @contextmanager
    def turn(self) -> Iterator[Add]:
        """Hold the ledger for this process alone; what adds a line to it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield self._add
        finally:
            os.close(descriptor)

    def _add(
        self, what: ledger.What, facts: Mapping[str, Any], sign: ledger.Sign | None = None
    ) -> None:
        entries = self.entries()
        before = entries[-1]["hash"] if entries else ledger.BEGINNING
        at = self._clock.now()
        entry = ledger.line(
            *(len(entries) + 1, to_rfc3339(at - at % MINUTE), what, facts, before), sign
        )
        text = "".join(ledger.written(one) for one in [*entries, entry])
        write_durably(self.path, text.encode(), 0o600)
