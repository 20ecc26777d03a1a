"""`sekisho simulate --lorawan` before anything is sent: what it prints, and what it refuses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from sekisho.__main__ import app
from sekisho.air_settings import settings
from sekisho.journey import pause_s
from sekisho.simulate_account import why_nobody
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


@pytest.mark.parametrize("over", ["udp", "station"])
def test_settings_as_json_say_the_same_as_yaml(over: str) -> None:
    """Both are read alike, as a configuration is: what YAML takes for a number is one in neither."""
    said = simulated(
        "--settings", "--json", "--forwarders", "2", "--region", "EU868", "--over", over
    )
    plain = simulated("--settings", "--forwarders", "2", "--region", "EU868", "--over", over)
    json.loads(said)
    assert YAML(typ="safe").load(said) == YAML(typ="safe").load(plain)


def test_a_pause_is_a_duration_or_a_number_of_seconds() -> None:
    assert [pause_s("--report-every", text) for text in ("1min", "90s", "30", "2.5")] == [
        60,
        90,
        30,
        2.5,
    ]


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"hearings": 0, "backhaul": {}, "downlinks": {}}, "No forwarder heard a join-request"),
        ({"hearings": 6, "backhaul": {"not acknowledged": 6}, "downlinks": {}}, "answers no forwarder that it does not list.*--settings"),
        ({"hearings": 6, "backhaul": {}, "downlinks": {}}, "registered there.*sekisho doctor lorawan"),
    ],
    ids=["nobody heard", "nobody answered", "nobody let in"],
)  # fmt: skip
def test_where_nobody_joined_it_says_what_to_look_at(figures: dict[str, Any], says: str) -> None:
    assert re.search(says, why_nobody(figures))


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
        (("--to", "wss://127.0.0.1:1", "--over", "udp"), "--over udp and --to wss://127.0.0.1:1 contradict each other"),
        (("--to", "udp://127.0.0.1:1", "--over", "station"), "udp:// is spoken by --over udp"),
        (("--to", "udp://127.0.0.1"), "the port is missing.* as in udp://127.0.0.1:1700"),
        (("--to", "wss://127.0.0.1:99999"), "the port is missing, or none from 1 to 65535"),
        (("--to", "udp://nosuchhost.invalid:1"), "the host nosuchhost.invalid has no address"),
        (("--to", "udp://255.255.255.255:1"), "no way from this machine to the host 255.255.255.255"),
        (("--to", "ws://nosuchhost.invalid:1"), "the host nosuchhost.invalid has no address"),
        (("--to", "wss://nosuchhost.invalid:1"), "the host nosuchhost.invalid has no address"),
        (("--to", f"udp://{'a' * 80}.invalid:1"), "has no address"),
        (("--settings", "--region", "MARS"), "--region MARS: simulated are AS923-1"),
        (("--settings", "--region", "US915"), "--region US915: simulated are AS923-1"),
        (("--to", "udp://127.0.0.1:1", "--report-every", "0.1"), "--report-every 0.1: a second is the shortest"),
        (("--to", "udp://127.0.0.1:1", "--report-every", "often"), "a number and one of s min h d"),
        (("--to", "wss://127.0.0.1:1", "--cafile", "nowhere.pem"), "--cafile nowhere.pem"),
        (("--to", "wss://127.0.0.1:1", "--client", "nowhere.pem"), "--client nowhere.pem"),
        (("--to", "ws://127.0.0.1:1", "--password-file", "nowhere"), "token file nowhere"),
        (("--to", "udp://127.0.0.1:1", "--over", "pigeon"), "--over pigeon"),
        (("--to", "udp://127.0.0.1:1", "--faults", "outrage=0.1"), 'no fault "outrage".*outage'),
        (("--pace", "10", "--connections", "2"), "--connections: nodes speak LoRaWAN, not MQTT"),
        (("--pace", "10"), "--pace: nodes live in real time"),
        (("--start", "2026-05-12T07:00:00+09:00"), "--start: nodes live in real time"),
        (("--children", "3", "--extra", "snow_gauge=3"), "--children: how many nodes .* behind --lorawan.*; --extra"),
        (("--harm", "0.1"), "--harm: .* asked for by --faults"),
        (("--devices-out", "fleet.json"), "--devices-out: .*--register puts them into one marked SIM"),
        (("--qos", "0"), "--qos: nodes speak LoRaWAN, not MQTT"),
        ((), "--follow DIR, or --to"),
    ],
    ids=[
        *("Indonesia", "Europe", "fixed channels", "another protocol", "two protocols", "two protocols again", "no port", "no such port", "no host", "no way", "no host of stations", "no host with TLS", "no name", "settings of no region", "settings of fixed channels", "too often", "no duration", "no authority", "no client", "no token"),
        *("no such protocol", "no such fault", "the town's options", "pace", "start", "children", "harm", "devices out", "qos", "nowhere"),
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
    """An unmarked directory is refused, with what makes another one that can be run."""
    with pytest.raises(Refusal):
        simulated("--register", str(tmp_path / "nowhere"))
    StateDir.create(tmp_path / "state", None, SystemClock())
    with pytest.raises(Refusal, match="sekisho init lab --mark SIM --area CODE --yes"):
        simulated("--register", str(tmp_path / "state"))
