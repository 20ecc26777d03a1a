"""How simulated nodes live before a real gateway: on batteries that end, and in touch with whoever answers."""

import json
from pathlib import Path

import pytest

from simulators.ledger import read_ledger
from tests.e2e.air_town import Told, air_town, read, stored, unexplained_uplinks, words
from tests.e2e.processes import Gateway, sekisho, until

pytestmark = [pytest.mark.e2e, pytest.mark.air, pytest.mark.timeout(120)]


def test_a_node_whose_battery_is_empty_dies_and_the_ledger_says_so(tmp_path: Path) -> None:
    """Two millionths of a cell are some frames: whoever has no mains dies, the last readings tell of it, and the run
    ends without them; what was heard before is stored."""
    town, ledger = air_town(tmp_path / "town", 5, 2), tmp_path / "truth.jsonl"
    options = {"lorawan": "5", "report_every": "3", "uplinks": "4", "for": "60s"}
    with Gateway(town):
        code, out, err = sekisho(
            town.folder, *words(town, ledger, **options, battery="0.000002"), patience_s=90
        )
        assert code == 0, err
        told = read(ledger)
        until(lambda: unexplained_uplinks(told, town) == [], "the rows")
    dead = {line["battery_empty"] for line in read_ledger(ledger) if "battery_empty" in line}
    on_mains = {line["roster"] for line in read_ledger(ledger) if line.get("kind") == "service_counter" and "roster" in line}  # fmt: skip
    assert json.loads(out)["batteries_empty"] == len(dead) == 4
    assert not dead & on_mains
    volts = [row["battery_v"] for rows in stored(town).values() for row in rows if "battery_v" in row]  # fmt: skip
    assert volts
    assert max(volts) == 3.0


def unasked(told: Told) -> int:
    """Downlinks of data that devices heard though they wanted no acknowledgement."""
    return sum(
        line["fate"] == "heard" and line["sort"] == "data"
        for lines in told.downlinks.values()
        for line in lines
    )


def test_a_node_asks_whether_anybody_listens_and_is_answered(tmp_path: Path) -> None:
    """After so many uplinks without an answer it sets ADRACKReq; the gateway answers, and it stays as fast as it is."""
    town, ledger = air_town(tmp_path / "town", 4, 4), tmp_path / "truth.jsonl"
    options = {"lorawan": "4", "report_every": "2", "uplinks": "6", "for": "60s", "confirmed": "0"}
    with Gateway(town):
        code, _, err = sekisho(
            town.folder, *words(town, ledger, **options, adr_ack_limit="2"), patience_s=90
        )
        assert code == 0, err
    told = read(ledger)
    assert unasked(told) >= 2 * 4
    assert {frame["rate"] for frame in told.frames.values() if frame["sort"] == "data"} == {"SF7BW125"}  # fmt: skip
