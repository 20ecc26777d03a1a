"""The town on its way out: what a kill of the simulator may not undo."""

import asyncio
from pathlib import Path

from gateway.model.instant import MINUTE, parse_rfc3339
from simulators.drive import drive
from simulators.ledger import Ledger, read_ledger
from simulators.pace import Pace
from simulators.scenario import Scenario
from simulators.uplink import SimUplink


class Reader:
    """An outlet that looks, at each uplink, at what the ledger's file says by then."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self.sent = 0
        self.unknown = 0

    @property
    def acked(self) -> int:
        return self.sent

    async def send(self, uplink: SimUplink) -> None:
        self.sent += 1
        *_, last = read_ledger(self._ledger)
        self.unknown += (last["device"], last["seq"]) != (uplink.device, uplink.seq)

    async def drain(self) -> None:
        """Everything has arrived."""

    async def close(self) -> None:
        """Nothing is open."""


async def test_every_uplink_stands_in_the_ledger_s_file_before_it_leaves(tmp_path: Path) -> None:
    """Else a simulator that is killed leaves rows behind that its ledger does not explain."""
    path = tmp_path / "truth.jsonl"
    scenario = Scenario(children=5, start=parse_rfc3339("2026-05-12T07:30:00+09:00"), harm=0.0)
    outlet = Reader(path)
    with Ledger(path, scenario.ledger_header(), scenario.fleet()) as ledger:
        until = scenario.start + 2 * MINUTE
        pace = Pace(scenario.start, 0.0)
        await drive(scenario, outlet, pace, until, ledger, asyncio.Event(), lambda _tally: None)
    assert outlet.sent > 10
    assert outlet.unknown == 0
