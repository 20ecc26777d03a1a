"""The registry keeps what commands say, seals what is a family's, and tells the gateway at once."""

import hmac
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.privacy.web_push import Subscription
from gateway.registry import tokens
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from tests.fakes.clock import ManualClock

T = 1_778_000_000_000_000
CLOCK = ManualClock(T)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir.create(tmp_path / "state", Mark.SIM, CLOCK)


@pytest.fixture
def keys(tmp_path: Path, state: StateDir) -> KeyRing:
    return KeyRing.create(tmp_path / "keys", state.id, CLOCK, ZoneInfo("Asia/Tokyo"))


@pytest.fixture
def registry(state: StateDir, keys: KeyRing) -> Iterator[Registry]:
    with Registry.open(state, keys) as opened:
        opened.put_device("river-1", "river_gauge", "16201", T, attributes={"datum_m": 4.2})
        yield opened


def child(registry: Registry, name: str = "child-1") -> None:
    registry.put_device(name, "child_tracker", "16201", T, "h-0001")


def everything_on_disk(state: StateDir) -> bytes:
    return b"".join(path.read_bytes() for path in state.path.rglob("*") if path.is_file())


def test_a_guardians_device_is_there_once(registry: Registry) -> None:
    """The same push subscription a second time is refused with its number; another family's own is another."""
    phone = Subscription("https://push.example/abc", bytes(65), bytes(16))
    number = registry.families.add_guardian("h-1", "a telephone", phone, T)
    again = phone._replace(auth=b"sixteen octets..")
    with pytest.raises(Refusal, match=f"sekisho guardian remove h-1 {number}"):
        registry.families.add_guardian("h-1", "another name", again, T)
    registry.families.add_guardian("h-2", "a telephone", phone, T)

    assert [len(registry.families.guardians(family)) for family in ("h-1", "h-2")] == [1, 1]
    registry.families.remove_guardian("h-1", number)
    registry.families.add_guardian("h-1", "another name", again, T)


def test_what_is_put_is_in_the_directory(registry: Registry) -> None:
    """A device and its credential reach the hot path as they were registered."""
    token = registry.put_credential("pilot", ["river-1"])

    directory = registry.directory()

    device = directory.devices[DeviceId("river-1")]
    assert (device.kind, device.owner, device.attributes) == (
        "river_gauge",
        "16201",
        {"datum_m": 4.2},
    )
    assert directory.credentials["pilot"].devices == {"river-1"}
    assert len(token) == 32


def test_only_a_keyed_hash_of_a_token_is_kept(
    registry: Registry, keys: KeyRing, state: StateDir
) -> None:
    """The token is on disk neither in clear nor as its bare hash, and still it is recognised."""
    token = registry.put_credential("pilot", ["river-1"])
    hashed = tokens.digest(keys.token_key(), token)

    disk = everything_on_disk(state)

    assert token.encode() not in disk
    assert bytes.fromhex(token) not in disk
    assert hashed not in disk
    assert hmac.compare_digest(registry.directory().credentials["pilot"].digest, hashed)


def test_another_process_is_noticed(registry: Registry, state: StateDir, keys: KeyRing) -> None:
    """A change through another connection shows in `changed()` until the directory is read anew."""
    registry.directory()
    assert not registry.changed()
    with Registry.open(state, keys) as other:
        registry.directory()
        other.put_device("river-2", "river_gauge", "16201", T)

    assert registry.changed()
    assert "river-2" in registry.directory().devices
    assert not registry.changed()


def test_own_changes_are_noticed_too(registry: Registry) -> None:
    """A change through this connection shows as well, and versions differ."""
    before = registry.directory()
    registry.revoke("river-1", T + 1)

    assert registry.changed()
    after = registry.directory()
    assert after.devices[DeviceId("river-1")].revoked
    assert after.version != before.version


def test_a_revocation_can_be_undone_and_a_correction_is_none(registry: Registry) -> None:
    """Whoever puts a name right does not let a device in again; only `restore` does, and says so."""
    assert not registry.restore("river-1", T)
    registry.revoke("river-1", T + 1)
    registry.put_device("river-1", "river_gauge", "16201", T, name="a name", changed_at=T + 2)
    assert registry.directory().devices[DeviceId("river-1")].revoked

    assert registry.restore("river-1", T + 3)
    assert not registry.directory().devices[DeviceId("river-1")].revoked
    assert registry.device("river-1").name == "a name"


def test_a_revoked_credential_is_nobody_until_it_has_a_new_token(registry: Registry) -> None:
    """Neither its token nor a certificate of its name opens anything, whatever is said of its devices;
    a new token does."""
    registry.put_credential("pilot", ["river-1"], at=T)
    registry.put_speakers("by-certificate", ["river-1"], at=T)
    assert registry.tokenless() == {"by-certificate"}
    for name in ("pilot", "by-certificate"):
        registry.revoke_credential(name, T + 1)
        registry.put_speakers(name, ["river-1"], at=T + 2, source="file")
        assert name not in registry.directory().credentials
    assert registry.tokenless() == set()

    registry.renew_token("pilot", T + 3)
    assert registry.directory().credentials["pilot"].devices == {"river-1"}
    with pytest.raises(Refusal, match="Did you mean pilot"):
        registry.revoke_credential("pilto", T)


def test_a_failed_change_changes_nothing(registry: Registry) -> None:
    """Inside one `change` block all or nothing becomes true."""

    def two() -> None:
        with registry.change():
            registry.put_device("river-2", "river_gauge", "16201", T)
            registry.put_device("river-3", "no_such_kind", "16201", T)

    with pytest.raises(Refusal):
        two()
    assert [row.device for row in registry.devices()] == ["river-1"]


def test_a_held_registry_is_a_sentence(registry: Registry, state: StateDir, keys: KeyRing) -> None:
    """While another process changes the registry for long, a change is refused, not a crash."""
    with Registry.open(state, keys) as other:
        other._db.execute("PRAGMA busy_timeout = 0")
        with registry.change(), pytest.raises(Refusal, match="try again"):
            other.revoke("river-1", T)

    assert registry.device("river-1").revoked_at is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("River 1", "river_gauge"), "cannot name a device"),
        (("river-2", "river_guage"), "Did you mean river_gauge?"),
        (("river-2", "river_gauge", {"datun_m": 1.0}), "Did you mean datum_m?"),
        (("river-2", "river_gauge", {"datum_m": "high"}), "a number is needed"),
        (("river-2", "river_gauge", {"datum_m": float("nan")}), "a number is needed"),
        (("river-2", "river_gauge", {"datum_m": float("inf")}), "a number is needed"),
        (("river-2", "river_gauge", {"datum_m": 10**400}), "a number is needed"),
        (("river-2", "river_gauge", {"river": 3.0}), "a text is needed"),
    ],
)
def test_mistakes_are_refused_with_the_nearest_word(
    registry: Registry, arguments: tuple[str, ...], sentence: str
) -> None:
    """A wrong name, kind or attribute is refused by a sentence that helps."""
    device, kind, *rest = arguments
    attributes = rest[0] if rest else {}

    with pytest.raises(Refusal, match=sentence.replace("?", r"\?")):
        registry.put_device(device, kind, "16201", T, attributes=attributes)  # type: ignore[arg-type]


def test_a_thing_of_the_city_has_no_household(registry: Registry) -> None:
    """A river gauge in a household would be a mistake with consequences: refused."""
    with pytest.raises(Refusal, match="belongs to no household"):
        registry.put_device("river-2", "river_gauge", "16201", T, "h-1")


def test_credentials_speak_for_known_devices_only(registry: Registry) -> None:
    """A credential for a misspelt device is refused with the nearest one."""
    with pytest.raises(Refusal, match="Did you mean river-1"):
        registry.put_credential("pilot", ["river-l"])
    with pytest.raises(Refusal, match="No credential named"):
        registry.allow("pilot", "river-1", T)


def test_a_new_token_replaces_the_old_one(registry: Registry) -> None:
    """Rotating keeps the devices and changes the hash; changing devices keeps the hash."""
    registry.put_credential("pilot", ["river-1"])
    first = registry.directory().credentials["pilot"]
    registry.put_device("river-2", "river_gauge", "16201", T)
    registry.allow("pilot", "river-2", T)
    wider = registry.directory().credentials["pilot"]
    registry.put_credential("pilot", ["river-1"])
    second = registry.directory().credentials["pilot"]

    assert wider.digest == first.digest != second.digest
    assert sorted(wider.devices) == ["river-1", "river-2"]
    assert sorted(second.devices) == ["river-1"]


def test_renewing_a_token_changes_nothing_else(registry: Registry) -> None:
    """A simulated fleet stays one, with its devices, when its token or its devices change."""
    registry.put_credential("fleet", ["river-1"], origin="simulated")
    before = registry.directory().credentials["fleet"]

    registry.renew_token("fleet", T)
    registry.put_speakers("fleet", [], at=T)

    after = registry.directory().credentials["fleet"]
    assert after.digest != before.digest
    assert (after.origin, sorted(after.devices)) == ("simulated", [])
    with pytest.raises(Refusal, match="Did you mean fleet"):
        registry.renew_token("fleets", T)


def test_simulated_fleets_enter_marked_directories_only(tmp_path: Path) -> None:
    """Origin "simulated" is refused outside SIM."""
    state = StateDir.create(tmp_path / "real", None, CLOCK)
    keys = KeyRing.create(tmp_path / "keys2", state.id, CLOCK, ZoneInfo("Asia/Tokyo"))
    with Registry.open(state, keys) as registry:
        registry.put_device("river-1", "river_gauge", "16201", T)

        with pytest.raises(Refusal, match="not marked SIM"):
            registry.put_credential("fleet", ["river-1"], origin="simulated")


def test_homes_reach_memory_but_not_the_disk(registry: Registry, state: StateDir) -> None:
    """A home is in the directory exactly, and in no file in any readable form."""
    child(registry)
    registry.put_home("h-0001", 36.6953, 137.2137, 80.0)

    household = registry.directory().devices[DeviceId("child-1")].household

    assert household is not None
    assert household.home is not None
    assert (household.home.lat, household.home.lon, household.radius_m) == (36.6953, 137.2137, 80.0)
    assert household.crs == "EPSG:4326"
    disk = everything_on_disk(state)
    assert b"36.69" not in disk
    assert b"137.21" not in disk


def test_under_zone_rules_a_home_is_its_zone(registry: Registry, state: StateDir) -> None:
    """Decisions 11: only the zone stays. What lies on disk is of one size, and no key opens the old home any more."""
    child(registry)
    registry.put_home("h-0001", 36.6953, 137.2137)
    (before,) = _sealed_homes(state)

    assert registry.families.forget_homes(lambda _lat, _lon: "z-0007", "7" * 64, T) == 1
    assert registry.families.settle()

    household = registry.directory().devices[DeviceId("child-1")].household
    assert household is not None
    assert (household.home, household.zone, household.partition) == (None, "z-0007", "7" * 64)
    (after,) = _sealed_homes(state)
    assert len(before) == len(after)
    assert before not in everything_on_disk(state)
    assert registry.families.forget_homes(lambda _lat, _lon: "z-0007", "7" * 64, T) == 0


def test_a_home_outside_all_zones_is_none(registry: Registry) -> None:
    """Nothing is kept of it, and of the children there nothing either."""
    child(registry)
    registry.put_zone("h-0001", "", "7" * 64)

    household = registry.directory().devices[DeviceId("child-1")].household

    assert household is not None
    assert (household.home, household.zone) == (None, "")


def _sealed_homes(state: StateDir) -> list[bytes]:
    with closing(sqlite3.connect(state.registry_db)) as db:
        return [bytes(sealed) for (sealed,) in db.execute("SELECT sealed FROM homes")]


def test_no_home_means_none(registry: Registry) -> None:
    """A household whose home was not imported is there without a home: the mask fails closed."""
    child(registry)

    household = registry.directory().devices[DeviceId("child-1")].household

    assert household is not None
    assert household.home is None


def test_a_lost_household_key_closes(registry: Registry, keys: KeyRing) -> None:
    """Without its key a household has neither home nor consent."""
    child(registry)
    registry.put_home("h-0001", 36.6953, 137.2137)
    registry.record_consent("child-1", "store", "guardian", "v1", T)
    assert registry.directory().devices[DeviceId("child-1")].consents == {"store"}
    (keys.path / "households" / "h-0001.key").unlink()

    device = registry.directory().devices[DeviceId("child-1")]

    assert device.household is not None
    assert device.household.home is None
    assert not device.consents


def test_consent_stands_until_withdrawn(registry: Registry, state: StateDir) -> None:
    """Each purpose is agreed to and withdrawn on its own; names are sealed."""
    child(registry)
    registry.record_consent("child-1", "research", "Yamada Hanako", "v1", T)
    assert registry.consents() == {"child-1": {"research"}}
    registry.record_consent("child-1", "store", "Yamada Hanako", "leaflet of 2026", T)
    assert registry.consents() == {"child-1": {"research", "store"}}

    assert registry.withdraw_consent("child-1", "store", T + 1) == 1

    assert registry.consents() == {"child-1": {"research"}}
    assert registry.directory().devices[DeviceId("child-1")].consents == {"research"}
    assert b"Yamada" not in everything_on_disk(state)


def test_consent_does_not_follow_to_another_household(registry: Registry) -> None:
    """A device that is lent on starts without consent."""
    child(registry)
    registry.record_consent("child-1", "store", "guardian", "v1", T)
    registry.put_device("child-1", "child_tracker", "16201", T, "h-0002")

    assert not registry.directory().devices[DeviceId("child-1")].consents
    assert registry.consents() == {}


def test_nobody_consents_for_a_river(registry: Registry) -> None:
    """A device without household cannot be consented for."""
    with pytest.raises(Refusal, match="no household"):
        registry.record_consent("river-1", "store", "mayor", "v1", T)


def test_rule_sets_open_generations(registry: Registry) -> None:
    """The first rules hold since ever, others from the moment they came, going back included."""
    assert registry.ruleset("a", T) == (1, 0)
    assert registry.ruleset("a", T + 5) == (1, 0)
    assert registry.ruleset("b", T + 9) == (2, T + 9)
    assert registry.ruleset("b", T + 10) == (2, T + 9)
    assert registry.ruleset("a", T + 11) == (3, T + 11)


def test_the_file_is_the_owners(registry: Registry, state: StateDir) -> None:
    """registry.db and its companions are 0600."""
    registry.put_credential("pilot", ["river-1"])
    files = list(state.path.glob("registry.db*"))

    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_newer_registry_is_left_alone(registry: Registry, state: StateDir, keys: KeyRing) -> None:
    """A file made by a newer version is refused, as is what is no database."""
    registry._db.execute("PRAGMA user_version = 999")
    with pytest.raises(Refusal, match="newer Sekisho"):
        Registry.open(state, keys)
    registry.close()
    for path in state.path.glob("registry.db*"):
        path.unlink()
    state.registry_db.write_bytes(b"not a database, but long enough to look at" * 10)

    with pytest.raises(Refusal, match="not a usable registry"):
        Registry.open(state, keys)


def test_putting_again_keeps_who_may_speak(registry: Registry) -> None:
    """Changing a device's facts does not silence it."""
    registry.put_credential("pilot", ["river-1"])
    registry.put_device("river-1", "river_gauge", "16201", T, name="Kamidaki")

    assert registry.credentials() == {"pilot": frozenset({"river-1"})}
    registry.drop_device("river-1")
    assert registry.credentials() == {"pilot": frozenset()}
