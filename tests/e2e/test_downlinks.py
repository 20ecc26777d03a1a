"""`sekisho downlink`: what an application says to a LoRaWAN device, over kills."""

import json
from functools import partial
from pathlib import Path

import pytest

from gateway.wire.lorawan.frames import Data, MType, parse
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.radio_town import GAUGE_PORT, STAGE, has, radio, radio_town
from tests.e2e.test_lorawan import DOOR, plugged_in
from tests.e2e.town import Town
from tests.fakes.forwarder import UdpForwarder
from tests.fakes.node import Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def downlink(town: Town, *words: str) -> tuple[int, str]:
    """Exit code and what it printed."""
    code, out, err = sekisho(town.folder, "downlink", "node-1", *words, "--state", "state")
    return code, (out + err).strip()


def join(forwarder: UdpForwarder, node: Node) -> None:
    forwarder.push(node.request())
    accept = forwarder.asked()
    assert accept is not None
    node.hear(accept["phy"])


def none_waits(town: Town) -> bool:
    return downlink(town, "--list") == (0, "No downlink waits for node-1.")


class Talk:
    """One device over one forwarder: what it hears after each uplink."""

    def __init__(self, node: Node, forwarder: UdpForwarder, f_cnt: int = 0) -> None:
        self.node, self.forwarder = node, forwarder
        self.f_cnt = f_cnt

    def asked(self, acks: int | None = None, sf: int = 7) -> Data | None:
        """The downlink after one more uplink, as it stands on the air."""
        phy = self.node.says(self.f_cnt, STAGE, f_port=GAUGE_PORT, acks=acks, tx_dr=12 - sf)
        self.f_cnt += 1
        self.forwarder.push(phy, datr=f"SF{sf}BW125")
        said = self.forwarder.asked(4.0)
        if said is None:
            return None
        data = parse(said["phy"])
        assert isinstance(data, Data)
        return data

    def hears(self, data: Data) -> tuple[int | None, bytes]:
        """Port and payload of a downlink."""
        head = bytes(data.signed) + bytes(data.mic)
        found, plain = self.node.answered(head, data.f_cnt, acknowledges=0)
        return found.f_port, plain.payload


def test_a_downlink_goes_along_with_the_next_uplink_once(tmp_path: Path) -> None:
    """With its port, FPending while another waits, and nothing after the last."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        join(forwarder, node)
        code, said = downlink(town, "--hex", "0102", "--port", "7")
        assert (code, said[:14]) == (0, "waiting until ")
        assert downlink(town, "--hex", "03", "--wait", "1 s")[0] == 3
        waiting = downlink(town, "--list", "--json")[1]
        assert [one["bytes"] for one in json.loads(waiting)] == [2, 1]
        talk = Talk(node, forwarder)
        first = talk.asked()
        assert first is not None
        assert talk.hears(first) == (7, b"\x01\x02")
        assert first.bit_4, "FPending"
        second = talk.asked()
        assert second is not None
        assert talk.hears(second) == (1, b"\x03")
        assert not second.bit_4
        assert talk.asked() is None
        assert none_waits(town)
        assert radio(town)["downlinks"]["downlink sent"] == 2


@pytest.mark.parametrize("is_1_1", [False, True], ids=["1.0", "1.1"])
def test_a_confirmed_downlink_is_sent_until_it_is_confirmed_over_a_kill(
    tmp_path: Path, is_1_1: bool
) -> None:
    """Each time with a counter of its own; the confirmation is understood after kill -9, and ends it."""
    town, node = radio_town(tmp_path / "town", DOOR, is_1_1), Node(is_1_1)
    used: list[int] = []
    f_cnt = 0
    for life in range(3):
        with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
            if life == 0:
                join(forwarder, node)
                downlink(town, "--hex", "2a", "--port", "9", "--confirmed")
            talk = Talk(node, forwarder, f_cnt)
            if life < 2:
                said = talk.asked()
                assert said is not None, radio(town)
                assert said.mtype is MType.CONFIRMED_DOWN
                assert talk.hears(said) == (9, b"\x2a")
                used.append(said.f_cnt)
                assert "on its way" in downlink(town, "--list")[1]
            else:
                assert talk.asked(acks=used[-1]) is None
                until(partial(none_waits, town), "the confirmation")
                assert talk.asked() is None
            f_cnt = talk.f_cnt
            until(partial(has, town, f_cnt), "the rows")
            gateway.kill()
    assert used[0] < used[1], "a downlink counter was used twice"


def test_what_is_too_large_waits_for_a_better_rate_or_is_refused(tmp_path: Path) -> None:
    """SF10 carries 115 bytes, SF7 242; more is refused at once, and so is what no port or no such device has."""
    town, node = radio_town(tmp_path / "town", DOOR), Node()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        join(forwarder, node)
        code, said = downlink(town, "--hex", "00" * 243)
        assert code == 1
        assert "243 bytes" in said
        assert "242" in said
        assert downlink(town, "--hex", "00" * 200, "--port", "3")[0] == 0
        talk = Talk(node, forwarder)
        assert talk.asked(sf=10) is None
        large = talk.asked(sf=7)
        assert large is not None
        assert talk.hears(large) == (3, bytes(200))
        assert downlink(town, "--hex", "01")[0] == 0
        assert downlink(town, "--cancel", "all") == (0, "1 downlink cancelled.")
        assert talk.asked() is None
