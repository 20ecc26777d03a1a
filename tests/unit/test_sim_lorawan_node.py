"""The firmware of a simulated node against the network of the gateway: two hands that wrote the same page."""

import pytest

from gateway.lorawan.answers import Answer, downlink
from gateway.lorawan.joining import Joined, Root, joined
from gateway.lorawan.plan import Plan
from gateway.lorawan.regions import PLANS
from gateway.lorawan.session import RESERVED
from gateway.lorawan.uplinks import Uplink
from gateway.model.identity import DeviceId
from gateway.wire.lorawan.commands import Cid, commands, confirm_version, link_adr_req, wire
from gateway.wire.lorawan.crypto import UP, Key
from gateway.wire.lorawan.frames import Data, JoinRequest, parse
from gateway.wire.lorawan.identifiers import DevAddr
from gateway.wire.lorawan.secured import Heard, opened, right_mic
from simulators.lorawan.meters import KINDS, Meter, members
from simulators.lorawan.node import Identity, Node
from simulators.streams import stream

PLAN: Plan = PLANS["AS923-1"]
FREQ_HZ, DR = 923_200_000, 5
OLD, NEW = (member.identity for member in members(7, 0, 10)[8:])


class Pair:
    """A node, and its network's side of the session."""

    def __init__(self, identity: Identity) -> None:
        self.node = Node(identity, PLAN)
        nwk = None if identity.nwk_key is None else Key(identity.nwk_key)
        app = Key(identity.app_key)
        self.root = Root(DeviceId("node-1"), identity.dev_eui, identity.join_eui, app, nwk)
        self.made = self.asks()
        self.accepted = self.node.hear(self.made.accept)
        self.session = self.made.session
        self.session.reserved = self.session.app_reserved = RESERVED

    def asks(self) -> Joined:
        request = parse(self.node.request())
        assert isinstance(request, JoinRequest)
        made = joined(self.root, request, PLAN, lambda: DevAddr.of("01020304"), PLAN.rx2.dr)
        self.root.join_nonce = made.join_nonce
        return made

    def hears(self, phy: bytes, channel: int) -> Uplink:
        data = parse(phy)
        assert isinstance(data, Data)
        heard = Heard(tx_dr=self.node.tuning.dr, tx_ch=channel)
        assert right_mic(self.session.keys, data, data.f_cnt, heard) == data.mic
        plain = opened(self.session.keys, data, data.f_cnt)
        return Uplink(self.session, data, data.f_cnt, plain, again=False)

    def answers(self, uplink: Uplink, said: bytes = b"", *, ack: bool = True) -> bytes:
        return downlink(1, uplink, Answer(said, ack, None), PLAN, FREQ_HZ, DR).phy


@pytest.fixture(params=[OLD, NEW], ids=["1.0", "1.1"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(request.param)


def asked(uplink: Uplink) -> list[Cid]:
    return [one.cid for one in commands(uplink.plain.commands, UP)[0]]


def test_one_node_in_ten_speaks_1_1() -> None:
    assert [member.identity.nwk_key is not None for member in members(7, 0, 20)].count(True) == 2
    assert OLD.nwk_key is None
    assert NEW.nwk_key is not None


def test_a_node_joins_and_takes_the_channels_of_the_answer(pair: Pair) -> None:
    assert pair.accepted is not None
    assert pair.accepted.joined
    assert pair.node.dev_addr == pair.session.dev_addr
    assert list(pair.node.tuning.usable().values()) == [923_200_000, 923_400_000, *PLAN.cf_list]


def test_join_requests_count_up_and_an_old_answer_is_no_answer(pair: Pair) -> None:
    """The nonce of each request is one more; what answered an earlier one is not of this one, or is known."""
    before = pair.node.nonce
    assert pair.node.hear(pair.made.accept) is None
    pair.asks()
    assert pair.node.nonce == before + 1


def test_an_uplink_is_what_the_network_reads_and_the_acknowledgement_is_heard_once(pair: Pair) -> None:  # fmt: skip
    node = pair.node
    assert node.say(b"hello", 4, confirmed=True) == 0
    uplink = pair.hears(node.frame(1), 1)
    assert (uplink.plain.payload, uplink.data.f_port, uplink.data.confirmed) == (b"hello", 4, True)
    phy = pair.answers(uplink)
    answer = node.hear(phy)
    assert answer is not None
    assert answer.ack
    assert node.hear(phy) is None
    assert node.replays == 1
    assert node.say(b"again", 4, confirmed=False) == 1


def test_a_repetition_has_the_same_counter_and_in_1_0_the_same_bytes(pair: Pair) -> None:
    """1.1 signs the channel too (1.1 §4.4), so another channel makes other bytes there."""
    node = pair.node
    node.say(b"hello", 4, confirmed=True)
    first, second = node.frame(0), node.frame(1)
    assert pair.hears(first, 0).f_cnt == pair.hears(second, 1).f_cnt == 0
    assert (first == second) == (pair.root.nwk_key is None)


def test_a_1_1_node_says_rekey_until_that_is_confirmed() -> None:
    pair = Pair(NEW)
    for _ in range(2):
        pair.node.say(b"", 4, confirmed=False)
        uplink = pair.hears(pair.node.frame(0), 0)
        assert Cid.REKEY in asked(uplink)
    pair.node.hear(pair.answers(uplink, wire([confirm_version(Cid.REKEY, 1)]), ack=False))
    pair.node.say(b"", 4, confirmed=False)
    assert asked(pair.hears(pair.node.frame(0), 0)) == []


def test_adr_is_obeyed_and_answered(pair: Pair) -> None:
    """Data rate and power are taken over, and the next uplink says so."""
    node = pair.node
    node.say(b"", 4, confirmed=False)
    uplink = pair.hears(node.frame(0), 0)
    node.hear(pair.answers(uplink, wire([link_adr_req(3, 2, 0x007F)]), ack=False))
    assert (node.tuning.dr, node.tuning.power_steps) == (3, 2)
    node.say(b"", 4, confirmed=False)
    assert Cid.LINK_ADR in asked(pair.hears(node.frame(0), 0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_meter_speaks_its_kinds_bytes_and_the_same_seed_says_the_same(kind: str) -> None:
    one, same = (Meter(kind, stream(7, "meter")) for _ in range(2))
    readings = [one.read() for _ in range(5)]
    assert readings == [same.read() for _ in range(5)]
    assert all(values and len(payload) <= 18 for payload, values in readings)


def test_what_another_network_says_is_not_heard(pair: Pair) -> None:
    other = Pair(members(8, 0, 1)[0].identity)
    other.node.say(b"", 4, confirmed=True)
    foreign = other.answers(other.hears(other.node.frame(0), 0))
    assert pair.node.hear(foreign) is None
    assert pair.node.hear(b"\x60\x01") is None
