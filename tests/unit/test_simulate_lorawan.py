"""`sekisho simulate --lorawan` before anything is sent: what it prints, and what it refuses."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.model.errors import Refusal
from sekisho.__main__ import app
from sekisho.air_settings import settings
from simulators.lorawan.meters import forwarder_eui


def simulated(*words: str, town: bool = False) -> str:
    """What it prints; raises its refusal."""
    kind = () if town else ("--lorawan", "10")
    done = CliRunner().invoke(app, ["simulate", *kind, *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_settings_name_the_forwarders_of_this_seed() -> None:
    found = re.findall(r"eui: ([0-9a-f]{16})", settings(7, 3, "AS923-1"))
    assert found == [str(forwarder_eui(7, number)) for number in (1, 2, 3)]
    assert simulated("--settings", "--forwarders", "3") == settings(7, 3, "AS923-1")


def test_stations_get_a_door_with_tls_and_a_credential() -> None:
    said = simulated("--settings", "--over", "station")
    assert re.findall(r"(?m)^  - kind: (\w+)$", said) == ["basics_station"]
    assert said.count("credential: forwarders, ") == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "udp://127.0.0.1:1", "--region", "AS923-2", "--report-every", "5"), "1 % of any hour|RP002"),
        (("--to", "udp://127.0.0.1:1", "--region", "EU868", "--report-every", "5"), "ERC/REC 70-03"),
        (("--to", "udp://127.0.0.1:1", "--region", "US915"), "simulated are AS923-1"),
        (("--to", "mqtt://127.0.0.1:1"), "udp://HOST:PORT"),
        (("--to", "wss://127.0.0.1:1", "--over", "udp"), "ws://HOST:PORT"),
        (("--to", "wss://127.0.0.1:1", "--cafile", "nowhere.pem"), "--cafile nowhere.pem"),
        (("--to", "wss://127.0.0.1:1", "--client", "nowhere.pem"), "--client nowhere.pem"),
        (("--to", "ws://127.0.0.1:1", "--password-file", "nowhere"), "token file nowhere"),
        (("--to", "udp://127.0.0.1:1", "--over", "pigeon"), "--over pigeon"),
        (("--to", "udp://127.0.0.1:1", "--faults", "outrage=0.1"), 'no fault "outrage".*outage'),
        (("--pace", "10", "--connections", "2"), "--pace, --connections: of the town"),
        ((), "--follow DIR, or --to"),
    ],
    ids=[
        *("Indonesia", "Europe", "fixed channels", "another protocol", "two protocols", "no authority", "no client", "no token"),
        *("no such protocol", "no such fault", "the town's options", "nowhere"),
    ],
)  # fmt: skip
def test_a_scenario_that_cannot_be_is_refused_with_its_reason(words: tuple[str, ...], says: str) -> None:  # fmt: skip
    """More often than the law permits: with the clause."""
    with pytest.raises(Refusal, match=says):
        simulated(*words)


def test_what_only_nodes_know_is_refused_for_the_town() -> None:
    with pytest.raises(Refusal, match="--forwarders: belongs to --lorawan N"):
        simulated("--forwarders", "3", town=True)


def test_nothing_real_may_be_mixed_with_invented_nodes(tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        simulated("--register", str(tmp_path / "nowhere"))
