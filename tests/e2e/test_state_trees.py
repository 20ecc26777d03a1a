"""A suppressed uplink leaves no byte: with it and without it, the directories are the same (decisions 3)."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.model.instant import MINUTE, SECOND, Instant, parse_rfc3339
from gateway.model.reason import Fate
from gateway.statedir import Mark
from sekisho.destination import follow
from simulators.drive import Step, drive
from simulators.ledger import roster_line, uplink_line
from simulators.oracle import Oracle
from simulators.oracle_rules import Rules
from simulators.oracle_verdict import Verdict
from simulators.outlets.endpoint import Endpoint
from simulators.outlets.mqtt import MqttOutlet
from simulators.pace import Pace
from simulators.scenario import Scenario
from simulators.streams import stream
from simulators.uplink import SimUplink
from tests.e2e.processes import Gateway
from tests.e2e.town import Town, in_area

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

START = "2026-05-12T07:42:00+09:00"
LASTS = 4 * MINUTE
STEP = 10 * SECOND
EXEMPT = {"sessions.db", "sessions.db-wal", "sessions.db-shm"}
"""Where sessions are remembered, which every connection may change (decisions 6)."""


@dataclass(frozen=True, slots=True)
class Sifted(Scenario):
    """A town of whose uplinks some are not sent."""

    sent: Callable[[SimUplink], bool] = lambda _uplink: True

    def uplinks(self, until: Instant | None = None) -> Iterator[SimUplink]:
        """Those that are sent, in order."""
        return filter(self.sent, Scenario.uplinks(self, until))


TOWN = Scenario(start=parse_rfc3339(START), harm=0.0)


def judged() -> list[Verdict]:
    """What should become of everything this town says."""
    oracle = Oracle(Rules(in_area))
    oracle.judge(TOWN.ledger_header(STEP))
    for device in TOWN.fleet():
        oracle.judge(roster_line(device))
    lines = (uplink_line(n, said) for n, said in enumerate(TOWN.uplinks(TOWN.start + LASTS), 1))
    verdicts = map(oracle.judge, lines)
    return [verdict for verdict in verdicts if verdict is not None]


def silent(verdicts: list[Verdict]) -> set[str]:
    """Devices that spoke and of which nothing at all may be kept, by the oracle."""
    fates: dict[str, set[Fate]] = {}
    for verdict in verdicts:
        fates.setdefault(verdict.device, set()).add(verdict.fate)
    return {device for device, found in fates.items() if found == {Fate.SUPPRESSED}}


@pytest.fixture(scope="module", params=[Mark.SIM, Mark.REPLAY], ids=["plain", "sealed"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, str]:  # fmt: skip
    """A registered town that nobody has spoken in yet, and its fleet's token."""
    town = Town(tmp_path_factory.mktemp("base") / "town", request.param)
    return town, town.enrol([roster_line(device) for device in TOWN.fleet()])


async def lived(
    base: tuple[Town, str],
    folder: Path,
    sent: Callable[[SimUplink], bool],
    keys: Path | None = None,
) -> Town:
    """A copy of the town after four minutes in which `sent` was said."""
    town = base[0].twin(folder)
    if keys is not None:
        shutil.rmtree(folder / "keys")
        shutil.copytree(keys, folder / "keys")
    with Gateway(town, "--clock", f"sim://{START}") as gateway:
        outlet = MqttOutlet(
            Endpoint("127.0.0.1", gateway.port, "fleet", base[1].encode()), stream(1, "outlet")
        )
        await outlet.open()
        scenario = Sifted(start=TOWN.start, harm=0.0, sent=sent)
        step = Step(STEP, follow(town.state.path).advance)
        await drive(
            *(scenario, outlet, Pace(TOWN.start, 0), TOWN.start + LASTS, None),
            *(asyncio.Event(), lambda _tally: None, step),
        )
        await outlet.close()
        assert gateway.stop() == 0
    return town


def tree(town: Town, scratch: Path) -> dict[str, bytes]:
    """Every file under state and keys, by its bytes; databases after `VACUUM INTO`."""
    found = {}
    scratch.mkdir()
    for top in ("state", "keys"):
        for path in sorted((town.folder / top).rglob("*")):
            name = str(path.relative_to(town.folder))
            if path.name in EXEMPT or path.is_dir():
                continue
            if path.suffix == ".db":
                copy = scratch / name.replace("/", "-")
                with closing(sqlite3.connect(path)) as db:
                    db.execute("VACUUM INTO ?", (str(copy),))
                found[name] = copy.read_bytes()
            else:
                found[name] = path.read_bytes()
    return found


async def test_a_day_of_nothing_but_suppressed_uplinks_is_a_day_of_nothing(
    base: tuple[Town, str], tmp_path: Path
) -> None:
    """Children at home, without consent or home, without a fix: not a row, not a file, not a key more
    than where nobody spoke at all."""
    quiet = silent(judged())
    spoke = await lived(base, tmp_path / "spoke", lambda uplink: uplink.device in quiet)
    nobody = await lived(base, tmp_path / "nobody", lambda _uplink: False)

    assert len(quiet) > 10
    assert tree(spoke, tmp_path / "a") == tree(nobody, tmp_path / "b")


async def test_beside_others_suppressed_uplinks_leave_no_byte_either(
    base: tuple[Town, str], tmp_path: Path
) -> None:
    """The town with and without those of whom nothing may be kept; without one more child, whose rows
    are kept, the directories differ: so the comparison can fail."""
    verdicts = judged()
    quiet = silent(verdicts)
    kept = next(v.device for v in verdicts if v.kind == "child_tracker" and v.fate is Fate.STORED)
    everybody = await lived(base, tmp_path / "all", lambda _uplink: True)
    keys = everybody.folder / "keys"
    others = await lived(base, tmp_path / "others", lambda u: u.device not in quiet, keys)
    fewer = await lived(base, tmp_path / "fewer", lambda u: u.device != kept, keys)

    whole = tree(everybody, tmp_path / "a")
    assert any(name.startswith("state/personal/") for name in whole)
    assert tree(others, tmp_path / "b") == whole
    assert tree(fewer, tmp_path / "c") != whole
