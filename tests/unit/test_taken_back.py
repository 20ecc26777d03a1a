"""What was taken back stays so in a registry that is put back from a backup, as far as the keys know of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.keys import exports, taken_back
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.registry.radio_rows import Secrets
from gateway.registry.registry import Registry
from gateway.stores import backup
from tests.fakes.backed_up import NEW, OLD, Town
from tests.fakes.front_door import Sekisho
from tests.fakes.readings import NOON

WORDS = "a town by the sea"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_a_withdrawn_consent_stays_withdrawn(town: Town) -> None:
    """At once also means: still after a restore. The other purpose, and the other child's consent, stand."""
    with town.registry() as registry:
        registry.withdraw_consent("child-1", "store", NOON + 5)
    with town.restore() as registry:
        assert registry.consents() == {
            "child-1": {"guardian_live"}, "child-2": {"store", "guardian_live"},
        }  # fmt: skip
        said = registry.families.held("h-1").consents
        assert [one.withdrawn_at for one in said if one.purpose == "store"] == [NOON + 5]
        registry.record_consent("child-1", "store", "Yamada", "sheet 2", NOON + 9)
    with town.registry() as registry:
        assert registry.consents()["child-1"] == {"store", "guardian_live"}


def test_a_guardians_device_that_was_removed_is_told_nothing(town: Town) -> None:
    with town.registry() as registry:
        (one,) = registry.families.guardians("h-1")
        registry.families.remove_guardian("h-1", one.number)
    with town.restore() as registry:
        assert registry.families.guardians("h-1") == []
        assert len(registry.families.guardians("h-2")) == 1


def test_of_a_family_that_moved_no_home_is_known_and_the_old_one_hides(town: Town) -> None:
    """Neither the new home open nor the old one: nothing is kept before somebody imports where the family lives."""
    with town.registry() as registry:
        assert registry.put_home("h-1", *NEW, at=NOON + 5)
    with town.restore() as registry:
        assert set(registry.families.homes()) == {"h-2"}
        held = registry.families.held("h-1")
        assert held.home is None
        assert [one.left_at for one in held.former] == [NOON + 5]
        registry.put_home("h-1", *NEW, at=NOON + 9)
        device = registry.directory().devices[DeviceId("child-1")]
        assert device.household is not None
        assert [place.home is not None for place in (device.household, *device.household.former)] == [
            True, True,
        ]  # fmt: skip
    with town.registry() as registry:
        assert set(registry.families.homes()) == {"h-1", "h-2"}


def test_a_token_that_was_replaced_opens_nothing(town: Town) -> None:
    with town.registry() as registry:
        registry.renew_token("child-1", NOON + 5)
        registry.revoke_credential("child-2", NOON + 5)
    with town.restore() as registry:
        known = registry.directory().credentials
        assert set(known) == {"shared"}
        registry.renew_token("child-1", NOON + 9)
    with town.registry() as registry:
        assert set(registry.directory().credentials) == {"shared", "child-1"}


def test_rights_that_were_taken_stay_taken(town: Town) -> None:
    """A revoked device, one that was given to another family, one that was dropped, a credential that spoke for more."""
    with town.registry() as registry, registry.change():
        registry.revoke("river-1", NOON + 5)
        registry.put_device("child-1", "child_tracker", "16201", NOON, "h-9", changed_at=NOON + 5)
        registry.put_speakers("shared", ["river-1"], at=NOON + 5)
        registry.drop_device("child-2")
    with town.restore() as registry:
        devices = registry.directory().devices
        assert set(devices) == {"child-1", "river-1"}
        assert devices[DeviceId("river-1")].revoked
        assert registry.device("child-1").household is None
        assert registry.device("child-1").source == "command"
        assert registry.device("child-1").name is None, "that of the other family's child"
        assert registry.directory().credentials["shared"].devices == {"river-1"}


def test_radio_keys_that_were_replaced_believe_nobody(town: Town) -> None:
    """Whoever has the old ones speaks for nobody; those that are what they were stay, and new ones are taken as ever."""
    own, other = Secrets(app_key=b"a device's keys."), Secrets(app_key=b"and another one.")
    with town.registry() as registry:
        for n in (1, 2):
            facts = {"dev_eui": f"0004a30b001a2b3{n}"}
            registry.put_device(f"node-{n}", "river_gauge", "16201", NOON, attributes=facts)
            registry.radio.put(f"node-{n}", own, NOON)
    copy = town.backup("with keys")
    with town.registry() as registry:
        registry.radio.put("node-1", other, NOON + 5)
        registry.radio.put("node-2", own, NOON + 5)
        assert len(registry.radio.read().roots) == 2
    with town.restore(copy) as registry:
        assert [root.device for root in registry.radio.read().roots.values()] == ["node-2"]
        registry.radio.put("node-1", other, NOON + 9)
    with town.registry() as registry:
        assert len(registry.radio.read().roots) == 2


def test_an_erased_household_is_forgotten_again(town: Town) -> None:
    """Its devices' names and homes do not come back with the registry of before; the other family is as it was."""
    with town.registry() as registry:
        registry.families.erase("h-1", NOON + 5)
    town.keys.households.destroy("h-1")
    with town.restore() as registry:
        assert not any(registry.families.traces("h-1"))
        assert registry.device("child-1").revoked_at is not None
        assert registry.device("child-1").name is None
        assert all(registry.families.traces("h-2")[i] for i in (0, 2, 3, 4))
        assert registry.device("child-2").name == "Haruki"
        registry.families.settle()
    there = [path for path in town.state.path.rglob("*") if path.is_file()]
    assert not any(b"Aoi" in path.read_bytes() for path in there)


def test_a_name_that_was_handed_on_goes_with_the_family_that_gave_it(town: Town) -> None:
    """A child's device went to another family, which was not erased; the first one was: its child's name comes back nowhere."""
    with town.registry() as registry:
        registry.put_device(
            "child-1", "child_tracker", "16201", NOON, "h-2", name="Sora", changed_at=NOON + 5
        )
        registry.families.erase("h-1", NOON + 6)
    with town.restore() as registry:
        assert registry.device("child-1").name is None
        assert registry.device("child-1").household is None


def test_what_was_taken_back_before_a_backup_and_given_again_stands_in_it(town: Town) -> None:
    """Each registry knows up to where it knows: a backup of after is not closed again by what it holds already."""
    with town.registry() as registry:
        registry.withdraw_consent("child-1", "store", NOON + 5)
        registry.record_consent("child-1", "store", "Yamada", "sheet 2", NOON + 6)
        registry.put_home("h-1", *NEW, at=NOON + 5)
        registry.renew_token("child-1", NOON + 5)
    with town.restore(town.backup("after")) as registry:
        assert registry.consents()["child-1"] == {"store", "guardian_live"}
        assert set(registry.families.homes()) == {"h-1", "h-2"}
        assert "child-1" in registry.directory().credentials
        assert not registry.taken_back.done


def test_changes_that_take_nothing_back_are_not_written_down(town: Town) -> None:
    """Nor is what a change that failed would have taken back."""
    with town.registry() as registry:
        registry.put_speakers("shared", ["child-1", "river-1", "child-2"], at=NOON)
        registry.put_device("child-1", "child_tracker", "16201", NOON, "h-1", name="Aoi")
        registry.put_home("h-1", *OLD, at=NOON + 3)

        def withdraw_and_fail() -> None:
            with registry.change():
                registry.withdraw_consent("child-1", "store", NOON)
                registry.device("child-7")

        with pytest.raises(Refusal, match="child-7"):
            withdraw_and_fail()
        assert registry.consents()["child-1"] == {"store", "guardian_live"}
    assert not taken_back.content(town.keys.path)


def test_an_export_brings_along_what_was_taken_back(town: Town) -> None:
    """To another machine; a ring that knows more keeps what it knows."""
    with town.registry() as registry:
        registry.withdraw_consent("child-1", "store", NOON)
    _number, text = exports.Exports(town.keys.path).make(town.state.id, WORDS, NOON)
    _head, held = exports.read(text, WORDS)
    other = town.folder / "other" / town.state.id
    exports.put(other, held)
    assert taken_back.content(other) == taken_back.content(town.keys.path)
    with town.registry() as registry:
        registry.withdraw_consent("child-2", "store", NOON)
    exports.put(town.keys.path, held)
    assert len(town.keys.taken_back.after(0)) == 2


def test_status_says_when_the_last_export_lacks_what_was_taken_back(
    town: Town, sekisho: Sekisho
) -> None:
    """A restore on another machine knows of no more than the export does."""

    def since() -> int:
        words = ("keys", "status", "--json", "--state", str(town.state.path))
        return int(json.loads(sekisho(*words).out)["taken_back_since"])

    def export() -> None:
        exports.Exports(town.keys.path).make(town.state.id, WORDS, NOON)

    export()
    assert since() == 0
    with town.registry() as registry:
        registry.withdraw_consent("child-1", "store", NOON)
        registry.revoke("river-1", NOON)
    assert since() == 2
    assert "2  since the last" in sekisho("keys", "status", "--state", str(town.state.path)).out
    export()
    assert since() == 0


def test_a_copy_beside_the_directory_follows_it(town: Town) -> None:
    """Both have the same keys: what is taken back in either is so in the other from its next opening on."""
    copy = backup.restore(town.copy, town.folder / "beside")
    with town.registry() as registry:
        registry.withdraw_consent("child-1", "store", NOON)
    with Registry.open(copy, town.keys) as other:
        assert other.consents()["child-1"] == {"guardian_live"}
        other.withdraw_consent("child-2", "store", NOON)
    with town.registry() as registry:
        assert registry.consents()["child-2"] == {"guardian_live"}


def test_restore_says_what_it_took_back_again(tmp_path: Path, sekisho: Sekisho) -> None:
    """By the commands: withdrawn, removed, moved; counted in words and in JSON."""
    town = Town(tmp_path)
    where = ("--state", str(town.state.path))
    assert sekisho("devices", "withdraw", "child-1", *where).code == 0
    assert sekisho("devices", "revoke", "river-1", *where).code == 0
    words = ("restore", str(town.copy), "--keys", str(tmp_path / "keys"))
    answer = sekisho(*words, "--state", str(tmp_path / "a"))
    assert answer.code == 0, answer.err
    assert (
        "since this registry was saved, and so again now: consents withdrawn: 1; devices revoked: 1."
        in answer.out
    )
    again = sekisho(*words, "--state", str(tmp_path / "b"), "--json")
    assert '"taken_back_again": {' in again.out


TAKES: dict[str, Callable[[Registry], object]] = {
    "withdraw": lambda r: r.withdraw_consent("child-1", "store", NOON + 1),
    "withdraw live": lambda r: r.withdraw_consent("child-1", "guardian_live", NOON + 1),
    "remove": lambda r: r.families.remove_guardian("h-1", 1),
    "move": lambda r: r.put_home("h-1", *NEW, at=NOON + 1),
    "renew": lambda r: r.renew_token("child-1", NOON + 1),
    "revoke": lambda r: r.revoke("child-1", NOON + 1),
    "erase": lambda r: r.families.erase("h-2", NOON + 1),
}


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    before=st.lists(st.sampled_from(sorted(TAKES))), after=st.lists(st.sampled_from(sorted(TAKES)))
)
def test_no_restore_opens_what_was_closed(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    """Law: whatever was taken back, before and after a backup: nothing more is open once it is restored."""
    town = Town(tmp_path_factory.mktemp("town"))
    with town.registry() as registry:
        for step in before:
            TAKES[step](registry)
    copy = town.backup("middle")
    with town.registry() as registry:
        for step in after:
            TAKES[step](registry)
        now = _open(registry)
    with town.restore(copy) as registry:
        assert _open(registry) <= now


def _open(registry: Registry) -> set[str]:
    """What is open: consents, guardians' devices, who may speak as whom; and homes that are known as today's."""
    directory = registry.directory()
    devices = {name: one for name, one in directory.devices.items() if not one.revoked}
    return {
        *(f"{name} {purpose}" for name, one in devices.items() for purpose in one.consents),
        *(
            f"{f} told {one.number}"
            for f in ("h-1", "h-2")
            for one in registry.families.guardians(f)
        ),
        *(
            f"{name} lives at {one.household.home!r} {one.household.home and one.household.home.lat}"
            for name, one in devices.items()
            if one.household is not None and one.household.home is not None
        ),
        *(f"{name} opens {one.digest.hex()}" for name, one in directory.credentials.items()),
    }
