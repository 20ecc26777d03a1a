"""`sekisho doctor lorawan` and the named rejections: each cause in words, with the next step."""

import time
from pathlib import Path

import pytest

from gateway.lorawan.merging import LATE_S
from gateway.registry.radio_rows import Secrets
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from gateway.wire.lorawan.join import SessionKeys
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.radio_town import GAUGE_PORT, STAGE, has, radio, radio_town, rows
from tests.e2e.test_lorawan import DOOR, plugged_in
from tests.e2e.town import SINCE, Town, member
from tests.fakes.forwarder import UdpForwarder
from tests.fakes.node import APP_KEY, DEV_EUI, NWK_KEY, Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def doctor(town: Town, about: str = "lorawan") -> tuple[int, str]:
    """Exit code and what it printed."""
    code, out, err = sekisho(town.folder, "doctor", about, "--config", str(town.config))
    return code, out + err


def refused(town: Town, cause: str) -> None:
    """Wait until a frame was refused for this, by this name."""
    until(lambda: radio(town)["refused"].get(cause), cause)


def joined(forwarder: UdpForwarder, node: Node) -> bytes:
    request = node.request()
    forwarder.push(request)
    accept = forwarder.asked()
    assert accept is not None
    node.hear(accept["phy"])
    return request


def believed(town: Town, forwarder: UdpForwarder, node: Node, f_cnt: int) -> bytes:
    phy = node.says(f_cnt, STAGE, f_port=GAUGE_PORT)
    forwarder.push(phy)
    until(lambda: has(town, f_cnt + 1), "the row")
    return phy


def test_what_is_played_back_harmed_or_not_ours_is_named_and_told_in_words(tmp_path: Path) -> None:
    """A captured join, a captured data frame, a flipped bit, a frame of another network, a reversed key: no row, a name of its
    own, and doctor says what it means; a frame that is believed ends the trouble."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        request = joined(forwarder, node)
        captured = believed(town, forwarder, node, 0)
        believed(town, forwarder, node, 1)
        code, said = doctor(town)
        assert code == 0, said
        time.sleep(LATE_S)  # before that they are copies that came late

        forwarder.push(request)
        refused(town, "DevNonce used before")
        code, said = doctor(town)
        assert code == 1
        assert "a captured join was played back" in said

        forwarder.push(captured)
        refused(town, "replayed")
        code, said = doctor(town)
        assert code == 0, "nothing is lost by it, and all that follows is to be looked at, too"
        assert "node-1" in said
        assert "was played back" in said
        assert "nothing is lost" in said

        phy = node.says(2, STAGE, f_port=GAUGE_PORT)
        forwarder.push(phy[:-6] + bytes((phy[-6] ^ 1,)) + phy[-5:])
        refused(town, "wrong MIC")
        assert "the air harmed them" in doctor(town)[1]

        forwarder.push(Node(app_key=type(APP_KEY)(APP_KEY.secret[::-1])).request())
        refused(town, "wrong MIC, right with the key reversed")
        assert "bytes reversed" in doctor(town)[1]

        believed(town, forwarder, node, 2)
        node.addr = DevAddr.of("26011234")
        forwarder.push(node.says(0, STAGE))
        refused(town, "another network's")
        code, said = doctor(town)
        assert code == 0, said
        assert "frames of other networks are heard and passed over (1)" in said
    assert [row[0] for row in rows(town)] == [0, 1, 2]


def test_a_forwarder_that_is_silent_does_not_pull_or_hears_elsewhere_is_told(tmp_path: Path) -> None:  # fmt: skip
    """One fault at a time, in the order in which they are mended."""
    town = radio_town(tmp_path / "town", DOOR)
    with Gateway(town) as gateway:
        port = gateway.running["doors"]["forwarders"]["port"]
        code, said = doctor(town)
        assert code == 1
        assert "has said nothing since this gateway started" in said
        with UdpForwarder(port) as forwarder:
            forwarder.push(Node().request(), freq=868.1)
            assert "pushes and does not pull" in doctor(town)[1]
            forwarder.pull()
            assert "lies on no channel of this region" in doctor(town)[1]


def test_a_device_that_does_not_hear_its_answers_is_told(tmp_path: Path) -> None:
    """And one whose key is another, and one that is not registered."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        forwarder.push(Node(app_key=NWK_KEY).request())
        refused(town, "wrong MIC")
        assert "its key here is not the device's" in doctor(town)[1]
        for _ in range(2):
            forwarder.push(node.request())
            assert forwarder.asked() is not None
        code, said = doctor(town)
        assert code == 1
        assert "asked to join 2 times, was answered, and has sent nothing since" in said


def test_a_deveui_and_keys_in_the_other_byte_order_are_told(tmp_path: Path) -> None:
    """The usual mistakes in writing them down: each is tried, and named with the next step."""
    town = radio_town(tmp_path / "town", DOOR)
    keys = SessionKeys(APP_KEY, APP_KEY, APP_KEY, NWK_KEY, is_1_1=False)
    with town.registry() as registry:
        never = {"dev_eui": "0004a30b001a2b3d"}
        town.enrol([member("node-1", "river_gauge", attributes={"dev_eui": str(DEV_EUI)}), member("node-2", "river_gauge", attributes=never)])  # fmt: skip
        own = (APP_KEY.secret, APP_KEY.secret, APP_KEY.secret, NWK_KEY.secret)
        registry.radio.put("node-2", Secrets(dev_addr=DevAddr.of("01020304"), keys=own), SINCE)
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        forwarder.push(Node(dev_eui=Eui(DEV_EUI[::-1])).request())
        refused(town, "join of a DevEUI that is registered reversed")
        code, said = doctor(town)
        assert code == 1
        assert "node-1" in said
        assert "under its DevEUI with the bytes reversed" in said
        assert "sekisho devices set DEVICE --attribute dev_eui=EUI" in said

        node = Node()
        node.addr, node.keys = DevAddr.of("01020304"), keys.backwards
        forwarder.push(node.says(0, STAGE, f_port=GAUGE_PORT))
        refused(town, "wrong MIC, right with the key reversed")
        code, said = doctor(town, "node-2")
        assert code == 1
        assert "written down in the other byte order" in said


def test_a_lorawan_device_is_followed_from_its_keys_to_its_row(tmp_path: Path) -> None:
    """Without a credential and without a connection of its own; before its join the step that is missing is named."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        code, said = doctor(town, "node-1")
        assert code == 1
        assert "its keys are here, and it has never joined" in said
        joined(forwarder, node)
        believed(town, forwarder, node, 0)
        code, said = doctor(town, "node-1")
        assert code == 0, said
        assert "it has joined" in said
        assert "by 1 forwarder, best -80 dBm at 5 dB" in said
        assert "none of its own: it speaks LoRaWAN" in said


def test_a_gateway_without_lorawan_says_so(tmp_path: Path) -> None:
    town = Town(tmp_path / "town")
    town.enrol([])
    with Gateway(town):
        code, said = doctor(town)
    assert code == 1
    assert "speaks no LoRaWAN" in said


def test_a_deveui_in_the_place_of_a_device_leads_to_it(tmp_path: Path) -> None:
    """Who looks for a frame has the label: its DevEUI names the device, or how to register one."""
    town = radio_town(tmp_path / "town", DOOR)
    with Gateway(town):
        code, said = doctor(town, DEV_EUI.hex("-").upper())
        assert code == 1
        assert "→ sekisho doctor node-1" in said
        code, said = doctor(town, "FF-FF-FF-FF-FF-FF-FF-FF")
        assert code == 1
        assert "no device has this DevEUI" in said
        assert "--attribute dev_eui=ffffffffffffffff" in said


def test_a_device_that_asks_for_another_class_is_heard_and_told(tmp_path: Path) -> None:
    """And a rejoin is refused by its name."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        joined(forwarder, node)
        believed(town, forwarder, node, 0)
        forwarder.push(bytes.fromhex("c000000000") + DEV_EUI.wire + bytes(6))
        refused(town, "rejoin, which is not done here")
        assert "rejoin-requests were heard (1)" in doctor(town)[1]
        forwarder.push(node.says(1, STAGE, f_port=GAUGE_PORT, in_class_b=True))
        until(lambda: has(town, 2), "the row")
        for about in ("lorawan", "node-1"):
            code, said = doctor(town, about)
            assert code == 0, said
            assert "it asks for Class B, which is not done here: its uplinks count" in said


def test_a_forwarder_from_elsewhere_is_told_from_where(tmp_path: Path) -> None:
    """Its EUI is right and its address is not: the commonest mistake there is."""
    town = radio_town(tmp_path / "town", DOOR.replace("127.0.0.0/8", "192.0.2.0/24"))
    with (
        Gateway(town) as gateway,
        UdpForwarder(gateway.running["doors"]["forwarders"]["port"]) as forwarder,
    ):
        with pytest.raises(TimeoutError):
            forwarder.pull()
        code, said = doctor(town)
    assert code == 1
    assert "it comes from 127.0.0.1, which its from does not permit" in said


def test_a_device_of_the_air_is_registered_without_a_credential(tmp_path: Path) -> None:
    """Nobody connects as it: what it needs next are its keys, and doctor says so until they are there."""
    town = radio_town(tmp_path / "town", DOOR)
    add = (
        "devices",
        "add",
        "river-7",
        "--kind",
        "river_gauge",
        "--attribute",
        "dev_eui=00-04-A3-0B-00-1A-2B-77",
    )
    code, out, err = sekisho(
        town.folder, *add, "--attribute", "datum_m=4.2", "--config", str(town.config)
    )
    assert code == 0, err
    assert "sekisho devices import-keys" in out
    assert "token" not in out
    with Gateway(town):
        code, said = doctor(town, "river-7")
    assert code == 1
    assert "it has a DevEUI and no LoRaWAN keys here" in said
