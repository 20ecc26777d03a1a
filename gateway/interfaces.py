"""The sockets on one page: what the pipeline asks of doors, stores and viewers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from gateway.model.forwarded import Forwarded
from gateway.model.observation import Observation, Rejection
from gateway.model.reason import Reason

Table: TypeAlias = tuple[str | None, str]
"""Where rows go: personal file (None = `city.db`) and kind."""

PATIENCE_S = (0.05, 0.2, 1.0, 5.0)
"""Waits between tries while the disk or the keys refuse; the last one repeats."""


@dataclass(slots=True)
class Rows:
    """Rows of one table in one batch, in order of arrival.

    Attributes:
        uplinks: for each row, the number of its uplink in the batch.
        observations: the rows.
    """

    uplinks: list[int] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What one batch comes to: everything that one commit puts on disk.

    Attributes:
        rows: the masked rows by table.
        rejections: refused uplinks of non-personal devices; the same payload of a day is one row.
        refusals_per_day: (day, reason) → count, for personal kinds and unknown senders.
    """

    rows: dict[Table, Rows] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    refusals_per_day: dict[tuple[str, str], int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.rows or self.rejections or self.refusals_per_day)


@dataclass(slots=True)
class Committed:
    """What became of an outcome's rows: those that are not new, by table and position in it.

    Attributes:
        duplicates: rows that were on disk already.
        refused: rows that the database would not take; everything else in the batch is on disk.
    """

    duplicates: dict[Table, set[int]] = field(default_factory=dict)
    refused: dict[Table, set[int]] = field(default_factory=dict)


class Store(Protocol):
    """Durable memory. `commit` returns only when the outcome is on disk."""

    async def commit(self, outcome: Outcome) -> Committed:
        """Write one batch: personal files, then the city's (decisions 7). Idempotent.

        While the disk refuses, it waits and tries again: nothing is acknowledged meanwhile.
        """
        ...

    async def close(self) -> None:
        """Checkpoint and close every file."""
        ...


class Scripts(Protocol):
    """Vendors' JavaScript, each run within its limits, away from everything else."""

    async def run(self, script: str, uplink: Forwarded) -> Forwarded | Reason:
        """The uplink with the object that the script made of it, or why it is rejected.

        Args:
            script: as `Route.script` names it.
        """
        ...


class Viewer(Protocol):
    """Whoever looks on live; must never hold the pipeline up."""

    @property
    def watched(self) -> bool:
        """Whether anybody looks just now."""
        ...

    def show(self, observations: Sequence[Observation]) -> None:
        """Offer newly stored observations; drop them rather than wait."""
        ...
