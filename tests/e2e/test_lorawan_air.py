"""Simulated nodes and forwarders before a real gateway over UDP: every join, every uplink, every acknowledgement."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.air_town import (
    acknowledged_share,
    air_town,
    counters_reused,
    fewest_uplinks,
    read,
    unexplained_misses,
    unexplained_uplinks,
    words,
)
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.radio_town import radio
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def settled(town: Town, hearings: int) -> dict[str, Any] | None:
    """What the gateway says of its radio, once it has merged every hearing."""
    said = radio(town)
    return said if said["receptions"] + said["late"] >= hearings else None


def test_every_uplink_that_a_forwarder_heard_is_stored_once_and_explained(tmp_path: Path) -> None:
    """Every node joins and sends four uplinks and more; each that was heard is one row with its values, each copy is
    merged into one or named late; of the confirmed ones that were heard 95 in a hundred are acknowledged, and for
    each other the ledger says why; no frame was refused."""
    town, ledger = air_town(tmp_path / "town", 30, 4), tmp_path / "truth.jsonl"
    with Gateway(town) as gateway:
        options = {"lorawan": "30", "report_every": "5", "for": "40s", "confirmed": "0.2"}
        code, out, err = sekisho(
            gateway.town.folder, *words(town, ledger, **options), patience_s=120
        )
        assert code == 0, err
        figures = json.loads(out)
        told = read(ledger)
        said = until(partial(settled, town, told.hearings), "every copy")
    assert figures["joined"] == figures["nodes"] == 30
    assert fewest_uplinks(told) >= 4
    assert said["receptions"] + said["late"] == told.hearings
    assert not said["refused"]
    assert unexplained_uplinks(told, town) == []
    assert unexplained_misses(told) == []
    assert counters_reused(told) == []
    assert acknowledged_share(told) >= 0.95
