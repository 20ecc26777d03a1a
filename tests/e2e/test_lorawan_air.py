"""Simulated nodes before a real gateway, over UDP and as Basics Stations: every join, uplink, copy and acknowledgement.

Runs of 300 nodes end when each node has sent a few uplinks. SEKISHO_AIR_S says how many seconds they take instead:
`make long` gives them five minutes.
"""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.model.instant import SECOND
from tests.e2e.air_town import (
    acknowledged_share,
    air_town,
    counters_reused,
    fewest_uplinks,
    joins_after_the_first,
    read,
    stored,
    unexplained_uplinks,
    words,
)
from tests.e2e.eavesdropper import eavesdropper, joins, outrun
from tests.e2e.ports import free_port
from tests.e2e.processes import Gateway, background, sekisho, until
from tests.e2e.radio_town import radio
from tests.e2e.town import Town

LONG_S = int(os.environ.get("SEKISHO_AIR_S", "0"))
NODES = 300
MOST_S = 300
PATIENCE_S = LONG_S + MOST_S + 60

pytestmark = [pytest.mark.e2e, pytest.mark.air, pytest.mark.timeout(PATIENCE_S + 120)]

UNDER_WAY = 4 * SECOND
"""An uplink so young may still be on the air, in the backhaul, or in the gateway's hands."""

COMES_BACK = {"udp": 0, "station": 12 * SECOND}
"""A forwarder that keeps a line needs so long at most until it has one again."""

SWITCHED_ON = {
    "udp": {"switched_on_within": "20s"},
    "station": {"switched_on_within": "50s"},
}
"""Stations keep each channel to a tenth: four of them answer no more joins at a time."""

over = pytest.mark.parametrize("over", ["udp", "station"])


class Reported:
    """How many uplinks a ledger that grows tells of so far."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._at = 0
        self._uplinks = 0

    def __call__(self, uplinks: int) -> bool:
        """Whether so many were heard."""
        if self._ledger.exists():
            with self._ledger.open("rb") as file:
                file.seek(self._at)
                more = file.read()
                self._at = file.tell()
            self._uplinks += more.count(b'{"n":')
        return self._uplinks >= uplinks


def settled(town: Town, hearings: int) -> dict[str, Any] | None:
    """What the gateway says of its radio, once it has merged every hearing."""
    said = radio(town)
    return said if said["receptions"] + said["late"] >= hearings else None


def explained(town: Town, ledger: Path) -> dict[str, Any]:
    """What `sekisho reconcile` says; it has to find everything explained."""
    code, out, err = sekisho(
        *(town.folder, "reconcile", "--ledger", str(ledger), "--state", str(town.state.path)),
        "--json",
    )
    said: dict[str, Any] = json.loads(out)
    assert (code, said["faults"]) == (0, []), err
    return said


@over
def test_every_uplink_of_300_nodes_is_stored_once_and_explained(tmp_path: Path, over: str) -> None:
    """Every node joins and sends four uplinks and more; each that was heard is one row with its values, each copy is
    merged into one or named late; of the confirmed ones that were heard 95 in a hundred are acknowledged, and of every
    single frame that was not the ledger or the gateway says why; no frame was refused."""
    town, ledger = air_town(tmp_path / "town", NODES, 4, over=over), tmp_path / "truth.jsonl"
    with Gateway(town) as gateway:
        ends = {"for": f"{LONG_S}s"} if LONG_S else {"for": f"{MOST_S}s", "uplinks": "4"}
        options = {"lorawan": f"{NODES}", "report_every": "12", **SWITCHED_ON[over], **ends}
        code, out, err = sekisho(
            gateway.town.folder, *words(town, ledger, **options, over=over), patience_s=PATIENCE_S
        )
        assert code == 0, err
        figures = json.loads(out)
        told = read(ledger)
        said = until(partial(settled, town, told.hearings), "every copy")
        account = explained(town, ledger)
    assert figures["joined"] == figures["nodes"] == account["joined"] == NODES
    assert fewest_uplinks(told) >= 4
    assert said["receptions"] + said["late"] == told.hearings == sum(account["copies"].values())
    assert not said["refused"]
    assert unexplained_uplinks(told, town) == []
    assert account["answers"]["acknowledged"] == account["confirmed"]["acknowledged"]
    assert "known to a gateway that has gone" not in account["answers"]
    if over == "udp":
        assert account["broken"] == sum(roof["harmed"] for roof in said["forwarders"])
    assert counters_reused(told) == []
    assert acknowledged_share(told) >= 0.95


@over
def test_three_kills_under_300_nodes_lose_no_session_and_no_acknowledged_uplink(tmp_path: Path, over: str) -> None:  # fmt: skip
    """SIGKILL three times: nobody joins again, no frame is refused afterwards, nothing is stored twice, whatever was
    acknowledged is stored, what is missing was under way at a kill, and no downlink counter had two frames. Over UDP
    somebody listened, and plays joins and data of before the first kill back after the third: all are refused by name."""
    port = free_port()
    town, ledger = air_town(tmp_path / "town", NODES, 4, port, over), tmp_path / "truth.jsonl"
    ends = {"for": f"{LONG_S}s"} if LONG_S else {"for": f"{MOST_S}s", "uplinks": "2"}
    options = {"lorawan": f"{NODES}", "report_every": "12", **SWITCHED_ON[over], **ends}
    options["over"] = over
    away: list[tuple[int, int]] = []
    reported = Reported(ledger)
    clock = SystemClock()
    with Gateway(town) as gateway, eavesdropper(port) as listener:
        if over == "udp":
            options["to"] = f"udp://127.0.0.1:{listener.port}"
        with background(town.folder, "nodes", *words(town, ledger, **options)) as (nodes, said):
            for kill in range(1, 4):
                heard = partial(reported, 250 * kill)
                until(heard, f"uplinks before kill {kill}", patience_s=MOST_S)
                before = clock.now()
                gateway.kill()
                gateway.start()
                away.append((before, clock.now()))
            assert nodes.wait(PATIENCE_S) == 0, said.read_text()
        told = read(ledger)
        assert not radio(town)["refused"]
        assert radio(town)["sessions"] == NODES
        explained(town, ledger)
        rows = stored(town)
        captured = listener.captured()
        again = [*joins(captured)[:200], *outrun(captured, 2)[:200]]
        listener.replay(again)
        refused = {
            "DevNonce used before": len(joins(again)),
            "replayed": len(again) - len(joins(again)),
        }
        until(lambda: radio(town)["refused"] == {k: n for k, n in refused.items() if n}, "refusals")
        assert stored(town) == rows
    assert len(told.joined) == NODES
    assert joins_after_the_first(told) == []
    assert counters_reused(told) == []
    assert all(len(found) == 1 for found in rows.values())
    assert rows.keys() <= told.heard.keys()
    acknowledged = {key for key, end in told.over.items() if end["acked"] is not None}
    assert acknowledged <= rows.keys()
    for key in told.heard.keys() - rows.keys():
        sent = told.heard[key]["sent"]
        assert any(begin - UNDER_WAY <= sent <= end + COMES_BACK[over] for begin, end in away), key


@over
def test_backhauls_that_go_away_and_clocks_that_are_wrong_cost_what_the_ledger_names(tmp_path: Path, over: str) -> None:  # fmt: skip
    """Frames that arrive minutes late or never, clocks two years off or not there, forwarders with two antennas:
    nothing is stored twice, each loss and each late copy has its name, and nothing else is missing."""
    town, ledger = air_town(tmp_path / "town", 40, 4, over=over), tmp_path / "truth.jsonl"
    faults = "outage=0.004,wrong_clock=0.0086,no_clock=0.42,antennas=0.5"
    with Gateway(town) as gateway:
        options = {
            "lorawan": "40",
            "report_every": "5",
            "for": "75s",
            "over": over,
            "faults": faults,
        }
        code, out, err = sekisho(
            gateway.town.folder, *words(town, ledger, **options), patience_s=PATIENCE_S
        )
        assert code == 0, err
        account = explained(town, ledger)
        refused = radio(town)["refused"]
    told = read(ledger)
    fates = set(told.handed.values())
    assert fates & {"late", "lost in the backhaul", "no line"}
    assert json.loads(out)["joined"] == account["joined"]
    assert all(len(found) == 1 for found in stored(town).values())
    assert set(refused) <= {"replayed", "DevNonce used before"}
    arrived = {
        (frame["device"], frame["f_cnt"])
        for number, frame in told.frames.items()
        if frame["sort"] == "data"
        and any((name, number) not in told.handed for name in frame.get("heard_by", ()))
    }
    assert arrived <= stored(town).keys()
