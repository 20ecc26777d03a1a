"""LoRaWAN keys on their way in: tables, ChirpStack's and The Things Stack's exports; nothing is ever repeated."""

import json
from pathlib import Path

import pytest

from gateway.lorawan.session import Counters
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


def activation(**more: object) -> str:
    keys = dict.fromkeys(("fNwkSIntKey", "sNwkSIntKey", "nwkSEncKey"), NWK)
    return json.dumps({"devEui": str(EUI), "devAddr": "01abcdef", "appSKey": APP} | keys | more)


def session(**last: object) -> str:
    """A device of The Things Stack that never joins."""
    names = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")
    keys = {name: {"key": NWK} for name in names}
    ids = {"device_id": "x", "dev_eui": str(EUI)}
    said = {"dev_addr": "01abcdef", "keys": keys, **last}
    return json.dumps({"ids": ids, "lorawan_version": "MAC_V1_0_3", "session": said})


def line(**cells: str) -> str:
    """A table of one device that never joins."""
    said = {"dev_eui": str(EUI), "dev_addr": "01abcdef", "nwk_s_key": NWK, "app_s_key": APP} | cells
    return ",".join(said) + "\n" + ",".join(said.values()) + "\n"


@pytest.mark.parametrize(
    ("text", "counters"),
    [
        (activation(fCntUp=70_011, nFCntDown=300, aFCntDown=0), Counters(70_010, 300)),
        (activation(fCntUp=5, nFCntDown=2, aFCntDown=9), Counters(4, 9)),
        (json.dumps({"deviceActivation": json.loads(activation(fCntUp=8))}), Counters(7, 0)),
        (activation(fCntUp=0, nFCntDown=0), None),
        (activation(fCntUp=0, nFCntDown=7), Counters(None)),
        (activation(), Counters(None)),
        (session(last_f_cnt_up=41, last_n_f_cnt_down=6, last_a_f_cnt_down=2), Counters(41, 7)),
        (session(last_f_cnt_up=41), Counters(41, 41 + 1024)),
        (session(last_n_f_cnt_down=6), Counters(None)),
        (line(f_cnt_up="41", f_cnt_down="7"), Counters(41, 7)),
        (line(f_cnt_up="41"), Counters(41, 41 + 1024)),
        (line(f_cnt_up="none"), None),
        (line(f_cnt_up=""), Counters(None)),
        (line(), Counters(None)),
    ],
)
def test_a_session_brings_its_counters_along_or_is_held(text: str, counters: Counters | None) -> None:  # fmt: skip
    """ChirpStack names the next ones, The Things Stack the last ones; who says nothing of them says not that there were none."""
    (secrets,) = read_keys(text).values()
    assert secrets.counters == counters


def test_the_joins_of_another_server_are_known_here_if_it_tells_them() -> None:
    """The Things Stack does; where nobody says which JoinNonce was the last one, that is unknown, and not 0."""
    ids = {"device_id": "x", "dev_eui": str(EUI)}
    said = {"ids": ids, "lorawan_version": "MAC_V1_0_3", "root_keys": {"app_key": {"key": APP}}}
    known = {"used_dev_nonces": [7, 60_000], "last_dev_nonce": 9, "last_join_nonce": 12}
    (told,) = read_keys(json.dumps(said | known)).values()
    assert (told.nonces, told.join_nonce) == (frozenset({7, 9, 60_000}), 12)
    (untold,) = read_keys(json.dumps(said)).values()
    assert (untold.nonces, untold.join_nonce) == (frozenset(), None)
    (line,) = read_keys(f"dev_eui,app_key,join_nonce,dev_nonces\n{EUI},{APP},5,7 8\n").values()
    assert (line.nonces, line.join_nonce) == (frozenset({7, 8}), 5)


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
        (line(f_cnt_up="-1"), "line 2: f_cnt_up"),
        (line(f_cnt_up="4294836225"), "line 2: f_cnt_up"),
        (line(f_cnt_up="none", f_cnt_down="1"), "line 2: f_cnt_down"),
        (activation(fCntUp=-7), "device 1: f_cnt_up"),
        (f"dev_eui,app_key,join_nonce\n{EUI},{APP},16777215\n", "line 2: join_nonce"),
        (f"dev_eui,app_key,dev_nonces\n{EUI},{APP},65536\n", "line 2: dev_nonces"),
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
    file.write_text(f"dev_eui,version,app_key,join_nonce\n{EUI},1.0.4,{APP},1\n")
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
    file.write_text(f"dev_eui,version,app_key,join_nonce\n{EUI},1.0.3,{OTHER},1\n")
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


def test_keys_of_a_device_whose_counters_nobody_says_hold_it(tmp_path: Path) -> None:
    """The verb says so, with the command that lets it go on; said later, in a second import, that does it too; a third one, of
    an old export, changes nothing."""
    town = Town(tmp_path / "town")
    town.enrol([member("node-1", "river_gauge", attributes={"dev_eui": str(EUI)})])
    file = tmp_path / "keys.json"
    file.touch(0o600)
    words = ("devices", "import-keys", str(file), "--config", str(town.config))
    file.write_text(activation())
    code, out, error = sekisho(tmp_path, *words)
    assert (code, "keys of 1 device" in out) == (0, True)
    assert "node-1" in error
    assert "sekisho lorawan resume DEVICE --up N" in error
    code, out, _ = sekisho(tmp_path, *words, "--json")
    assert json.loads(out) == {"imported": 1, "held": ["node-1"]}
    for up, down in ((70_011, 300), (12, 2)):
        file.write_text(activation(fCntUp=up, nFCntDown=down))
        code, out, error = sekisho(tmp_path, *words, "--json")
        assert (json.loads(out)["held"], error) == ([], "")
        with town.registry() as registry:
            (said,) = registry.radio.read().counters.values()
            assert (said.up, said.down) == (70_010, 300)


def test_joins_of_a_device_that_another_server_had_begin_above_all_of_its(tmp_path: Path) -> None:
    """From 1.0.4 on a device refuses a JoinNonce that is not above the last; one that nobody told lies below the minutes since 2025."""
    town = Town(tmp_path / "town")
    town.enrol([member("node-1", "river_gauge", attributes={"dev_eui": str(EUI)})])
    file = tmp_path / "keys.csv"
    file.touch(0o600)
    words = ("devices", "import-keys", str(file), "--config", str(town.config))
    file.write_text(f"dev_eui,version,app_key\n{EUI},1.0.4,{APP}\n")
    for _ in range(2):
        assert sekisho(tmp_path, *words)[0] == 0
        with town.registry() as registry:
            (root,) = registry.radio.read().roots.values()
            assert root.join_nonce > 365 * 24 * 60
            registry.radio.joined("node-1", [4], 3)
    file.write_text(f"dev_eui,version,app_key,dev_nonces\n{EUI},1.0.4,{APP},9\n")
    assert sekisho(tmp_path, *words)[0] == 0
    with town.registry() as registry:
        assert registry.radio.read().roots[EUI].nonces == {4, 9}
