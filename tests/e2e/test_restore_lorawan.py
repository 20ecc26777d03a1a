"""A directory that comes back from a backup, where sessions.db never is: what LoRaWAN devices may do then."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.registry.radio_rows import Secrets
from gateway.wire.lorawan import join
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.frames import JoinAccept, parse
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from gateway.wire.lorawan.join import SessionKeys
from sekisho.following import follow
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.radio_town import GAUGE_PORT, STAGE, has, radio, radio_town, rows
from tests.e2e.test_doctor_lorawan import doctor, refused
from tests.e2e.test_lorawan import DOOR, plugged_in
from tests.e2e.town import SINCE, Town, member
from tests.fakes.forwarder import UdpForwarder
from tests.fakes.node import APP_KEY, DEV_EUI, Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ABP_EUI, ADDR = Eui.of("0004a30b001a2b3d"), DevAddr.of("01020304")
NWK, APP = bytes(range(40, 56)), bytes(range(60, 76))


def town_of_both(folder: Path, abp_keys: bool = True) -> tuple[Town, Node, Node]:
    """node-1 joins, node-2 never does.

    Args:
        abp_keys: whether the town has the keys of node-2.
    """
    town = radio_town(folder, DOOR)
    gauges = {"node-1": DEV_EUI, "node-2": ABP_EUI}
    town.enrol(
        [
            member(name, "river_gauge", attributes={"dev_eui": str(eui)})
            for name, eui in gauges.items()
        ]
    )
    if abp_keys:
        with town.registry() as registry:
            secrets = Secrets(dev_addr=ADDR, keys=(NWK, NWK, NWK, APP))
            registry.radio.put("node-2", secrets, SINCE)
    never = Node(dev_eui=ABP_EUI)
    never.addr = ADDR
    never.keys = SessionKeys(Key(NWK), Key(NWK), Key(NWK), Key(APP), is_1_1=False)
    return town, Node(), never


def joins(forwarder: UdpForwarder, node: Node) -> int:
    """Join; the JoinNonce that it heard."""
    forwarder.push(node.request())
    asked = forwarder.asked()
    assert asked is not None
    node.hear(asked["phy"])
    frame = parse(asked["phy"])
    assert isinstance(frame, JoinAccept)
    accept, _mic = join.unseal(APP_KEY, frame.encrypted)
    return int.from_bytes(accept.join_nonce, "big")


def answered(forwarder: UdpForwarder, node: Node, f_cnt: int) -> int:
    """Say something confirmed; the counter of the acknowledgement."""
    forwarder.push(node.says(f_cnt, STAGE, confirmed=True, f_port=GAUGE_PORT))
    asked = forwarder.asked()
    assert asked is not None
    down = int.from_bytes(asked["phy"][6:8], "little")
    data, _ = node.answered(asked["phy"], down, acknowledges=f_cnt)
    assert data.ack
    return down


def put_back(town: Town) -> None:
    """The directory as its last backup has it."""
    backup = town.folder / "backup"
    shutil.copytree(
        town.state.path, backup, ignore=shutil.ignore_patterns("sessions.db*", "*.sock")
    )
    shutil.rmtree(town.state.path)
    backup.rename(town.state.path)


def resume(town: Town, *words: str) -> tuple[int, str]:
    code, out, err = sekisho(town.folder, "lorawan", "resume", *words, "--config", str(town.config))
    return code, out + err


def test_after_a_restore_captured_frames_are_refused_until_somebody_says_how_far_a_device_was(tmp_path: Path) -> None:  # fmt: skip
    """ABP: what was captured, and what is new, is refused by name; doctor names the command; said how far, against the
    running gateway, the next frame is taken and its downlink has a counter that none before it had, over another kill. OTAA: the
    device joins again with a JoinNonce above any before, and is heard."""
    town, joining, never = town_of_both(tmp_path / "town")
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        nonce = joins(forwarder, joining)
        answered(forwarder, joining, 0)
        used = [answered(forwarder, never, f_cnt) for f_cnt in range(40, 44)]
        captured = never.says(43, STAGE, f_port=GAUGE_PORT)
        stored = rows(town)
        gateway.kill()
    put_back(town)
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        forwarder.push(captured)
        refused(town, "counters unknown")
        code, said = doctor(town)
        assert (code, "node-2" in said) == (1, True)
        assert "sekisho lorawan resume DEVICE --up N" in said
        code, said = doctor(town, "node-2")
        assert (code, "sekisho lorawan resume node-2 --up N" in said) == (1, True)
        assert rows(town) == stored

        assert joins(forwarder, joining) > nonce + 1000
        answered(forwarder, joining, 0)

        code, said = resume(town, "node-2", "--up", "43", "--json")
        assert (code, json.loads(said)["down"]) == (0, 43 + 1024)
        forwarder.push(never.says(42, STAGE, f_port=GAUGE_PORT))
        refused(town, "counter begun anew")
        used.append(answered(forwarder, never, 44))
        gateway.kill()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        assert radio(town)["held"] == []
        forwarder.push(never.says(43, STAGE, f_port=GAUGE_PORT))
        refused(town, "counter begun anew")
        used.append(answered(forwarder, never, 45))
        assert doctor(town, "node-2")[0] == 0
    assert used == sorted(set(used)), "a downlink counter was used twice"
    until(lambda: has(town, len(stored) + 3), "the rows")


def test_another_network_key_begins_another_session_at_a_running_gateway(tmp_path: Path) -> None:
    """As `doctor` advises where a device that never joins counts anew: from then on its counter is another one. With another
    AppSKey alone the counter goes on: captured frames have the same MIC."""
    town, _joining, never = town_of_both(tmp_path / "town")

    def rekeyed(network: bytes, app: bytes) -> None:
        with town.registry() as registry:
            keys = (network, network, network, app)
            registry.radio.put("node-2", Secrets(dev_addr=ADDR, keys=keys), SINCE)
        f, s, enc, own = map(Key, keys)
        never.keys = SessionKeys(f, s, enc, own, is_1_1=False)
        follow(town.state)

    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        answered(forwarder, never, 9)
        rekeyed(NWK, NWK)
        forwarder.push(never.says(8, STAGE, f_port=GAUGE_PORT))
        refused(town, "counter begun anew")
        answered(forwarder, never, 10)
        rekeyed(APP, NWK)
        assert answered(forwarder, never, 0) == 0
    until(lambda: has(town, 3), "the rows")


def test_who_was_never_held_is_not_resumed(tmp_path: Path) -> None:
    """Neither a device that joins nor one whose counters are there; a refusal changes nothing."""
    town, _joining, _never = town_of_both(tmp_path / "town")
    with Gateway(town):
        for words in (("node-1",), ("node-2",), ("--all",), ("nobody",), ()):
            code, said = resume(town, *words, "--up", "7")
            assert code == (1 if words else 2), said
        assert radio(town)["held"] == []
