"""Holds a ledger of ground truth against what a gateway counted and stored: nothing may be unexplained."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.devices.catalog import catalog
from gateway.model.reason import Fate, Reason
from gateway.statedir import StateDir
from simulators.ledger import read_ledger
from simulators.oracle import ExpectedRow, Verdict, judge_ledger

UNKNOWN = "unknown"
"""Kind under which the gateway counts senders that are none of its own."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What the oracle expects beside what the gateway says.

    Attributes:
        sent: uplinks in the ledger.
        expected: (kind, fate, reason) → uplinks, by the oracle.
        counted: the same by the gateway.
        missing: rows that should be stored and are not, per kind.
        surplus: rows stored that nothing explains, per kind.
    """

    sent: int
    expected: Counter[tuple[str, str, str]]
    counted: Counter[tuple[str, str, str]]
    missing: Counter[str]
    surplus: Counter[str]

    @property
    def unexplained(self) -> int:
        """Uplinks whose fate differs, plus rows missing or too many; 0 is the only good answer."""
        less, more = self.expected - self.counted, self.counted - self.expected
        fates = max(less.total(), more.total())
        return fates + self.missing.total() + self.surplus.total()


def reconcile(ledger: Path, terms: Iterable[Mapping[str, Any]], state: StateDir) -> Reconciliation:
    """Judge a whole ledger and compare.

    Args:
        terms: the gateway's terms (`{"ask": "terms"}`) of a directory where they are exact.
        state: the directory whose rows are compared, plain (SIM or REPLAY).
    """
    verdicts = list(judge_ledger(read_ledger(ledger)))
    devices = {verdict.device for verdict in verdicts}
    expected = Counter(
        (_counted_as(v), v.fate.value, "" if v.reason is None else v.reason.value) for v in verdicts
    )
    counted = Counter[tuple[str, str, str]]()
    for term in terms:
        if term["origin"] == "simulated":
            counted[term["kind"], term["fate"], term["reason"]] += term["count"]
    wanted = Counter(_wanted(row) for verdict in verdicts for row in verdict.rows)
    stored = Counter(_stored(state, devices))
    return Reconciliation(
        len(verdicts),
        expected,
        counted,
        Counter(kind for kind, *_ in (wanted - stored).elements()),
        Counter(kind for kind, *_ in (stored - wanted).elements()),
    )


def _counted_as(verdict: Verdict) -> str:
    return UNKNOWN if verdict.reason is Reason.UNKNOWN_DEVICE else verdict.kind


def _wanted(row: ExpectedRow) -> Row:
    """An expected row in the shape of `_stored`."""
    values = row.values
    match row.kind:
        case "child_tracker":
            return (row.kind, row.at, values["lat"], values["lon"], values["battery_class"])
        case "bus_stop_reader":
            return (row.kind, row.at, values["stop"], values["vehicle"], values["antenna"])
        case "river_gauge":
            return (row.kind, row.at, row.device, round(values["stage_m"], 3))
        case kind:
            names = _compared(kind)
            return (kind, row.at, row.device, *(values.get(name) for name in names))


_COLUMNS = {
    "child_tracker": "minute, lat, lon, battery_class",
    "bus_stop_reader": "minute, stop, vehicle, antenna",
    "river_gauge": "observed_at, device, round(stage_m, 3)",
}
_COMPARED = {"wildlife_camera": ["species", "count"]}


def _compared(kind: str) -> list[str]:
    """Columns of a kind of the city that are compared; all of them unless the town knows fewer."""
    return _COMPARED.get(kind) or [column.name for column in catalog()[kind].columns]


def _columns(kind: str) -> str:
    return _COLUMNS.get(kind) or ", ".join(("observed_at", "device", *_compared(kind)))


def _stored(state: StateDir, devices: set[str]) -> Iterable[Row]:
    """Stored rows, those of the city's kinds only where a device of the ledger sent them."""
    paths = {True: sorted(state.personal_dir.glob("*.db")), False: [state.city_db]}
    for kind in catalog().values():
        for path in paths[kind.personal]:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                for row in db.execute(f"SELECT {_columns(kind.name)} FROM {kind.name}"):  # noqa: S608
                    if kind.personal or row[1] in devices:
                        yield (kind.name, *row)


def fates(terms: Counter[tuple[str, str, str]], kind: str) -> dict[Fate, int]:
    """One kind's line of the conservation law."""
    found = dict.fromkeys(Fate, 0)
    for (name, fate, _reason), count in terms.items():
        if name == kind:
            found[Fate(fate)] += count
    return found
