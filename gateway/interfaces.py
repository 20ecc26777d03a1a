"""The sockets on one page: what the pipeline asks of doors, stores and viewers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.observation import Observation, Rejection


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


@dataclass(slots=True)
class Committed:
    """What became of an outcome's observations, by their position in `outcome.observations`.

    Attributes:
        duplicates: rows that were on disk already.
        refused: rows that the database would not take; everything else in the batch is on disk.
    """

    duplicates: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)


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


class Viewer(Protocol):
    """Whoever looks on live; must never hold the pipeline up."""

    @property
    def watched(self) -> bool:
        """Whether anybody looks just now."""
        ...

    def show(self, observations: Sequence[Observation]) -> None:
        """Offer newly stored observations; drop them rather than wait."""
        ...
