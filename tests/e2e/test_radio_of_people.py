"""What may be asked of the air where people are real: the same answer before and after an uplink, stored or masked."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.lorawan.merging import LATE_S
from gateway.registry.radio_rows import Secrets
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.identifiers import DevAddr
from gateway.wire.lorawan.join import SessionKeys
from sekisho.window import ask
from tests.e2e.processes import Gateway
from tests.e2e.test_lorawan import DOOR, plugged_in
from tests.e2e.town import SINCE, Town, child, member
from tests.fakes.forwarder import UdpForwarder
from tests.fakes.node import DEV_EUI, Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ADDR, NWK, APP = DevAddr.of("01020304"), bytes(range(40, 56)), bytes(range(60, 76))
HOME = (36.7, 137.2)
PORT = 1


def town_of_a_child(folder: Path) -> tuple[Town, Node]:
    """An unmarked directory with one tracker, which never joins."""
    town = Town(folder, mark=None)
    town.more_doors = DOOR
    town.set_door(0)
    tracker = child("child-1", HOME)
    tracker["attributes"] = {"dev_eui": str(DEV_EUI)}
    town.enrol([tracker])
    with town.registry() as registry:
        registry.radio.put("child-1", Secrets(dev_addr=ADDR, keys=(NWK, NWK, NWK, APP)), SINCE)
    node = Node()
    node.addr, node.keys = ADDR, SessionKeys(Key(NWK), Key(NWK), Key(NWK), Key(APP), is_1_1=False)
    return town, node


def fix(lat: float, lon: float) -> bytes:
    """A tracker's eleven bytes."""
    place = b"".join(round(one * 1e7).to_bytes(4, "big", signed=True) for one in (lat, lon))
    return place + bytes((5, 0xFF, 0))


def says(forwarder: UdpForwarder, node: Node, f_cnt: int, payload: bytes) -> None:
    """One confirmed uplink, and its acknowledgement."""
    forwarder.push(node.says(f_cnt, payload, confirmed=True, f_port=PORT))
    assert forwarder.asked() is not None


def told(town: Town) -> str:
    """All that the window says of radio, and of what was counted."""
    answers: list[dict[str, Any]] = [
        next(ask(town.state, "radio", device="child-1")),
        next(ask(town.state, "terms")),
        next(ask(town.state, "doctor", device="child-1")),
    ]
    return json.dumps(answers, sort_keys=True)


@pytest.mark.channel("C10")
def test_no_number_tells_of_a_child_s_uplink(tmp_path: Path) -> None:
    """Masked, stored or sent again: what the window says is the same to the byte before and after; nor how well it was heard."""
    town, node = town_of_a_child(tmp_path / "town")
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        says(forwarder, node, 0, fix(*HOME))
        before = told(town)
        said = json.loads(before)[0]
        assert said["people"]
        assert said["receptions"] is None
        assert (said["downlinks"], said["census"]["forwarders"]) == ({}, {})
        for f_cnt, place in enumerate([HOME, (36.75, 137.25), (36.76, 137.25), HOME], start=1):
            says(forwarder, node, f_cnt, fix(*place))
            assert told(town) == before
        time.sleep(LATE_S)  # before that it is a copy that came late
        says(forwarder, node, 4, fix(*HOME))
        assert told(town) == before
        assert '"rssi' not in before


def test_where_things_alone_speak_the_numbers_are_told(tmp_path: Path) -> None:
    """In an unmarked directory, too: there is nobody whom they could tell of. A person's device that is enrolled ends that."""
    town, node = town_of_a_child(tmp_path / "town")
    eui = str(DEV_EUI)
    town.enrol([member("child-1", "river_gauge", attributes={"dev_eui": eui})])
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        says(forwarder, node, 0, bytes.fromhex("0107088000ff00"))
        said = json.loads(told(town))[0]
        assert (said["people"], said["receptions"]) == (False, 1)
        assert said["downlinks"] == {"answer sent": 1}
        (heard,) = said["census"]["forwarders"].values()
        assert heard["rssi_dbm"] == {"-80 and above": 100.0}
