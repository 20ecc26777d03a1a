"""Holds a ledger of ground truth against what a gateway counted and stored: nothing may be unexplained."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns
from gateway.model.instant import CALENDAR_END, Instant
from gateway.model.reason import Fate, Reason
from gateway.statedir import StateDir
from sekisho.pseudonyms import BEARS, Crowd
from sekisho.rows import Wanted, of_file
from sekisho.sealed_rows import SealedRows
from simulators.area import in_municipality
from simulators.calendar import day_of, midnight
from simulators.ledger import read_ledger
from simulators.oracle import Oracle
from simulators.oracle_rules import Rules
from simulators.oracle_verdict import ExpectedRow, Verdict

UNKNOWN = "unknown"
"""Kind under which the gateway counts senders that are none of its own."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What the oracle expects beside what the gateway says.

    Attributes:
        sent: uplinks in the ledger.
        expected: (kind, fate, reason) → uplinks, by the oracle.
        counted: the same by the gateway; None where it could not be asked.
        missing: rows that should be stored and are not, per kind.
        surplus: rows stored that nothing explains, per kind.
        mixed: people whose rows bear no pseudonym of their own, or more than one, per kind (where rows
            are missing or too many, nothing is said of it), and rows that bear a tag as it was read.
        ways: how often a child who takes part set out, as the town knows.
        elsewhen: of the rows too many, those observed before or after everything that the ledger explains.
    """

    sent: int
    expected: Counter[tuple[str, str, str]]
    counted: Counter[tuple[str, str, str]] | None
    missing: Counter[str]
    surplus: Counter[str]
    mixed: Counter[str]
    elsewhen: int = 0
    ways: int = 0

    @property
    def rows_per_way(self) -> float:
        """How much is left of each."""
        return fates(self.account, "child_tracker")[Fate.STORED] / max(self.ways, 1)

    @property
    def account(self) -> Counter[tuple[str, str, str]]:
        """What the gateway says, or what it should say where it could not be asked."""
        return self.expected if self.counted is None else self.counted

    @property
    def unexplained(self) -> int:
        """Fates that differ, rows missing or too many, people mixed up; 0 is the only good answer."""
        counted = self.account
        less, more = self.expected - counted, counted - self.expected
        fates = max(less.total(), more.total())
        return fates + self.missing.total() + self.surplus.total() + self.mixed.total()


def reconcile(
    ledger: Path,
    terms: Iterable[Mapping[str, Any]] | None,
    state: StateDir,
    now: Instant | None = None,
    rules: Rules | None = None,
    sealed: SealedRows | None = None,
) -> Reconciliation:
    """Judge a whole ledger, line by line, and compare.

    Args:
        terms: the gateway's terms (`{"ask": "terms"}`) of a directory where they are exact; None: it does
            not run any more, and only rows are compared.
        state: the directory whose rows are compared (SIM or REPLAY).
        now: the gateway's time: files whose time is over by then must be gone. None: the last arrival.
        sealed: opens its rows about people, where they are sealed.
    """
    rules = Rules(in_municipality) if rules is None else rules
    oracle = Oracle(rules)
    due = _Due(Counter(), Counter(), Crowd(), rules.retain_days)
    expected, wanted, meant = due.fates, due.rows, due.people
    named = Crowd()
    personal = {kind.name for kind in catalog().values() if kind.personal}
    devices: set[str] = set()
    tags: set[str | bytes] = set()
    sent, last, ways = 0, 0, _Ways(set(), set())
    for line in read_ledger(ledger):
        ways.note(line)
        verdict = oracle.judge(line)
        if verdict is None:
            continue
        sent, last = sent + 1, line["sent"]
        devices.add(verdict.device)
        tags.update(_tag_texts(line))
        due.enter(verdict)
        for settled in verdict.settled:
            due.settle(settled)
    ended = oracle.restart() if terms is None else oracle.silent(last if now is None else now)
    for settled in ended:
        due.settle(settled)
    over = _over(last if now is None else now, rules.retain_days)
    for gone in [row for row in wanted if row[0] in personal and row[1] < over]:
        del wanted[gone]
    meant.forget(over)
    bare = Counter[str]()
    for stored, file, who in _stored(state, devices, sealed):
        wanted[stored] -= 1
        bare[stored[0]] += who in tags
        if who is not None:
            named.add(stored, file, who)
    missing, surplus = _by_kind(+wanted), _by_kind(-wanted)
    mixed = meant.unlike(named)
    for kind in missing.keys() | surplus.keys():
        del mixed[kind]
    mixed += bare
    counted = None if terms is None else _counted(terms)
    elsewhen = sum(n for row, n in (-wanted).items() if not due.begins <= row[1] <= due.ends)
    return Reconciliation(sent, expected, counted, missing, surplus, mixed, elsewhen, ways.begun)


@dataclass(slots=True)
class _Ways:
    """How often children who take part set out."""

    children: set[str]
    walking: set[str]
    begun: int = 0

    def note(self, line: Mapping[str, Any]) -> None:
        """One line of the ledger."""
        if line.get("consent"):
            self.children.add(line["roster"])
        truth = line.get("truth")
        if not truth or line.get("device") not in self.children:
            return
        if truth.get("place") != "walk":
            self.walking.discard(line["device"])
        elif line["device"] not in self.walking:
            self.walking.add(line["device"])
            self.begun += 1


@dataclass(slots=True)
class _Due:
    """What the oracle expects: fates, rows, and whose rows are of one person."""

    fates: Counter[tuple[str, str, str]]
    rows: Counter[Row]
    people: Crowd
    retain_days: int
    begins: Instant = CALENDAR_END
    ends: Instant = 0

    def enter(self, verdict: Verdict) -> None:
        """One uplink more."""
        reason = "" if verdict.reason is None else verdict.reason.value
        self.fates[_counted_as(verdict), verdict.fate.value, reason] += 1
        for row in verdict.rows:
            self.rows[_wanted(row)] += 1
            self.begins, self.ends = min(self.begins, row.at), max(self.ends, row.at)
            if row.who:
                self.people.add(_wanted(row), _file_begins(row.at, self.retain_days), row.who)

    def settle(self, verdict: Verdict) -> None:
        """One that was held is held no more."""
        self.fates[_counted_as(verdict), Fate.HELD.value, ""] -= 1
        self.enter(verdict)


def _tag_texts(line: Mapping[str, Any]) -> Iterator[str | bytes]:
    """The tags of one uplink in every form in which a row could give them away."""
    for read in (line["values"] or {}).get("reads", ()):
        epc = str(read["epc"])
        yield from (epc, epc.lower(), epc.encode(), epc.lower().encode())
        with suppress(ValueError):
            yield bytes.fromhex(epc)


def _file_begins(at: Instant, retain_days: int) -> Instant:
    """The beginning of the file that a row about people lies in, by local time."""
    day = day_of(at)
    return midnight(day - timedelta(days=day.weekday()) if retain_days >= 28 else day)


def _over(now: Instant, retain_days: int) -> Instant:
    """Rows about people observed before this are gone: a file goes whole, `retain` after its first day.

    A file holds an ISO week where rows stay 28 days or longer, else a day, by local time.
    """
    kept_from = day_of(now) - timedelta(days=retain_days - 1)
    if retain_days >= 28:
        kept_from += timedelta(days=-kept_from.weekday() % 7)
    return midnight(kept_from)


def _by_kind(rows: Counter[Row]) -> Counter[str]:
    found = Counter[str]()
    for row, count in rows.items():
        found[row[0]] += count
    return found


def _counted(terms: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str, str]]:
    """What the gateway says of the simulated senders."""
    counted = Counter[tuple[str, str, str]]()
    for term in terms:
        if term["origin"] == "simulated":
            counted[term["kind"], term["fate"], term["reason"]] += term["count"]
    return counted


def _counted_as(verdict: Verdict) -> str:
    return UNKNOWN if verdict.reason is Reason.UNKNOWN_DEVICE else verdict.kind


def _wanted(row: ExpectedRow) -> Row:
    """An expected row in the shape of `_stored`."""
    values = row.values
    match row.kind:
        case "child_tracker":
            return (row.kind, row.at, *map(values.get, _OF_CHILDREN))
        case "bus_stop_reader":
            return (row.kind, row.at, values["stop"], values["vehicle"], values["antenna"])
        case "river_gauge":
            stage, rest = round(values["stage_m"], 3), ("distance_m", "temperature_c", "battery_v")
            return (row.kind, row.at, row.device, stage, *map(values.get, rest))
        case kind:
            names = _compared(kind)
            return (kind, row.at, row.device, *(values.get(name) for name in names))


_OF_CHILDREN = ("lat", "lon", "battery_class", "cell", "leg")
_COLUMNS = {
    "child_tracker": ", ".join(("minute", *_OF_CHILDREN)),
    "bus_stop_reader": "minute, stop, vehicle, antenna",
    "river_gauge": "observed_at, device, round(stage_m, 3), distance_m, temperature_c, battery_v",
}
_COMPARED = {"wildlife_camera": ["species", "count", "confidence", "image"]}


def _compared(kind: str) -> list[str]:
    """Columns of a kind of the city that are compared; all of them unless the town knows fewer."""
    return _COMPARED.get(kind) or [column.name for column in catalog()[kind].columns]


def _columns(kind: str) -> str:
    return _COLUMNS.get(kind) or ", ".join(("observed_at", "device", *_compared(kind)))


def _stored(
    state: StateDir, devices: set[str], sealed: SealedRows | None
) -> Iterable[tuple[Row, str, bytes | None]]:
    """Stored rows, their file and pseudonym; the city's, without one, where the ledger's devices sent them."""
    for kind in catalog().values():
        if kind.personal:
            yield from _people(state, kind, sealed)
            continue
        with closing(sqlite3.connect(f"file:{state.city_db}?mode=ro", uri=True)) as db:
            if not db.execute(f"PRAGMA table_info({kind.name})").fetchone():
                continue
            for row in db.execute(f"SELECT {_columns(kind.name)} FROM {kind.name}"):  # noqa: S608
                if row[1] in devices:
                    yield (kind.name, *row), state.city_db.stem, None


def _people(
    state: StateDir, kind: DeviceKind, sealed: SealedRows | None
) -> Iterator[tuple[Row, str, bytes | None]]:
    names = [column.name for column in table_columns(kind)]
    shown = [names.index(name) for name in _columns(kind.name).split(", ")]
    who = names.index(BEARS[kind.name])
    for path in sorted(state.personal_dir.glob("*.db")):
        for row in of_file(path, Wanted(kind), sealed):
            yield (kind.name, *(row[n] for n in shown)), path.stem, row[who]


def fates(terms: Counter[tuple[str, str, str]], kind: str) -> dict[Fate, int]:
    """One kind's line of the conservation law."""
    found = dict.fromkeys(Fate, 0)
    for (name, fate, _reason), count in terms.items():
        if name == kind:
            found[Fate(fate)] += count
    return found
