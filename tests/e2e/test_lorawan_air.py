"""Simulated nodes before a real gateway, over UDP and as Basics Stations: every join, uplink, copy and acknowledgement.

Runs of 300 nodes end when each node has sent a few uplinks. SEKISHO_AIR_S says how many seconds they take instead:
`make long` gives them five minutes.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.lorawan.merging import LATE_S
from gateway.model.instant import SECOND
from sekisho.window import ask
from tests.e2e.air_town import (
    SEED,
    Told,
    Uplink,
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
from tests.e2e.bystanders import NAMES, Bystanders, plug
from tests.e2e.eavesdropper import Eavesdropper, eavesdropper, joins, outrun
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


class Played:
    """What a gateway made of frames that are played back: of each a refusal by name, or a repetition."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._refused, self._repeated = self._said()

    def _said(self) -> tuple[Counter[str], int]:
        facts = next(ask(self._town.state, "terms"))["facts"]
        return Counter(radio(self._town)["refused"]), facts.get("lorawan: repeated", 0)

    def since(self) -> tuple[dict[str, int], int]:
        """Refusals by name, and repetitions that were taken for their devices' own."""
        refused, repeated = self._said()
        return dict(refused - self._refused), repeated - self._repeated

    def every(self, frames: int) -> bool:
        """Whether each of so many was the one or the other."""
        refused, repeated = self.since()
        return sum(refused.values()) + repeated == frames


def replayed_by_a_stranger(town: Town, listener: Eavesdropper, told: Told, rows: Collection[Uplink]) -> None:  # fmt: skip
    """Over UDP somebody listened to all 300: joins and older frames are refused by name, and so are last ones, or they are
    repetitions; of those that were stored."""
    captured = listener.captured()
    of = {frame["mic"]: (frame["device"], frame.get("f_cnt")) for frame in told.frames.values() if "mic" in frame}  # fmt: skip
    older = outrun(captured, 1)
    last = [one for one in captured if one not in older and of[one.phy[-4:].hex()] in rows]
    again = [*joins(captured)[:200], *older[:200]]
    assert bool(older) == bool(last) == bool(captured)
    played = Played(town)
    listener.replay(again)
    due = {
        "DevNonce used before": len(joins(again)),
        "replayed": len(again) - len(joins(again)),
    }
    until(lambda: played.since() == ({k: n for k, n in due.items() if n}, 0), "refusals")
    played = Played(town)
    listener.replay(last)
    until(lambda: played.every(len(last)), "an account of every last frame")
    assert played.since()[0].keys() <= {"replayed"}


async def before_the_kills(gateway: Gateway, beside: Bystanders, over: str) -> None:
    async with plug(gateway, SEED, over) as place:
        await beside.live(place)


async def after_the_kills(gateway: Gateway, beside: Bystanders, over: str) -> None:
    """Joins, frames of an ended session, of a living one, and of a device that never joins are refused by name; the last ones from
    before the kills too, once there are newer ones; and a last one that is repeated at once is acknowledged."""
    town = gateway.town
    async with plug(gateway, SEED, over) as place:
        played = Played(town)
        due = await beside.play_back(place)
        until(lambda: played.since() == (due, 0), "refusals")
        last = {name: beside.spoken[name][-1] for name in NAMES}
        for name, phy in last.items():
            await beside.speak(name, place)
            await place.push(phy)
        due |= {why: due[why] + 1 for why in ("replayed", "counter begun anew")}
        until(lambda: played.since() == (due, 0), "refusals of the frames that were the last ones")
        await asyncio.sleep(LATE_S)
        for name in NAMES:
            await beside.acknowledged(name, beside.spoken[name][-1], place)
        assert played.since() == (due, len(NAMES))


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
    assert "not known: a gateway or a line had gone" not in account["answers"]
    if over == "udp":
        assert account["broken"] == sum(roof["harmed"] for roof in said["forwarders"])
    assert counters_reused(told) == []
    assert acknowledged_share(told) >= 0.95


@over
def test_three_kills_under_300_nodes_lose_no_session_and_no_acknowledged_uplink(tmp_path: Path, over: str) -> None:  # fmt: skip
    """SIGKILL three times: nobody joins again, no frame is refused afterwards, nothing is stored twice, whatever was
    acknowledged is stored, what is missing was under way at a kill, and no downlink counter had two frames. Whatever was
    captured and is then played back is refused by name, or is a repetition of a last frame; neither is stored."""
    port = free_port()
    town, ledger = air_town(tmp_path / "town", NODES, 5, port, over), tmp_path / "truth.jsonl"
    beside = Bystanders(town)
    ends = {"for": f"{LONG_S}s"} if LONG_S else {"for": f"{MOST_S}s", "uplinks": "2"}
    options = {"lorawan": f"{NODES}", "report_every": "12", **SWITCHED_ON[over], **ends}
    options["over"] = over
    away: list[tuple[int, int]] = []
    reported = Reported(ledger)
    clock = SystemClock()
    with Gateway(town) as gateway, eavesdropper(port) as listener:
        asyncio.run(before_the_kills(gateway, beside, over))
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
        assert radio(town)["sessions"] == NODES + len(NAMES)
        explained(town, ledger)
        rows = {key: found for key, found in stored(town).items() if key[0] not in NAMES}
        replayed_by_a_stranger(town, listener, told, rows)
        asyncio.run(after_the_kills(gateway, beside, over))
        kept = stored(town)
    assert {key: found for key, found in kept.items() if key[0] not in NAMES} == rows
    assert sum(len(found) for key, found in kept.items() if key[0] in NAMES) == beside.rows()
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
