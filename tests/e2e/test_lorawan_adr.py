"""A device that leaves its data rate to the network, at a gateway that was told to set it."""

from pathlib import Path

import pytest

from gateway.wire.lorawan.commands import Cid, Command
from tests.e2e.processes import Gateway, until
from tests.e2e.radio_town import GAUGE_PORT, STAGE, has, radio_town
from tests.e2e.test_doctor_lorawan import doctor, joined
from tests.e2e.test_lorawan import DOOR, plugged_in
from tests.fakes.node import Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SF10 = "SF10BW125"


def test_twenty_good_uplinks_make_a_device_faster_and_doctor_says_so(tmp_path: Path) -> None:
    """+5 dB at SF10 are three data rates; its word in the next uplink ends the asking. Without `adr` nobody is asked."""
    town, node = radio_town(tmp_path / "town", f"{DOOR}  adr: true\n"), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        joined(forwarder, node)
        for f_cnt in range(20):
            forwarder.push(node.says(f_cnt, STAGE, f_port=GAUGE_PORT, adr=True), datr=SF10)
        asked = forwarder.asked()
        assert asked is not None
        data, plain = node.answered(asked["phy"], 0)
        assert data.adr
        assert plain.commands == bytes.fromhex("0350000061")
        said = doctor(town, "node-1")[1]
        assert "asked for data rate 5" in said, said

        taken = Command(Cid.LINK_ADR, b"\x07").wire
        forwarder.push(node.says(20, STAGE, f_port=GAUGE_PORT, adr=True, commands=taken))
        until(lambda: has(town, 21), "the rows")
        code, said = doctor(town, "node-1")
        assert code == 0, said
        assert "data rate 5, full power; 1 of 20 uplinks heard" in said
        assert forwarder.asked(1.0) is None
