"""The sockets on one page: what the pipeline asks of doors, stores and viewers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.observation import Observation, Rejection
from gateway.model.reason import Fate, Reason


@dataclass(slots=True)
class Outcome:
    """What one batch comes to: everything that one commit puts on disk.

    Attributes:
        observations: (number of the uplink inside the batch, observation), in order of arrival.
        rejections: rows for refused uplinks of non-personal devices.
        refusals_per_day: (day, reason) → count, for personal kinds and unknown senders.
    """

    observations: list[tuple[int, Observation]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    refusals_per_day: dict[tuple[str, str], int] = field(default_factory=dict)


class Store(Protocol):
    """Durable memory. `commit` returns only when the outcome is on disk."""

    async def commit(self, outcome: Outcome) -> frozenset[int]:
        """Write one batch: personal files, then the city's (decisions 7). Idempotent.

        Returns:
            positions in `outcome.observations` of rows that were there already (duplicates).
        """
        ...

    async def close(self) -> None:
        """Checkpoint and close every file."""
        ...


class Viewer(Protocol):
    """Whoever looks on live; must never hold the pipeline up."""

    def show(self, observations: Sequence[Observation]) -> None:
        """Offer newly stored observations; drop them rather than wait."""
        ...


class Tally(Protocol):
    """The conservation law's book-keeping, in memory."""

    def count(self, origin: str, kind: str, fate: Fate, reason: Reason | None, n: int = 1) -> None:
        """Add `n` uplinks that met `fate`."""
        ...
