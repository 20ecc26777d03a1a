"""A LoRa forwarder plugged into the gateway: joins, rows and answers, over kills."""

import time
from functools import partial
from pathlib import Path

import pytest

from gateway.lorawan.merging import LATE_S
from gateway.wire.lorawan.identifiers import Eui
from sekisho.window import ask
from tests.e2e.processes import Gateway, until
from tests.e2e.radio_town import GAUGE_PORT, STAGE, has, radio, radio_town, rows
from tests.fakes.forwarder import EUI, UdpForwarder
from tests.fakes.node import APP_KEY, DEV_EUI, NWK_KEY, Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

DOOR = f"""\
  - kind: lorawan_udp
    name: forwarders
    port: 0
lorawan:
  region: AS923-1
  forwarders:
    - eui: {EUI}
      from: [127.0.0.0/8]
"""

SECOND_EUI = Eui.of("aa555a0000000002")
TWO_FORWARDERS = f"{DOOR}    - {{eui: {SECOND_EUI}, from: [127.0.0.0/8]}}\n"


def plugged_in(gateway: Gateway) -> UdpForwarder:
    """A forwarder whose way back is open."""
    made = UdpForwarder(gateway.running["doors"]["forwarders"]["port"])
    assert made.pull()[3] == 4
    return made


@pytest.mark.parametrize("is_1_1", [False, True], ids=["1.0", "1.1"])
def test_a_device_joins_is_stored_and_answered_over_two_kills(tmp_path: Path, is_1_1: bool) -> None:
    """Join-accept after five seconds by the concentrator's time, rows with the network's clock, an acknowledgement
    after one second; after kill -9 the session goes on without a join, what was captured is a replay, the last uplink
    is acknowledged where the device repeats it, and no downlink has a counter that one before it had."""
    town, node = radio_town(tmp_path / "town", DOOR, is_1_1), Node(is_1_1)
    used: list[int] = []
    f_cnt = 0
    captured = last = b""
    for life in range(3):
        with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
            if life == 0:
                request = node.request()
                assert forwarder.push(request)[3] == 1
                accept = forwarder.asked()
                assert accept is not None
                assert accept["tmst"] == forwarder.tmst + 5_000_000
                assert (accept["freq"], accept["datr"], accept["ipol"]) == (923.2, "SF7BW125", True)
                node.hear(accept["phy"])
                time.sleep(LATE_S)  # before that it is a copy that came late
                assert forwarder.push(request)[3] == 1
                until(lambda: radio(town)["refused"].get("DevNonce used before"), "the replay")
            else:
                forwarder.push(captured)
                until(lambda: radio(town)["refused"].get("replayed"), "the replay's name")
                forwarder.push(last)
                answer = forwarder.asked()
                assert answer is not None, "repeated after the kill, and never acknowledged"
                used.append(int.from_bytes(answer["phy"][6:8], "little"))
                data, _ = node.answered(answer["phy"], used[-1], acknowledges=f_cnt - 1)
                assert data.ack
            for _ in range(3):
                phy = node.says(f_cnt, STAGE, confirmed=True, f_port=GAUGE_PORT)
                forwarder.push(phy)
                answer = forwarder.asked()
                assert answer is not None, radio(town)
                assert answer["tmst"] == forwarder.tmst + 1_000_000
                down = int.from_bytes(answer["phy"][6:8], "little")
                data, _ = node.answered(answer["phy"], down, acknowledges=f_cnt)
                assert data.ack
                used.append(down)
                captured, last = phy if f_cnt == 0 else captured, phy
                f_cnt += 1
            until(partial(has, town, f_cnt), "the rows")
            gateway.kill()
    assert rows(town) == [(n, 1.8, "network") for n in range(9)]
    assert sorted(set(used)) == used, "a downlink counter was used twice"


def test_what_is_not_ours_gets_no_answer_and_a_name(tmp_path: Path) -> None:
    """An unknown forwarder hears nothing at all; a foreign network's frame, a flipped bit, a wrong key and its
    reverse are named; a datagram of anything is counted."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        stranger = UdpForwarder(gateway.running["doors"]["forwarders"]["port"], eui=DEV_EUI)
        with stranger, pytest.raises(TimeoutError):
            stranger.pull()
        forwarder.push(Node(app_key=NWK_KEY).request())
        backwards = type(APP_KEY)(APP_KEY.secret[::-1])
        forwarder.push(Node(app_key=backwards).request())
        forwarder.push(node.request())
        accept = forwarder.asked()
        assert accept is not None
        node.hear(accept["phy"])
        phy = node.says(0, STAGE, f_port=GAUGE_PORT)
        forwarder.push(phy[:-6] + bytes((phy[-6] ^ 1,)) + phy[-5:])
        forwarder.push(phy, stat=-1)
        node.addr = type(node.addr).of("26011234")
        forwarder.push(node.says(0, STAGE))
        forwarder.push(bytes.fromhex("e0010203"))
        forwarder.push(b"\x40\x01")

        causes = {
            "wrong MIC": 2,
            "wrong MIC, right with the key reversed": 1,
            "another network's": 1,
            "proprietary": 1,
            "no LoRaWAN frame": 1,
        }
        until(lambda: radio(town)["refused"] == causes, "every cause")
        facts = next(ask(town.state, "terms"))["facts"]
        assert facts["forwarder: CRC bad"] == 1
        assert facts["forwarder: unknown"] == 1
    assert rows(town) == []


def test_a_forwarder_that_is_too_late_for_one_window_is_asked_for_the_next(tmp_path: Path) -> None:
    """TOO_LATE of RX1 asks for RX2, a second later at RX2's frequency and data rate."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway:
        port = gateway.running["doors"]["forwarders"]["port"]
        with UdpForwarder(port, error="TOO_LATE") as forwarder:
            forwarder.pull()
            forwarder.push(node.request())
            first, second = forwarder.asked(), forwarder.asked()
            assert first is not None
            assert second is not None
            assert second["tmst"] - first["tmst"] == 1_000_000
            assert second["datr"] == "SF10BW125"
            assert first["phy"] == second["phy"]
            until(
                lambda: radio(town)["downlinks"].get("join-accept not sent: TOO_LATE"), "the miss"
            )


def test_the_law_of_the_air_stands_between_an_answer_and_its_forwarder(tmp_path: Path) -> None:
    """Two joins within a moment: Japan's silence leaves RX2 to the second and nothing to the third, which another
    forwarder takes; the clause is counted."""
    town, node = radio_town(tmp_path / "town", TWO_FORWARDERS), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        port = gateway.running["doors"]["forwarders"]["port"]
        with UdpForwarder(port, eui=SECOND_EUI) as weaker:
            weaker.pull()
            requests = [node.request() for _ in range(3)]
            for request in requests:
                forwarder.push(request)
            weaker.push(requests[-1], rssi=-110, snr=-9.0)
            first, second, third = forwarder.asked(), forwarder.asked(), weaker.asked()
            assert first is not None
            assert second is not None
            assert third is not None
            assert [one["datr"] for one in (first, second, third)] == ["SF7BW125", "SF10BW125", "SF7BW125"]  # fmt: skip
            assert second["tmst"] - first["tmst"] == 10_000_000 + 1_000_000
            node.hear(third["phy"])
            (clause,) = radio(town)["law"]
            assert "silence after a transmission" in clause
            assert "ARIB STD-T108" in clause
            assert radio(town)["law"][clause] == 3
