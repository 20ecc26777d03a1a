"""What `sekisho reconcile` makes of a ledger of simulated nodes: each fault is found, each loss has its name."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.clock import SystemClock
from gateway.devices.catalog import catalog
from gateway.statedir import Mark, StateDir
from sekisho.air_reconciliation import AirReconciliation, reconcile
from tests.fakes.front_door import Sekisho

ROOFS = ("roof-a", "roof-b")
SECOND = 1_000_000
START = 1_800_000_000 * SECOND


class Story:
    """A ledger of one gauge behind two forwarders, and what a gateway made of it; told line by line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[dict[str, Any]] = [
            {"sekisho_ledger": 1, "start_us": START, "lorawan": {}},
            {"roster": "node-1", "kind": "river_gauge"},
        ]
        self.rows: list[tuple[int, float]] = []
        self.radio: dict[str, Any] = {
            "since": START,
            "receptions": 0,
            "late": 0,
            "refused": {},
            "misses": [],
            "forwarders": [{"eui": roof, "harmed": 0} for roof in ROOFS],
        }
        self._frames = 0

    def uplink(self, f_cnt: int, at_s: float, *, rows: int = 1, stage_m: float = 1.5, confirmed: bool = False, acked: str | None = None) -> int:  # fmt: skip
        """Heard by both; the number of its frame."""
        self.lines += [
            {"n": f_cnt, "device": "node-1", "seq": f_cnt, "values": {"stage_m": 1.5}},
            {"over": "node-1", "f_cnt": f_cnt, "confirmed": confirmed, "acked": acked},
        ]
        self.rows += [(f_cnt, stage_m)] * rows
        return self.frame(f_cnt, at_s)

    def frame(self, f_cnt: int, at_s: float, **more: Any) -> int:
        """It is sent, once more perhaps, and heard by both."""
        self._frames += 1
        self.lines.append(
            {
                "frame": self._frames,
                "device": "node-1",
                "sort": "data",
                "f_cnt": f_cnt,
                "mic": f"{f_cnt:08x}",
                "at": round(at_s * SECOND),
                "fate": "heard",
                "heard_by": list(ROOFS),
                **more,
            }
        )
        self.radio["receptions"] += 2
        return self._frames

    def missed(self, f_cnt: int, why: str) -> None:
        """The gateway names one of its frames."""
        self.radio["misses"].append((f"{f_cnt:08x}", why))

    def handed(self, frame: int, fate: str, roofs: tuple[str, ...] = ROOFS) -> None:
        self.lines += [{"handed": roof, "frame": frame, "fate": fate} for roof in roofs]

    def downlink(self, frame: int, f_cnt: int, fate: str = "heard", mic: str = "00") -> None:
        self.lines.append(
            {
                "downlink": "roof-a",
                "answers": frame,
                "sort": "data",
                "session": "01020304",
                "f_cnt": f_cnt,
                "mic": mic,
                "fate": fate,
            }
        )

    def judged(self, *, asked: bool = True) -> AirReconciliation:
        """The account."""
        ledger = self.folder / "truth.jsonl"
        ledger.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in self.lines))
        state = StateDir.create(self.folder / "state", Mark.SIM, SystemClock())
        columns = ", ".join(column.name for column in catalog()["river_gauge"].columns)
        with closing(sqlite3.connect(state.city_db)) as db, db:
            db.execute(f"CREATE TABLE river_gauge (observed_at, device, counter, {columns})")
            db.executemany(
                "INSERT INTO river_gauge (observed_at, device, counter, stage_m) VALUES (?, 'node-1', ?, ?)",
                [(START, *row) for row in self.rows],
            )
        return reconcile(ledger, self.radio if asked else None, state)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_what_is_stored_once_and_answered_is_explained(story: Story) -> None:
    story.downlink(story.uplink(0, 1, confirmed=True, acked="RX1"), 0)
    story.uplink(1, 2)
    found = story.judged()
    assert found.faults == []
    assert found.uplinks == {"stored": 2}
    assert found.confirmed == {"acknowledged": 1}
    assert found.copies["merged"] == 2


@pytest.mark.parametrize(
    ("rows", "stage_m", "says"),
    [(0, 1.5, "not stored"), (2, 1.5, "stored 2 times"), (1, 1.6, "another stage_m")],
)
def test_a_row_missing_doubled_or_other_than_sent_is_unexplained(story: Story, rows: int, stage_m: float, says: str) -> None:  # fmt: skip
    story.uplink(0, 1, rows=rows, stage_m=stage_m)
    (fault,) = story.judged().faults
    assert says in fault


def test_a_row_that_nobody_heard_is_unexplained(story: Story) -> None:
    story.rows.append((9, 1.5))
    (fault,) = story.judged().faults
    assert fault == "node-1 9: stored, and no forwarder heard it"


@pytest.mark.parametrize(
    "fate", ["lost in the backhaul", "not acknowledged", "no line", "not listened to"]
)
def test_what_no_copy_of_arrived_is_lost_by_that_name(story: Story, fate: str) -> None:
    story.handed(story.uplink(0, 1, rows=0), fate)
    story.radio["receptions"] = 0
    found = story.judged()
    assert (found.faults, found.uplinks[fate]) == ([], 1)


def test_one_copy_that_arrived_explains_no_loss(story: Story) -> None:
    story.handed(story.uplink(0, 1, rows=0), "no line", ("roof-a",))
    story.radio["receptions"] = 1
    assert story.judged().faults == ["node-1 0: heard, and not stored"]


def test_what_came_after_a_newer_one_was_refused_as_replayed(story: Story) -> None:
    """And only so: without a newer row, a late copy alone is no excuse."""
    story.handed(story.uplink(0, 1, rows=0), "late")
    story.uplink(1, 2)
    story.radio |= {"refused": {"replayed": 2}, "receptions": 2}
    found = story.judged()
    assert (found.faults, found.uplinks["handed over late, refused as replayed"]) == ([], 1)


def test_a_late_copy_without_a_newer_row_should_have_been_stored(story: Story) -> None:
    story.handed(story.uplink(0, 1, rows=0), "late")
    assert story.judged().faults == ["node-1 0: heard, and not stored"]


@pytest.mark.parametrize(("at_s", "faults"), [(9.5, 0), (13.5, 0), (8.0, 1), (14.5, 1)])
def test_a_kill_explains_what_was_under_way_and_nothing_else(story: Story, at_s: float, faults: int) -> None:  # fmt: skip
    """The forwarders found the gateway gone from 10 to 13 s, the one later than the other."""
    story.uplink(0, at_s, rows=0)
    story.lines += [
        {"away": "roof-a", "from": 4 * SECOND, "until": 14 * SECOND},
        {"away": "roof-b", "from": 10 * SECOND, "until": 13 * SECOND},
    ]
    assert story.judged().unexplained == faults


def test_refusals_that_nothing_late_explains_are_unexplained(story: Story) -> None:
    story.uplink(0, 1)
    story.radio["refused"] = {"wrong MIC": 1, "replayed": 1}
    assert sorted(story.judged().faults) == [
        "1 frames refused: replayed",
        "1 frames refused: wrong MIC",
    ]


def test_hearings_that_the_gateway_does_not_know_are_unexplained(story: Story) -> None:
    story.uplink(0, 1)
    story.radio["receptions"] = 1
    (fault,) = story.judged().faults
    assert fault.startswith("2 hearings were handed over, and the gateway counts 1")


def test_a_downlink_counter_with_two_frames_is_unexplained(story: Story) -> None:
    frame = story.uplink(0, 1, confirmed=True, acked="RX1")
    story.downlink(frame, 5, mic="aa")
    story.downlink(frame, 5, mic="bb")
    assert story.judged().faults == ["downlink counter 5 of session 01020304 had two frames"]


def test_a_miss_is_named_by_what_became_of_its_answer_or_by_the_gateway(story: Story) -> None:
    story.downlink(story.uplink(0, 1, confirmed=True), 0, "collided")
    story.uplink(1, 2, confirmed=True)
    story.missed(1, "answer not sent: too late for its windows")
    found = story.judged()
    assert found.confirmed == found.answers
    assert found.answers == {"answer collided": 1, "answer not sent: too late for its windows": 1}
    assert found.faults == []


def test_a_name_explains_the_frame_that_it_names_and_no_other(story: Story) -> None:
    """Neither another uplink's nor another try of the same one; an uplink that was acknowledged in the end as well."""
    story.uplink(0, 1, confirmed=True)
    story.missed(7, "answer not sent: too late for its windows")
    story.uplink(1, 2, confirmed=True, acked="RX1")
    story.frame(1, 5)
    story.missed(1, "answer not sent: too late for its windows")
    story.downlink(story.frame(1, 8), 1)
    assert story.judged().faults == [
        "node-1 0, frame 1: confirmed, unanswered, and nobody says why",
        "node-1 1, frame 3: confirmed, unanswered, and nobody says why",
    ]


def test_what_both_have_a_name_for_explains_one_frame(story: Story) -> None:
    """The forwarder refused the first answer and told the gateway so; nobody knows of the second."""
    story.downlink(story.uplink(0, 1, confirmed=True), 0, "TOO_LATE")
    story.missed(0, "answer not sent: TOO_LATE")
    story.frame(0, 5)
    assert story.judged().faults == [
        "node-1 0, frame 2: confirmed, unanswered, and nobody says why"
    ]


@pytest.mark.parametrize(
    ("fate", "says"),
    [
        ("heard", "its answer was heard, and did not acknowledge it"),
        ("refused by the node", "its answer was made wrong: refused by the node"),
        ("nobody listened", "its answer was made wrong: nobody listened"),
    ],
)
def test_an_answer_that_arrived_and_acknowledged_nothing_is_a_fault(story: Story, fate: str, says: str) -> None:  # fmt: skip
    story.downlink(story.uplink(0, 1, confirmed=True), 0, fate)
    assert story.judged().faults == [f"node-1 0, frame 1: {says}"]


def test_an_acknowledgement_that_nobody_sent_is_a_fault(story: Story) -> None:
    story.missed(0, "answer not sent: silence")
    story.uplink(0, 1, confirmed=True, acked="RX2")
    assert story.judged().faults == ["node-1 0: acknowledged, and no forwarder sent that"]


def test_of_a_gateway_that_began_anew_nobody_knows_every_name(story: Story) -> None:
    """What it still names is told; of the rest it is said that the gateway has gone, and its counts are of a part."""
    story.radio["since"] = START + 5 * SECOND
    story.uplink(0, 4, confirmed=True)
    story.uplink(1, 6, confirmed=True)
    story.missed(1, "answer not sent: silence")
    story.radio["receptions"] = 0
    found = story.judged()
    assert found.answers == {
        "not known: a gateway or a line had gone": 1,
        "answer not sent: silence": 1,
    }
    assert found.faults == []


def test_behind_backhauls_that_go_away_not_every_name_is_known(story: Story) -> None:
    """A downlink into a line that is dead has no name yet when the run ends."""
    story.lines[0]["faults"] = {"outage": 0.1}
    story.uplink(0, 1, confirmed=True)
    found = story.judged()
    assert (found.answers.total(), found.faults) == (1, [])


@pytest.mark.parametrize(("harmed", "over", "faults"), [(1, "udp", 0), (0, "udp", 1), (0, "station", 0), (1, "station", 1)])  # fmt: skip
def test_wrong_crcs_that_were_told_of_are_the_gateways_own_count(story: Story, harmed: int, over: str, faults: int) -> None:  # fmt: skip
    """A station tells of none."""
    story.lines[0]["lorawan"] = {"over": over}
    story.uplink(0, 1)
    story.frame(0, 2, fate="collided", heard_by=[], broken_at=[ROOFS[0]])
    story.radio["receptions"] = 2
    story.radio["forwarders"][0]["harmed"] = harmed
    found = story.judged()
    assert (found.unexplained, found.broken) == (faults, over == "udp")


def test_whoever_spoke_and_joins_again_is_unexplained(story: Story) -> None:
    story.uplink(0, 1)
    story.lines.append(
        {"frame": 7, "device": "node-1", "sort": "join", "fate": "collided", "heard_by": []}
    )
    assert story.judged().faults == ["node-1 joined and spoke, and asked to join again"]


def test_a_brokers_witness_of_lorawan_nodes_is_refused(tmp_path: Path, sekisho: Sekisho) -> None:
    ledger = tmp_path / "truth.jsonl"
    ledger.write_bytes(msgspec.json.encode({"sekisho_ledger": 1, "lorawan": {}}) + b"\n")
    refused = sekisho("reconcile", "--ledger", str(ledger), "--seen", "seen.txt")
    assert refused.code == 2
    assert "no broker's subscriber saw them" in refused.err


def test_without_a_gateway_rows_alone_are_compared(story: Story) -> None:
    story.uplink(0, 1)
    story.radio["receptions"] = 99
    found = story.judged(asked=False)
    assert (found.faults, found.asked) == ([], False)
