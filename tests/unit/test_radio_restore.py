"""Counters that were lost with `sessions.db`: who is held, what is obeyed, and how far joins go ahead."""

from pathlib import Path

import pytest

from gateway.lorawan.joining import Root, joined
from gateway.lorawan.network import Network
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import RESERVED, Counters, Session
from gateway.lorawan.uplinks import Doubt, Uplink
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, MINUTE, parse_rfc3339
from gateway.registry.radio_rows import Secrets
from gateway.sessions.file import SessionFile
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.frames import JoinRequest, parse
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from gateway.wire.lorawan.join import SessionKeys
from tests.e2e.processes import sekisho
from tests.e2e.radio_town import radio_town
from tests.e2e.town import SINCE, Town, member
from tests.fakes.node import APP_KEY, DEV_EUI, Node
from tests.unit.test_lorawan_network import PLAN, judged

NOON = parse_rfc3339("2026-05-12T12:00:00Z")
OWN = Key(b"a session's key.")
KEYS = SessionKeys(OWN, OWN, OWN, OWN, is_1_1=False)
GAUGE = DeviceId("node-2")


def abp() -> tuple[Network, Session, Node]:
    """A device that never joins, at its beginning."""
    node = Node()
    node.addr, node.keys = DevAddr.of("01020304"), KEYS
    session = Session(GAUGE, DEV_EUI, node.addr, KEYS, abp=True)
    network = Network(PLAN)
    network.resume([session])
    return network, session, node


def town_with_abp(folder: Path) -> Town:
    town = radio_town(folder, "")
    euis = {"node-1": str(DEV_EUI), "node-2": "0004a30b001a2b3d"}
    town.enrol(
        [member(name, "river_gauge", attributes={"dev_eui": eui}) for name, eui in euis.items()]
    )
    with town.registry() as registry:
        own = OWN.secret
        secrets = Secrets(dev_addr=DevAddr.of("01020304"), keys=(own, own, own, own))
        registry.radio.put("node-2", secrets, SINCE)
    return town


def test_nothing_of_a_device_that_is_held_is_believed() -> None:
    network, session, node = abp()
    session.obey(Counters(None))
    for f_cnt in (0, 5, 70_000):
        found = judged(network, node.says(f_cnt))
        assert isinstance(found, Doubt)
        assert found.why is Refused.COUNTERS_UNKNOWN
    assert session.up is None


def test_it_goes_on_behind_what_was_said_over_the_sixteen_bits_too() -> None:
    network, session, node = abp()
    session.obey(Counters(None))
    session.obey(Counters(70_000, 900, NOON))
    assert isinstance(judged(network, node.says(69_999)), Doubt)
    assert isinstance(judged(network, node.says(70_001)), Uplink)
    assert (session.down, session.reserved) == (900, 900)


def test_what_was_said_is_obeyed_once() -> None:
    """Not again after it was written down, or a restart would let in what came since; a later word is."""
    _network, session, _node = abp()
    said = Counters(50, 900, NOON)
    session.obey(said)
    session.settle(60)
    again = Session.of(GAUGE, session.record())
    again.obey(said)
    assert again.up == 60
    again.obey(Counters(10, 20, NOON + 1))
    assert (again.up, again.down) == (10, 900), "no downlink counter is used again"


def test_downlinks_go_on_behind_what_was_reserved() -> None:
    _network, session, _node = abp()
    session.reserved = RESERVED
    session.obey(Counters(5, 3, NOON))
    assert session.down == RESERVED


def test_a_join_nonce_lies_above_every_one_that_may_have_been_used() -> None:
    request = parse(Node().request())
    assert isinstance(request, JoinRequest)
    root = Root(DeviceId("node-1"), DEV_EUI, None, APP_KEY, join_nonce=7, join_floor=5000)
    made = joined(root, request, PLAN, lambda: DevAddr(bytes(4)), 2)
    assert made.join_nonce == 5001


def test_the_registry_holds_whoever_never_joins_when_its_file_is_another_one(
    tmp_path: Path,
) -> None:
    """A device that joins is not held; joins go on above the minutes since 2025, and farther at the next loss; another
    network key begins other counters, another AppSKey does not."""
    town = town_with_abp(tmp_path / "town")
    with town.registry() as registry:
        assert registry.radio.file is None
        registry.radio.stand_in(b"first")
        assert registry.radio.held() == []
        registry.radio.lost(b"second", NOON)
        assert registry.radio.file == b"second"
        assert registry.radio.held() == ["node-2"]
        (root,) = registry.radio.read().roots.values()
        floor = root.join_floor
        assert floor == (NOON - parse_rfc3339("2025-01-01T00:00:00Z")) // MINUTE
        assert root.join_nonce == 0, "it is not said that it has joined"

        registry.radio.resume("node-2", 70_000, 900, NOON)
        assert registry.radio.held() == []
        assert registry.radio.read().counters == {GAUGE: Counters(70_000, 900, NOON)}
        with pytest.raises(Refusal, match="are known here"):
            registry.radio.resume("node-1", 0, 0, NOON)

        registry.radio.lost(b"third", NOON + DAY)
        assert registry.radio.held() == ["node-2"]
        (root,) = registry.radio.read().roots.values()
        assert root.join_floor == floor + 24 * 60
        own, other = OWN.secret, bytes(16)
        secrets = Secrets(dev_addr=DevAddr.of("01020304"), keys=(own, own, own, other))
        registry.radio.put("node-2", secrets, NOON)
        assert registry.radio.held() == ["node-2"], "captured frames have the same MIC"
        secrets = Secrets(dev_addr=DevAddr.of("01020304"), keys=(other, other, other, other))
        registry.radio.put("node-2", secrets, NOON)
        assert registry.radio.held() == []


@pytest.mark.parametrize("words", [("--up", "4294836225"), ("--up", "1", "--down", "4294967294")])
def test_a_counter_that_leaves_no_room_behind_it_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:  # fmt: skip
    """Within two rounds of the sixteen bits on the air of the end of all counters no session can go on."""
    town = town_with_abp(tmp_path / "town")
    with town.registry() as registry:
        registry.radio.stand_in(b"first")
        registry.radio.lost(b"second", NOON)
    where = ("--config", str(town.config))
    assert sekisho(tmp_path, "lorawan", "resume", "node-2", *words, *where)[0] == 2
    with town.registry() as registry:
        assert registry.radio.held() == ["node-2"]
    most = ("--up", "4294836224", "--down", "4294836224")
    assert sekisho(tmp_path, "lorawan", "resume", "node-2", *most, *where)[0] == 0


def test_a_clock_that_is_wrong_after_a_restore_takes_no_join_nonce_back(tmp_path: Path) -> None:
    town = town_with_abp(tmp_path / "town")
    with town.registry() as registry:
        registry.radio.joined("node-1", [9], 400)
        registry.radio.stand_in(b"first")
        registry.radio.lost(b"second", 0)
        (root,) = registry.radio.read().roots.values()
        assert root.join_floor > 400


def test_a_backup_of_before_the_first_frame_knows_the_file_too(tmp_path: Path) -> None:
    """Importing keys makes the file that the counters will stand in, and every opening finds the same one."""
    town = Town(tmp_path / "town")
    eui = Eui.of("0004a30b001a2b3d")
    town.enrol([member("node-2", "river_gauge", attributes={"dev_eui": str(eui)})])
    table = tmp_path / "keys.csv"
    table.write_text(f"dev_eui,dev_addr,nwk_s_key,app_s_key\n{eui},01020304,{'00' * 16},{'11' * 16}\n")  # fmt: skip
    table.chmod(0o600)
    words = ("devices", "import-keys", str(table), "--config", str(town.config))
    assert sekisho(tmp_path, *words)[0] == 0
    file = SessionFile(town.state.sessions_db)
    try:
        with town.registry() as registry:
            assert registry.radio.file == file.id
    finally:
        file.close()
