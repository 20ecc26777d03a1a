"""Rows for stores, and a store that keeps them in memory and fails when told to."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gateway.devices.catalog import catalog
from gateway.devices.tables import table_columns, table_key
from gateway.interfaces import Committed, Outcome, Rows, Table
from gateway.model.instant import SECOND
from gateway.model.observation import REJECTIONS_KEPT, Observation, Rejection
from gateway.privacy.sealing import BODY
from tests.fakes.readings import NOON

WEEK_20 = "store-2026-W20"


def child_row(n: int, period: str = WEEK_20, **other: Any) -> Observation:
    """The `n`-th row of a child; `other` replaces columns."""
    values = {
        "minute": NOON,
        "identity": n.to_bytes(16, "big"),
        "pseudonym": bytes(16),
        "lat": 36.7,
        "lon": 137.2,
        "battery_class": None,
        "cell": None,
        "leg": None,
    }
    return Observation("child_tracker", period, tuple((values | other).values()))


def sealed_row(n: int, period: str = WEEK_20) -> Observation:
    """The `n`-th row about somebody, as it is where rows are sealed."""
    return Observation("child_tracker", period, (NOON, n.to_bytes(16, "big"), b"s" * BODY))


def gauge_row(n: int, **other: Any) -> Observation:
    """The `n`-th row of a river gauge; `other` replaces columns."""
    values = {
        "observed_at": NOON + n * SECOND,
        "device": "river-1",
        "counter": n,
        "digest": n.to_bytes(8, "big"),
        "item": 0,
        "received_at": NOON,
        "clock": "device",
        "late": 0,
        "stage_m": 1.5,
        "distance_m": None,
        "temperature_c": None,
        "battery_v": None,
    }
    return Observation("river_gauge", None, tuple((values | other).values()))


def outcome_of(*observations: Observation) -> Outcome:
    """One uplink for each row, in this order."""
    outcome = Outcome()
    for number, observation in enumerate(observations):
        rows = outcome.rows.setdefault((observation.period, observation.kind), Rows())
        rows.uplinks.append(number)
        rows.observations.append(observation)
    return outcome


@dataclass
class Disk:
    """What survives a store that is closed, or a process that dies."""

    rows: dict[Table, dict[tuple[Any, ...], tuple[Any, ...]]] = field(default_factory=dict)
    rejections: Counter[tuple[str, str, str, bytes]] = field(default_factory=Counter)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)

    def all_rows(self) -> list[tuple[Any, ...]]:
        """Every row with its table in front, in a fixed order."""
        return sorted(
            ((*(str(part) for part in table), *row) for table, t in self.rows.items() for row in t.values()),
            key=repr,
        )  # fmt: skip


class MemoryStore:
    """Satisfies `gateway.interfaces.Store`.

    Attributes:
        gate: commits wait while it is clear.
        failing: the next commits that die, as a process does between two lines.
        commits: how many outcomes were written.
    """

    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = Disk() if disk is None else disk
        self.gate = asyncio.Event()
        self.gate.set()
        self.failing = 0
        self.commits = 0

    async def commit(self, outcome: Outcome) -> Committed:
        await self.gate.wait()
        if self.failing:
            self.failing -= 1
            raise Crash
        self.commits += 1
        committed = Committed()
        for table, rows in outcome.rows.items():
            for position, observation in enumerate(rows.observations):
                fate = self._write(table, observation.row)
                if fate is not None:
                    getattr(committed, fate).setdefault(table, set()).add(position)
        for rejection in outcome.rejections:
            self._reject(rejection)
        self.disk.refusals.update(outcome.refusals_per_day)
        return committed

    def _write(self, table: Table, row: tuple[Any, ...]) -> str | None:
        kind = catalog()[table[1]]
        columns = table_columns(kind)
        if any(map(_is_poison, row, (column.sql for column in columns))):
            return "refused"
        width = len(table_key(kind))
        stored = self.disk.rows.setdefault(table, {})
        if row[:width] in stored:
            return "duplicates"
        stored[row[:width]] = row
        return None

    def _reject(self, one: Rejection) -> None:
        group = (one.day, one.device, one.reason)
        kept = {key[3] for key in self.disk.rejections if key[:3] == group and key[3]}
        room = one.digest in kept or len(kept) < REJECTIONS_KEPT
        self.disk.rejections[*group, one.digest if room else b""] += 1

    async def close(self) -> None:
        """Nothing is held."""


class Crash(Exception):
    """The process died here."""


def _is_poison(value: Any, sql: str) -> bool:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return True
    return "NOT NULL" in sql and (value is None or value != value)  # noqa: PLR0124 NaN
