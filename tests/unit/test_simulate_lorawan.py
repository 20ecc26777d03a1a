"""`sekisho simulate --lorawan` before anything is sent: what it prints, and what it refuses."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.model.errors import Refusal
from sekisho.__main__ import app
from sekisho.simulate_lorawan import settings
from simulators.lorawan.meters import forwarder_eui


def simulated(*words: str) -> str:
    """What it prints; raises its refusal."""
    done = CliRunner().invoke(app, ["simulate", "--lorawan", "10", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_settings_name_the_forwarders_of_this_seed() -> None:
    found = re.findall(r"eui: ([0-9a-f]{16})", settings(7, 3, "AS923-1"))
    assert found == [str(forwarder_eui(7, number)) for number in (1, 2, 3)]
    assert simulated("--settings", "--forwarders", "3") == settings(7, 3, "AS923-1")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "udp://127.0.0.1:1", "--region", "AS923-2", "--report-every", "5"), "1 % of any hour|RP002"),
        (("--to", "udp://127.0.0.1:1", "--region", "EU868", "--report-every", "5"), "ERC/REC 70-03"),
        (("--to", "udp://127.0.0.1:1", "--region", "US915"), "simulated are AS923-1"),
        (("--to", "mqtt://127.0.0.1:1"), "udp://HOST:PORT"),
        ((), "--follow DIR, or --to"),
    ],
    ids=["Indonesia", "Europe", "fixed channels", "another protocol", "nowhere"],
)  # fmt: skip
def test_a_scenario_that_cannot_be_is_refused_with_its_reason(words: tuple[str, ...], says: str) -> None:  # fmt: skip
    """More often than the law permits: with the clause."""
    with pytest.raises(Refusal, match=says):
        simulated(*words)


def test_nothing_real_may_be_mixed_with_invented_nodes(tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        simulated("--register", str(tmp_path / "nowhere"))
