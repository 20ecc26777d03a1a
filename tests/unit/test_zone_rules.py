"""Zone rules from the configuration to the registry: homes become zones, and radii are refused."""

from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.registry.registry import Registry
from gateway.settings.load import load_settings
from gateway.settings.settings import Settings
from gateway.statedir import Mark, StateDir
from simulators.families import families
from simulators.town import town
from tests.fakes.front_door import Sekisho

SHIPPED = Path(__file__).parents[2] / "config" / "privacy"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A configuration under the recommended rules, and its empty directory."""
    (tmp_path / "gateway.yaml").write_text(
        f"state: {tmp_path}/state\nkeys: {tmp_path}/keys\n"
        'owner: "16201"\ntimezone: Asia/Tokyo\nservice_area: {municipality: "16201"}\n'
        "doors: [{name: devices, kind: mqtt_listener, bind: 127.0.0.1, port: 0}]\n"
        f"privacy: {SHIPPED}/toyama-zone.yaml\n"
    )
    loaded = load_settings(tmp_path / "gateway.yaml")
    state = StateDir.create(loaded.state, Mark.SIM, SystemClock())
    KeyRing.create(tmp_path / "keys", state.id, SystemClock(), loaded.zone)
    return loaded


def household_lines(count: int) -> str:
    homes = [
        family.household.home for family in families(town(), 16201, count) if family.household.home
    ]
    lines = (f"h-{n},{lat},{lon}\n" for n, (lat, lon) in enumerate(homes))
    return "household,lat,lon\n" + "".join(lines)


def test_the_recommended_rules_can_be_in_force(settings: Settings) -> None:
    """The shipped set compiles: zones, cells of 125 m, ten minutes, and neither pseudonym nor battery."""
    policy = settings.policy
    assert policy.zoned is not None
    assert policy.shape.cells is not None
    assert (policy.shape.cells.name, policy.shape.run) == ("125m", 3)
    assert not {"place", "pseudonym", "battery_class"} & policy.shape.fields
    assert (policy.buffer_m, policy.retain_days, policy.keeps_reads) == (100.0, 20, False)


def test_homes_are_taken_in_as_zones(settings: Settings, sekisho: Sekisho) -> None:
    """Decisions 11, and who lives in no zone is counted, not named by place."""
    outside = "h-far,36.6,137.1\n"
    homes = household_lines(20) + outside
    answer = sekisho("devices", "import-homes", "-", "--config", str(settings.file), stdin=homes)

    assert answer.code == 0, answer.err
    assert "1 home lies in no zone" in answer.err
    state = StateDir.open(settings.state)
    assert settings.keys is not None
    keys = KeyRing.open(settings.keys, state.id, SystemClock(), settings.zone)
    with Registry.open(state, keys) as registry:
        assert registry.forget_homes(lambda _lat, _lon: None, "0" * 64, 0) == 0


def test_a_radius_of_ones_own_is_refused(settings: Settings, sekisho: Sekisho) -> None:
    """It would break non-interference: the sentence says so, and nothing is imported."""
    homes = "household,lat,lon,radius_m\nh-1,36.741,137.21,120\n"
    answer = sekisho("devices", "import-homes", "-", "--config", str(settings.file), stdin=homes)

    assert answer.code == 2
    assert "two homes of one zone must give the same output" in answer.err
