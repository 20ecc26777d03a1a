"""Live view: newly stored observations to whoever watches; a slow viewer skips, the gateway never waits."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gateway.devices.catalog import catalog
from gateway.devices.tables import table_columns
from gateway.model.observation import Observation

_KEPT = 1000
"""Observations a slow viewer may lag behind before it skips to the latest."""

_BOOKKEEPING = {"identity", "digest", "item"}
"""Columns that recognise a row and tell a person nothing."""


class LiveFeed:
    """Fan-out to viewers, each with a bounded queue.

    Args:
        personal: whether rows about people are shown: only where nobody is real (SIM, REPLAY),
            because a row that appears says that its uplink was not suppressed (decisions 3).
        opened: makes of a row that is sealed the one that was.
    """

    def __init__(
        self, personal: bool, opened: Callable[[Observation], Observation] = lambda plain: plain
    ) -> None:
        self._personal = personal
        self._opened = opened
        self._viewers: set[asyncio.Queue[Observation]] = set()

    @property
    def watched(self) -> bool:
        return bool(self._viewers)

    def show(self, observations: Sequence[Observation]) -> None:
        for observation in observations:
            if observation.period is not None and not self._personal:
                continue
            shown = observation if observation.period is None else self._opened(observation)
            for queue in self._viewers:
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(shown)

    def join(self) -> asyncio.Queue[Observation]:
        """A new viewer's queue."""
        queue: asyncio.Queue[Observation] = asyncio.Queue(_KEPT)
        self._viewers.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[Observation]) -> None:
        self._viewers.discard(queue)


def described(observation: Observation) -> dict[str, Any]:
    """Column name → value, as it may be shown; bytes as hex."""
    columns = table_columns(catalog()[observation.kind])
    shown = {
        column.name: value.hex() if isinstance(value, bytes) else value
        for column, value in zip(columns, observation.row, strict=True)
        if column.name not in _BOOKKEEPING
    }
    return {"kind": observation.kind, **shown}
