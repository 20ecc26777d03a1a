"""What must and what may be stored after kills, by the oracle, beside what is stored."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import msgspec

from gateway.model.instant import Instant, parse_rfc3339
from gateway.model.reason import Fate
from gateway.statedir import StateDir
from simulators.oracle import Oracle
from simulators.oracle_rules import Rules
from simulators.oracle_verdict import ExpectedRow
from tests.e2e.crowd import Uplink
from tests.e2e.town import Member, in_area
from tests.fakes.sealed import opened

Key = tuple[Any, ...]

_STORED = {
    "child_tracker": ("minute", "lat", "lon", "battery_class"),
    "bus_stop_reader": ("minute", "stop", "antenna"),
}
_GAUGES = "SELECT observed_at, device, round(stage_m, 3) FROM river_gauge"


class Heard(Protocol):
    """Uplinks as they reached a gateway that may have died: a `Sender`, or what a broker passed on."""

    handed: list[Uplink]
    acked: int

    def runs(self) -> Iterable[tuple[int, Sequence[tuple[int, bool]]]]:
        """Each connection, in order: the gateway's life, and numbers in `handed` with whether acknowledged."""
        ...


class Judgement(NamedTuple):
    """The store beside the oracle.

    Attributes:
        acknowledged: uplinks acknowledged in any life.
        rows: rows stored.
        suppressed: acknowledged uplinks of which nothing may be stored.
        missing: rows of acknowledged uplinks that are not there.
        surplus: rows there that no life of the gateway may have stored, and second copies.
        twice: tag reads whose pseudonym is there more than once.
    """

    acknowledged: int
    rows: int
    suppressed: int
    missing: int
    surplus: int
    twice: int


def judge(
    senders: Sequence[Heard],
    roster: Iterable[Member],
    state: StateDir,
    now: Instant,
    apart: Collection[str] = (),
) -> Judgement:
    """Judge every history; a device speaks through one of them only.

    Args:
        apart: gauges whose rows are judged elsewhere.
        now: the gateway's clock, to within an hour.
    """
    members = list(roster)
    must: Counter[Key] = Counter()
    may: Counter[Key] = Counter()
    suppressed = 0
    for sender in senders:
        due, allowed, rows = _judge_one(sender, members, now)
        suppressed += sender.acked - len(due)
        for n in due:
            must.update(rows[n])
        for n in allowed:
            may.update(rows[n])
    stored = Counter(row for row in stored_rows(state) if row[2] not in apart)
    return Judgement(
        sum(sender.acked for sender in senders),
        stored.total(),
        suppressed,
        (must - stored).total(),
        (stored - may).total(),
        _twice(state),
    )


def _judge_one(
    sender: Heard, members: list[Member], now: Instant
) -> tuple[set[int], set[int], dict[int, list[Key]]]:
    """Numbers of uplinks whose rows must, and may, be there; and the rows of each."""
    oracle = Oracle(Rules(in_area))
    for member in members:
        oracle.judge(member)
    rows: dict[int, list[Key]] = {}
    must: set[int] = set()
    may: set[int] = set()
    life = None
    for now_in, told in sender.runs():
        if now_in != life:
            life = now_in
            oracle.restart()
        for n, acknowledged in told:
            verdict = oracle.judge(_line(n, sender.handed[n], now))
            assert verdict is not None
            if verdict.fate is Fate.STORED:
                rows[n] = [_key(row) for row in verdict.rows]
            elif verdict.fate is not Fate.DUPLICATE:  # of a row that another life may have stored
                continue
            may.add(n)
            if acknowledged:
                must.add(n)
    return must, may, rows


def _line(n: int, uplink: Uplink, now: Instant) -> dict[str, Any]:
    """An uplink as a ledger has it."""
    values = msgspec.json.decode(uplink.payload)
    return {
        "n": n,
        "device": uplink.device,
        "kind": uplink.kind,
        "sent": now,
        "t": parse_rfc3339(values.pop("t")),
        "seq": values.pop("seq"),
        "digest": blake2b(uplink.payload, digest_size=8).hexdigest(),
        "harm": None,
        "values": values,
    }


def _key(row: ExpectedRow) -> Key:
    values = row.values
    match row.kind:
        case "child_tracker":
            return (row.kind, row.at, values["lat"], values["lon"], values["battery_class"])
        case "bus_stop_reader":
            return (row.kind, row.at, values["stop"], values["antenna"])
        case _:
            return (row.kind, row.at, row.device, round(values["stage_m"], 3))


def stored_rows(state: StateDir) -> Iterator[Key]:
    """Every row of a directory, in the oracle's terms."""
    for kind, names in _STORED.items():
        for row in opened(state, kind):
            yield (kind, *(row[name] for name in names))
    with closing(sqlite3.connect(f"file:{state.city_db}?mode=ro", uri=True)) as db:
        for row in db.execute(_GAUGES):
            yield ("river_gauge", *row)


def _twice(state: StateDir) -> int:
    """Tag reads that were stored more than once: every tag of the crowd is read a single time."""
    tags = [row["tag"] for row in opened(state, "bus_stop_reader")]
    return len(tags) - len(set(tags))
