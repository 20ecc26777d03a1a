"""Simulated nodes and forwarders before a real gateway over UDP: every join, every uplink, every acknowledgement."""

import json
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
    named_misses,
    read,
    stored,
    unanswered,
    unexplained_uplinks,
    words,
)
from tests.e2e.ports import free_port
from tests.e2e.processes import Gateway, background, sekisho, until
from tests.e2e.radio_town import radio
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

UNDER_WAY = 4 * SECOND
"""An uplink so young may still be on the air, in the backhaul, or in the gateway's hands."""


def reported(ledger: Path, uplinks: int) -> bool:
    """Whether so many uplinks were heard."""
    return ledger.exists() and len(read(ledger).heard) >= uplinks


def settled(town: Town, hearings: int) -> dict[str, Any] | None:
    """What the gateway says of its radio, once it has merged every hearing."""
    said = radio(town)
    return said if said["receptions"] + said["late"] >= hearings else None


@pytest.mark.parametrize("nodes", [100])
def test_every_uplink_that_a_forwarder_heard_is_stored_once_and_explained(tmp_path: Path, nodes: int) -> None:  # fmt: skip
    """Every node joins and sends four uplinks and more; each that was heard is one row with its values, each copy is
    merged into one or named late; of the confirmed ones that were heard 95 in a hundred are acknowledged, and for
    each other the ledger or the gateway says why; no frame was refused."""
    town, ledger = air_town(tmp_path / "town", nodes, 4), tmp_path / "truth.jsonl"
    with Gateway(town) as gateway:
        options = {"lorawan": f"{nodes}", "report_every": "6", "uplinks": "4", "for": "150s"}
        code, out, err = sekisho(
            gateway.town.folder, *words(town, ledger, **options), patience_s=200
        )
        assert code == 0, err
        figures = json.loads(out)
        told = read(ledger)
        said = until(partial(settled, town, told.hearings), "every copy")
    assert figures["joined"] == figures["nodes"] == nodes
    assert fewest_uplinks(told) >= 4
    assert said["receptions"] + said["late"] == told.hearings
    assert not said["refused"]
    assert unexplained_uplinks(told, town) == []
    assert len(unanswered(told)) <= named_misses(said)
    assert counters_reused(told) == []
    assert acknowledged_share(told) >= 0.95


def test_three_kills_in_a_run_lose_no_session_and_no_acknowledged_uplink(tmp_path: Path) -> None:
    """SIGKILL three times: nobody joins again, no frame is refused afterwards, nothing is stored twice, whatever was
    acknowledged is stored, what is missing was under way at a kill, and no downlink counter had two frames."""
    port = free_port()
    town, ledger = air_town(tmp_path / "town", 30, 4, port), tmp_path / "truth.jsonl"
    options = {"lorawan": "30", "report_every": "5", "for": "60s", "confirmed": "0.5"}
    away: list[tuple[int, int]] = []
    clock = SystemClock()
    with (
        Gateway(town) as gateway,
        background(town.folder, "nodes", *words(town, ledger, **options)) as (nodes, said),
    ):
        for kill in range(1, 4):
            until(partial(reported, ledger, 40 * kill), f"uplinks before kill {kill}")
            before = clock.now()
            gateway.kill()
            gateway.start()
            away.append((before, clock.now()))
        assert nodes.wait(120) == 0, said.read_text()
        told = read(ledger)
        assert not radio(town)["refused"]
    assert len(told.joined) == 30
    assert joins_after_the_first(told) == []
    assert counters_reused(told) == []
    rows = stored(town)
    assert all(len(found) == 1 for found in rows.values())
    assert rows.keys() <= told.heard.keys()
    acknowledged = {key for key, end in told.over.items() if end["acked"] is not None}
    assert acknowledged <= rows.keys()
    for key in told.heard.keys() - rows.keys():
        sent = told.heard[key]["sent"]
        assert any(begin - UNDER_WAY <= sent <= end for begin, end in away), key
