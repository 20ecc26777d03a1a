"""LoRaWAN keys on their way in: tables, ChirpStack's and The Things Stack's exports; nothing is ever repeated."""

import json
from pathlib import Path

import pytest

from gateway.model.errors import Refusal
from gateway.registry.radio_import import read_keys
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from tests.e2e.processes import sekisho
from tests.e2e.town import Town, member

EUI = Eui.of("0004a30b001a2b3c")
APP, NWK, OTHER = (bytes(range(n, n + 16)).hex() for n in (0, 16, 32))


def test_a_table_of_devices_that_join() -> None:
    text = (
        "dev_eui,version,join_eui,app_key,nwk_key\n"
        f"00-04-A3-0B-00-1A-2B-3C,1.0.3,0000000000000001,{APP},\n"
        f"0004a30b001a2b3d,1.1,,{APP},{NWK}\n"
        f"0004a30b001a2b3e,1.0.4,,{APP},\n"
    )
    first, second, third = read_keys(text).values()
    assert (first.app_key, first.nwk_key, first.counting) == (bytes.fromhex(APP), None, False)
    assert first.join_eui == Eui.of("0000000000000001")
    assert (second.nwk_key, second.join_eui, second.counting) == (bytes.fromhex(NWK), None, True)
    assert third.counting


def test_a_table_of_devices_that_never_join() -> None:
    text = f"dev_eui,dev_addr,nwk_s_key,app_s_key\n{EUI},01ABCDEF,{NWK},{APP}\n"
    (secrets,) = read_keys(text).values()
    assert secrets.dev_addr == DevAddr.of("01abcdef")
    assert secrets.keys == (*[bytes.fromhex(NWK)] * 3, bytes.fromhex(APP))


def test_chirpstack_keeps_the_key_of_a_1_0_device_under_another_name() -> None:
    """Its nwkKey is the AppKey; with an appKey beside it the device is one of 1.1."""
    old = {"devEui": str(EUI), "joinEui": "0" * 16, "nwkKey": APP, "appKey": "0" * 32}
    new = {"deviceKeys": {"devEui": "0004a30b001a2b3d", "nwkKey": NWK, "appKey": APP}}
    first, second = read_keys("\n".join(map(json.dumps, (old, new)))).values()
    assert (first.app_key, first.nwk_key) == (bytes.fromhex(APP), None)
    assert (second.app_key, second.nwk_key) == (bytes.fromhex(APP), bytes.fromhex(NWK))


def test_an_activation_of_chirpstack_is_a_session() -> None:
    said = {"devEui": str(EUI), "devAddr": "01abcdef", "appSKey": APP}
    said |= {"fNwkSIntKey": NWK, "sNwkSIntKey": OTHER, "nwkSEncKey": NWK}
    (secrets,) = read_keys(json.dumps(said)).values()
    assert secrets.keys == tuple(map(bytes.fromhex, (NWK, OTHER, NWK, APP)))


@pytest.mark.parametrize(
    ("version", "counting"),
    [("MAC_V1_0_2", False), ("MAC_V1_0_3", False), ("MAC_V1_0_4", True), ("MAC_V1_1", True)],
)
def test_the_things_stack_names_its_versions(version: str, counting: bool) -> None:
    roots = {"app_key": {"key": APP}} | ({"nwk_key": {"key": NWK}} if "1_1" in version else {})
    ids = {"device_id": "x", "dev_eui": str(EUI).upper(), "join_eui": "0" * 16}
    text = json.dumps(
        {"end_devices": [{"ids": ids, "lorawan_version": version, "root_keys": roots}]}
    )
    (secrets,) = read_keys(text).values()
    assert (secrets.app_key, secrets.counting) == (bytes.fromhex(APP), counting)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1"),
        ("dev_eui,colour\n", "there is no column colour"),
        ("deveui,app_key\n", "Did you mean dev_eui"),
        ("dev_eui;app_key\n", "separated by commas"),
        ("app_key\n", "dev_eui is missing"),
        (f"dev_eui,app_key\n{EUI}\n", "line 2: it has more or fewer cells"),
        (f"dev_eui,app_key\nxyz,{APP}\n", "line 2: dev_eui"),
        (f"dev_eui,app_key\n{EUI},{APP[:-2]}\n", "line 2: app_key"),
        (f"dev_eui,app_key\n{EUI},{APP}\n{EUI},{APP}\n", "line 3: its device stands here twice"),
        (f"dev_eui,version,app_key\n{EUI},1.1,{APP}\n", "line 2: nwk_key"),
        (f"dev_eui,version,app_key\n{EUI},2.0,{APP}\n", "line 2: version"),
        (f"dev_eui,nwk_s_key\n{EUI},{NWK}\n", "line 2: app_key is needed"),
        ("{", "neither JSON"),
        ('{"multicastGroup": {"mcAddr": "01020304"}}', "device 1: it is a multicast group"),
        ('{"mcAddr": "01020304", "mcNwkSKey": "00"}', "device 1: it is a multicast group"),
        ('{"ids": {"dev_eui": "0"}, "multicast": true}', "device 1: it is a multicast group"),
        ('{"devEui": 5}', "device 1: dev_eui"),
        ("[]", "There is no key"),
    ],
)
def test_what_is_wrong_is_named_and_never_repeated(text: str, why: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_keys(text)
    assert why in str(refusal.value)
    assert APP[:-2] not in str(refusal.value)


def test_the_verb_seals_keys_of_registered_devices(tmp_path: Path) -> None:
    """Others are refused with the line that registers them; a file that others may read, too."""
    town = Town(tmp_path / "town")
    file = tmp_path / "keys.csv"
    file.write_text(f"dev_eui,version,app_key\n{EUI},1.0.4,{APP}\n")
    words = ("devices", "import-keys", str(file), "--config", str(town.config))
    code, _, error = sekisho(tmp_path, *words)
    assert (code, "can be read by other users" in error) == (1, True)
    file.chmod(0o600)
    code, _, error = sekisho(tmp_path, *words)
    assert (code, f"dev_eui={EUI}" in error) == (1, True)
    town.enrol([member("node-1", "river_gauge", attributes={"dev_eui": str(EUI)})])
    code, out, _ = sekisho(tmp_path, *words)
    assert (code, "keys of 1 device" in out) == (0, True)
    with town.registry() as registry:
        registry.radio.joined("node-1", [1, 2], 2)
        (root,) = registry.radio.read().roots.values()
        assert (root.app_key.secret.hex(), root.nonces, root.join_nonce) == (APP, {1, 2}, 2)
    assert sekisho(tmp_path, *words)[0] == 0
    with town.registry() as registry:
        (root,) = registry.radio.read().roots.values()
        assert root.nonces == {1, 2}, "the same keys begin no new history"
    file.write_text(f"dev_eui,version,join_eui,app_key\n{EUI},1.0.3,0000000000000005,{APP}\n")
    assert sekisho(tmp_path, *words)[0] == 0
    with town.registry() as registry:
        (root,) = registry.radio.read().roots.values()
        assert (root.counting, root.join_eui) == (False, Eui.of("0000000000000005"))
        assert (root.nonces, root.join_nonce) == ({1, 2}, 2), "nor do another JoinEUI and version"
    file.write_text(f"dev_eui,version,app_key\n{EUI},1.0.3,{OTHER}\n")
    assert sekisho(tmp_path, *words)[0] == 0
    with town.registry() as registry:
        (root,) = registry.radio.read().roots.values()
        assert (root.nonces, root.join_nonce) == (set(), 2), (
            "another key does, and JoinNonces go on"
        )
        registry.radio.joined("node-1", [7], 1)
        assert registry.radio.read().roots[EUI].join_nonce == 2, "and never back"
    assert APP.encode() not in town.state.registry_db.read_bytes()
    assert bytes.fromhex(APP) not in town.state.registry_db.read_bytes()
