"""Ground truth against a gateway's books: nothing may be unexplained, and nothing missing may look so."""

import asyncio
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.control.window import reachable
from gateway.model.instant import MINUTE, SECOND
from gateway.model.observation import Observation
from gateway.model.reason import Fate
from gateway.statedir import Mark, StateDir
from gateway.stores.sqlite import SqliteStore
from gateway.telemetry import Facts
from sekisho import account
from sekisho.reconciliation import fates, reconcile
from tests.fakes.clock import ManualClock
from tests.fakes.front_door import Sekisho
from tests.fakes.readings import NOON
from tests.fakes.store import WEEK_20, child_row, gauge_row, outcome_of

T = NOON - NOON % MINUTE


def roster(name: str, kind: str, **facts: Any) -> dict[str, Any]:
    return {
        "roster": name, "kind": kind, "owner": "16201", "registered_at": T - MINUTE,
        "attributes": {}, "household": None, "home": None, "crs": "EPSG:4326", "radius_m": None,
        "consent": False,
    } | facts  # fmt: skip


def sent(n: int, device: str, kind: str, harm: str | None = None, **values: Any) -> dict[str, Any]:
    t = T + n * SECOND
    return {
        "n": n, "device": device, "kind": kind, "sent": t + SECOND, "t": t, "seq": n,
        "digest": n.to_bytes(8, "big").hex(), "harm": harm, "values": values,
    }  # fmt: skip


READ = {"epc": "30751FEB705C5904E3D50D70", "antenna": 2, "rssi_dbm": -55}
LEDGER = [
    {"sekisho_ledger": 1, "seed": 1},
    roster("river-1", "river_gauge", attributes={"datum_m": 4.2}),
    roster("stop-1", "bus_stop_reader", attributes={"mount": "stop", "stop": "12_1"}),
    roster("child-1", "child_tracker", household="h-1", home=[36.7, 137.2]),
    roster("camera-1", "wildlife_camera"),
    sent(1, "river-1", "river_gauge", distance_m=2.41),
    sent(2, "stop-1", "bus_stop_reader", reads=[READ]),
    sent(3, "child-1", "child_tracker", lat=36.8, lon=137.2),
    sent(4, "camera-1", "wildlife_camera", species="bear", count=1, confidence=0.9),
    sent(5, "river-1", "river_gauge", "corrupt", stage_m=1.0),
    sent(6, "nobody", "river_gauge", "unknown_device", stage_m=1.0),
]
TAG_ROW = Observation("bus_stop_reader", WEEK_20, (T, bytes(16), "12_1", None, 2, bytes(16)))
BEAR_ROW = Observation(
    "wildlife_camera",
    None,
    (T + 4 * SECOND, "camera-1", 4, bytes(8), 0, T, "device", 0, "bear", 1, 0.9, *[None] * 6),
)
GAUGE_ROW = gauge_row(1, observed_at=T + SECOND, stage_m=1.79, distance_m=2.41)
ROWS = [GAUGE_ROW, TAG_ROW, BEAR_ROW]


def term(kind: str, fate: str, reason: str = "", count: int = 1) -> dict[str, Any]:
    return {"origin": "simulated", "kind": kind, "fate": fate, "reason": reason, "count": count}


TERMS = [
    term("river_gauge", "stored"),
    term("bus_stop_reader", "stored"),
    term("wildlife_camera", "stored"),
    term("child_tracker", "suppressed", "no consent"),
    term("river_gauge", "rejected", "undecodable"),
    term("unknown", "rejected", "unknown device"),
    {"origin": "own", "kind": "river_gauge", "fate": "stored", "reason": "", "count": 9},
]


class Books:
    """A ledger and a state directory."""

    def __init__(self, path: Path) -> None:
        self.state = StateDir.create(path / "state", Mark.SIM, ManualClock())
        self.ledger = path / "ledger.jsonl"

    def write(self, rows: list[Observation], tail: bytes = b"", lines: list[Any] = LEDGER) -> None:
        self.ledger.write_bytes(b"".join(msgspec.json.encode(x) + b"\n" for x in lines) + tail)
        store = SqliteStore(self.state.city_db, self.state.personal_dir, Facts())

        async def put() -> None:
            await store.commit(outcome_of(*rows))
            await store.close()

        asyncio.run(put())


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


def test_books_that_agree_leave_nothing_unexplained(books: Books) -> None:
    """And what real devices sent is none of the ledger's business."""
    books.write([*ROWS, gauge_row(7, device="river-real")])

    found = reconcile(books.ledger, TERMS, books.state)

    assert (found.sent, found.unexplained) == (6, 0)
    assert found.expected == found.counted


@pytest.mark.parametrize("row", ROWS, ids=[row.kind for row in ROWS])
def test_a_missing_row_is_named_by_kind(books: Books, row: Observation) -> None:
    books.write([one for one in ROWS if one is not row])
    found = reconcile(books.ledger, TERMS, books.state)
    assert found.missing == Counter([row.kind])
    assert (found.surplus, found.unexplained) == (Counter(), 1)


@pytest.mark.parametrize("row", [child_row(1), gauge_row(9, observed_at=T)])
def test_a_row_nothing_explains_is_named_by_kind(books: Books, row: Observation) -> None:
    """A child's row that should have been masked is the worst of all."""
    books.write([*ROWS, row])
    found = reconcile(books.ledger, TERMS, books.state)
    assert found.surplus == Counter([row.kind])
    assert found.unexplained == 1


def test_a_row_with_another_value_is_missing_and_surplus(books: Books) -> None:
    wrong = gauge_row(1, observed_at=T + SECOND, stage_m=1.78)
    books.write([wrong, TAG_ROW, BEAR_ROW])
    found = reconcile(books.ledger, TERMS, books.state)
    assert found.missing == found.surplus == Counter(["river_gauge"])


def test_a_fate_that_differs_is_one_unexplained_uplink(books: Books) -> None:
    books.write(ROWS)
    others = [one for one in TERMS if one["fate"] != "suppressed"]
    assert reconcile(books.ledger, others, books.state).unexplained == 1
    swapped = [*others, term("child_tracker", "suppressed", "inside the home radius")]
    assert reconcile(books.ledger, swapped, books.state).unexplained == 1
    assert reconcile(books.ledger, [*TERMS, TERMS[0]], books.state).unexplained == 1


def test_a_last_line_cut_off_by_a_kill_is_no_uplink(books: Books) -> None:
    """It was not sent: an uplink is written before it is handed over, line by line."""
    books.write(ROWS, tail=b'{"n": 7, "device": "riv')
    assert reconcile(books.ledger, TERMS, books.state).unexplained == 0


def test_a_kind_s_line_of_the_law_has_every_fate() -> None:
    counted = Counter(
        {("a", "stored", ""): 3, ("a", "suppressed", "late"): 2, ("b", "stored", ""): 9}
    )
    line = fates(counted, "a")
    assert line == dict.fromkeys(Fate, 0) | {Fate.STORED: 3, Fate.SUPPRESSED: 2}


DAY = 24 * 60 * MINUTE
MONDAY_AFTER = 27 * DAY
"""From T, a Tuesday in week 20, to the Monday on which that week's file has had its 28 days."""


@pytest.mark.parametrize(("later", "over"), [(MONDAY_AFTER - DAY, False), (MONDAY_AFTER, True)])
def test_rows_about_people_are_gone_when_their_time_is_over(
    books: Books, later: int, over: bool
) -> None:
    """Until its file's first day plus `retain` a row is missed; from then on it is too many."""
    books.write([GAUGE_ROW, BEAR_ROW])
    without = reconcile(books.ledger, TERMS, books.state, T + later)
    assert without.missing == Counter([] if over else ["bus_stop_reader"])
    books.write([TAG_ROW])
    kept = reconcile(books.ledger, TERMS, books.state, T + later)
    assert kept.surplus == Counter(["bus_stop_reader"] if over else [])


def test_rows_alone_are_compared_with_a_gateway_that_has_stopped(books: Books) -> None:
    """Its account went with it: the fates are the oracle's, rows still count."""
    books.write(ROWS)
    found = reconcile(books.ledger, None, books.state)
    assert (found.counted, found.account, found.unexplained) == (None, found.expected, 0)
    books.write([child_row(1)])
    assert reconcile(books.ledger, None, books.state).unexplained == 1


def test_a_gateway_that_counted_less_may_have_been_started_anew(
    books: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its counts begin anew then, and nobody shall look for a fault in them."""
    books.write(ROWS)
    account.show(reconcile(books.ledger, TERMS[:2], books.state), 0)
    assert "The gateway counted 2 of 6 uplinks." in capsys.readouterr().out
    account.show(reconcile(books.ledger, TERMS, books.state), 0)
    assert "started anew" not in capsys.readouterr().out


def tagged(second: int, tag: int, identity: int) -> Observation:
    """A stored read; the first byte of its pseudonym and of its identity."""
    row = (T, bytes([identity, second] * 8), "12_1", None, 2, bytes([tag] * 16))
    return Observation("bus_stop_reader", WEEK_20, row)


@pytest.mark.parametrize(
    ("pseudonyms", "mixed"), [((1, 2, 1), 0), ((7, 9, 7), 0), ((1, 1, 1), 2), ((1, 2, 3), 1)]
)
def test_whoever_shares_a_pseudonym_or_has_two_is_unexplained(
    books: Books, pseudonyms: tuple[int, int, int], mixed: int
) -> None:
    """Rows alone look right where everybody bears one name: two tags, of which the first is read twice."""
    other = {**READ, "epc": "30F5FFFF43052E0028BF8F45"}
    reads = [sent(n, "stop-1", "bus_stop_reader", reads=[r]) for n, r in ((1, READ), (2, other), (3, READ))]  # fmt: skip
    rows = [tagged(n, tag, n) for n, tag in enumerate(pseudonyms)]
    books.write(rows, lines=[LEDGER[0], LEDGER[2], *reads])

    found = reconcile(books.ledger, None, books.state)

    assert (found.missing.total(), found.surplus.total()) == (0, 0)
    assert found.mixed == Counter({"bus_stop_reader": mixed} if mixed else {})
    assert found.unexplained == mixed


def test_a_tag_that_is_stored_as_it_was_read_is_unexplained(books: Books) -> None:
    """It groups rows as a pseudonym would, and names the card."""
    raw = tagged(1, 0, 1)
    row = (*raw.row[:-1], bytes.fromhex(str(READ["epc"])))
    books.write(
        [Observation(raw.kind, raw.period, row)],
        lines=[LEDGER[0], LEDGER[2], sent(1, "stop-1", "bus_stop_reader", reads=[READ])],
    )
    assert reconcile(books.ledger, None, books.state).unexplained == 1


def test_rows_of_another_time_are_said_to_be_of_another_ledger(
    books: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that was used before: the rows are too many, and it is said where they come from. A row
    too many in the ledger's own time has no such excuse."""
    books.write([*ROWS, gauge_row(9, observed_at=T - 60 * MINUTE)])
    found = reconcile(books.ledger, TERMS, books.state)
    assert (found.surplus.total(), found.elsewhen) == (1, 1)
    account.show(found, 0)
    assert "These rows come from before or after this ledger" in capsys.readouterr().out

    books.write([gauge_row(10, observed_at=T + 2 * SECOND)])
    found = reconcile(books.ledger, TERMS, books.state)
    assert (found.surplus.total(), found.elsewhen) == (2, 1)
    account.show(found, 0)
    assert "1 of these rows come from before" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{}\n", "no json\n", '{"sekisho_ledger": 99}\n', "[1]\n"])
def test_what_is_no_ledger_is_refused_by_name(books: Books, sekisho: Sekisho, text: str) -> None:
    books.ledger.write_text(text)
    words = ("reconcile", "--ledger", str(books.ledger), "--state", str(books.state.path))
    answer = sekisho(*words)
    assert answer.code == 2
    assert "ledger.jsonl is not a ledger (its first line" in answer.err


def test_a_gateway_that_was_killed_is_not_believed_to_run(books: Books, sekisho: Sekisho) -> None:
    """What it wrote about itself is still there: rows alone are compared."""
    books.write(ROWS)
    books.state.run_file.write_text('{"pid": 1, "doors": {}, "clock": {"start_us": 1}}')
    with socket.socket(socket.AF_UNIX) as line, reachable(books.state.socket) as path:
        line.bind(path)
    words = ("reconcile", "--ledger", str(books.ledger), "--state", str(books.state.path))
    answer = sekisho(*words)
    assert (answer.code, answer.err) == (0, "")
    assert "no gateway runs there: rows were compared" in answer.out


def test_a_ledger_with_a_damaged_line_is_refused(books: Books, sekisho: Sekisho) -> None:
    books.write(ROWS, tail=b'{"n": 7, "dev\n')
    words = ("reconcile", "--ledger", str(books.ledger), "--state", str(books.state.path))
    answer = sekisho(*words)
    assert answer.code == 2
    assert "ledger.jsonl is damaged" in answer.err
