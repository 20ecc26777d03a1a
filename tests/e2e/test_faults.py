"""Every fault of the menu against a real gateway: the oracle knows what must come of each."""

import json
from pathlib import Path

import pytest

from simulators.faults import MENU
from simulators.ledger import read_ledger
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

START = "2026-05-12T07:10:00+09:00"


@pytest.mark.parametrize("seed", [7, 2026])
def test_all_faults_at_once_are_explained(tmp_path: Path, seed: int) -> None:
    """Two hours with every fault on: no fate differs from the oracle's, no row is missing or too many,
    and what was lost is in the ledger and nowhere else."""
    town = Town(tmp_path)
    state, ledger = str(town.state.path), str(tmp_path / "truth.jsonl")
    with Gateway(town, "--clock", f"sim://{START}") as gateway:
        registered = ("--register", state, "--keys", str(tmp_path / "keys"))
        words = (*registered, "--follow", state, "--for", "2h", "--pace", "0", "--step", "1min")
        harm = ("--seed", str(seed), "--faults", "all=0.004,flood=0.0005,battery_death=0.0005")
        code, _, said = sekisho(tmp_path, "simulate", *words, *harm, "--ledger", ledger)
        assert code == 0, said
        code, out, said = sekisho(
            tmp_path, "reconcile", "--ledger", ledger, "--config", str(town.config), "--json"
        )
        assert gateway.stop() == 0
    found = json.loads(out)
    print(found)
    assert (code, found["unexplained"], found["fates_compared"]) == (0, 0, True)
    lines = list(read_ledger(Path(ledger)))
    assert {line.get("harm") for line in lines[1:]} - {None} == set(MENU)
    assert found["sent"] == sum("n" in line for line in lines) > 3000
    assert sum("lost" in line for line in lines) > 20
