"""Zone rules from the configuration to the registry: homes become zones, and radii are refused."""

import asyncio
import json
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.app.housekeeping import ROUND, ClockWatch, Timekeeper, keep_house
from gateway.app.run import under_rules
from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import SECOND
from gateway.registry.registry import Registry
from gateway.settings.load import load_settings
from gateway.settings.settings import Settings
from gateway.statedir import Mark, StateDir
from sekisho.homes import unusable
from simulators.families import families
from simulators.town import town
from tests.fakes.clock import ManualClock
from tests.fakes.front_door import Sekisho
from tests.fakes.loop import in_virtual_time
from tests.fakes.readings import HOME, NOON
from tests.fakes.zones import zoned

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
    """Decisions 11, and who lives in no zone is named, since a name is no place: its device is shown with it, and the doctor finds it."""
    outside = "h-far,36.6,137.1\n"
    homes = household_lines(20) + outside
    answer = sekisho("devices", "import-homes", "-", "--config", str(settings.file), stdin=homes)

    assert answer.code == 0, answer.err
    assert "1 household lives in no zone of fictional" in answer.err
    assert "(no zone known): h-far." in answer.err
    where = ("--config", str(settings.file))
    sekisho("devices", "add", "far-1", "--kind", "child_tracker", "--household", "h-far", *where)
    sekisho("devices", "consent", "far-1", "--by", "Sato", "--text", "sheet", *where)
    assert "lives in no zone" in sekisho("devices", "list", *where).out
    assert (
        json.loads(sekisho("devices", "show", "far-1", "--json", *where).out)["missing"] == "zone"
    )
    assert "that it lies in no zone, alone" in sekisho("privacy", "access", "h-far", *where).out
    state = StateDir.open(settings.state)
    assert settings.keys is not None
    keys = KeyRing.open(settings.keys, state.id, SystemClock(), settings.zone)
    with Registry.open(state, keys) as registry:
        why = unusable(registry.families.homes()["h-far"], settings.policy)
        assert why == "its household lives in no zone of the rules in force"
        assert registry.families.forget_homes(lambda _lat, _lon: None, "0" * 64, 0) == 0


def test_an_import_under_zones_turns_nobody_elses_home_into_a_zone(
    settings: Settings, sekisho: Sekisho
) -> None:
    """A configuration that is only tried, or another city's partition: exact homes of families that are not in the file
    stay as they are. What the rules in force need, the gateway does when it starts."""
    state = StateDir.open(settings.state)
    assert settings.keys is not None
    keys = KeyRing.open(settings.keys, state.id, SystemClock(), settings.zone)
    with Registry.open(state, keys) as registry:
        for name in ("h-0", "h-elsewhere"):
            registry.put_home(name, 36.712345, 137.212345)
    answer = sekisho(
        "devices", "import-homes", "-", "--config", str(settings.file), stdin=household_lines(1)
    )
    assert answer.code == 0, answer.err
    with Registry.open(state, keys) as registry:
        other = registry.families.held("h-elsewhere").home
        assert other is not None
        assert other.home is not None
        ours = registry.families.held("h-0").home
        assert ours is not None
        assert ours.home is None


def test_a_radius_of_ones_own_is_refused(settings: Settings, sekisho: Sekisho) -> None:
    """It would break non-interference: the sentence says so, and nothing is imported."""
    homes = "household,lat,lon,radius_m\nh-1,36.741,137.21,120\n"
    answer = sekisho("devices", "import-homes", "-", "--config", str(settings.file), stdin=homes)

    assert answer.code == 2
    assert "two homes of one zone must give the same output" in answer.err


@pytest.mark.channel("C3", "C30")
def test_a_directory_remembers_the_zones_of_an_epoch(settings: Settings, sekisho: Sekisho) -> None:
    """Another partition in the same epoch is refused at a start and by `check`, whatever its name and whoever changed the
    rules; the next epoch may have it, and the old one has its own again."""
    policy = settings.policy
    assert (policy.epoch, policy.zoned is not None) == ("school-2026", True)
    state = StateDir.open(settings.state)
    assert settings.keys is not None
    keys = KeyRing.open(settings.keys, state.id, SystemClock(), settings.zone)
    shipped = Path(settings.file).read_text()
    mine = settings.file.with_name("mine")
    shutil.copytree(SHIPPED, mine)
    pin = of_another_build(mine / "partitions" / "fictional-250m-k100.yaml")
    rules = mine / "toyama-zone.yaml"
    assert policy.zoned is not None
    rules.write_text(rules.read_text().replace(policy.zoned.pin, pin))
    settings.file.write_text(shipped.replace(str(SHIPPED), str(mine)))
    rebuilt = load_settings(settings.file).policy

    with Registry.open(state, keys) as registry:
        assert sekisho("check", str(settings.file)).code == 0  # nothing was ever frozen here
        under_rules(policy, registry, 0)
        before = registry.ruleset_of(2)
        with pytest.raises(
            Refusal, match=r"epoch school-2026 stand on fictional-250m-k100 \(7f0acd"
        ) as refused:
            under_rules(rebuilt, registry, 1)
        assert (refused.value.exit_code, registry.ruleset_of(2)) == (2, before)
        answer = sekisho("check", str(settings.file))
        assert answer.code == 2
        assert re.search(
            r"gateway.yaml:7:\d+ privacy: Zones of epoch .* begin another epoch", answer.err
        )

        rules.write_text(rules.read_text().replace("school-2026", "school-2027"))
        assert sekisho("check", str(settings.file)).code == 0
        under_rules(load_settings(settings.file).policy, registry, 2)
        under_rules(policy, registry, 3)

    state.registry_db.write_bytes(b"no registry")
    answer = sekisho("check", str(settings.file))
    assert (answer.code, "could not be read, so whether its zones" in answer.out) == (0, True)


def of_another_build(partition: Path) -> str:
    """Write the file of a partition with another source; returns its pin."""
    body = partition.read_bytes().rpartition(b"sha256: ")[0] + b"# built anew\n"
    pin = sha256(body).hexdigest()
    partition.write_bytes(body + f'sha256: "{pin}"\n'.encode())
    return pin


@in_virtual_time
async def test_homes_in_a_journal_that_is_read_go_at_the_next_round(tmp_path: Path) -> None:
    """Exact homes become zones at a start, while another program reads: what lies in the journal is told of as
    long as it lies there, and is gone with the round after that program has ended."""
    clock = ManualClock(NOON)
    state = StateDir.create(tmp_path / "state", None, clock)
    keys = KeyRing.create(tmp_path / "keys", state.id, clock, UTC)
    with (
        Registry.open(state, keys) as registry,
        closing(sqlite3.connect(state.registry_db)) as reader,
    ):
        registry.put_home("h-1", *HOME)
        (exact,) = reader.execute("SELECT sealed FROM homes").fetchone()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM homes").fetchone()

        def lies_there() -> bool:
            return any(exact in path.read_bytes() for path in state.path.glob("registry.db*"))

        checkpoint = Checkpoint(state, keys, registry, zoned(), clock, Tempo())
        told: list[object] = []
        watch = ClockWatch(clock.now(), clock.monotonic(), None)
        keeper = Timekeeper(watch, lambda: True, state)
        keeping = asyncio.create_task(keep_house(checkpoint, told.append, keeper))
        await asyncio.sleep(1)
        assert lies_there()
        assert checkpoint.facts.counts["homes forgotten"] == 1
        assert "homes in journal" in checkpoint.facts.standing

        reader.execute("ROLLBACK")
        clock.advance(ROUND / SECOND)
        await asyncio.sleep(1)
        keeping.cancel()
        assert not lies_there()
        assert "homes in journal" not in checkpoint.facts.standing
        await checkpoint.store.close()
