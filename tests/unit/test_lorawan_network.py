"""The network without I/O: joins, counters over the roll-over, replays and what is wrong with them, named."""

from dataclasses import replace
from itertools import permutations

import pytest

from gateway.lorawan.answers import Waiting, answer, downlink
from gateway.lorawan.joining import Joined, Root
from gateway.lorawan.merging import LATE_S, Merged, Merging
from gateway.lorawan.network import Network
from gateway.lorawan.plan import Channel, DataRate, Plan, Window
from gateway.lorawan.reception import Downlink, Reception
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import RESERVED, Session
from gateway.lorawan.unserved import Unserved, asked_for
from gateway.lorawan.uplinks import Doubt, Uplink
from gateway.model.identity import DeviceId
from gateway.model.instant import Instant, parse_rfc3339
from gateway.wire.lorawan import join
from gateway.wire.lorawan.commands import Cid, Command, commands
from gateway.wire.lorawan.crypto import DOWN, Key
from gateway.wire.lorawan.frames import Data, JoinRequest, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui, JoinNonce, NetId
from gateway.wire.lorawan.secured import Heard, opened, right_mic
from tests.fakes.node import APP_KEY, DEV_EUI, JOIN_EUI, NWK_KEY, Node

PLAN = Plan(
    name="AS923-1",
    data_rates={n: DataRate(12 - n, 125_000) for n in range(6)},
    channels=(Channel(923_200_000, 0, 5), Channel(923_400_000, 0, 5)),
    cf_list=(922_200_000, 922_400_000),
    rx1=lambda freq, dr, _offset: (freq, dr),
    rx2=Window(923_200_000, 2, 2.0),
    rx1_delay_s=1.0,
    join_delay_s=5.0,
    max_eirp_dbm=13.0,
    max_payload=dict.fromkeys(range(6), 51),
)
SF7 = DataRate(7, 125_000)
NOON: Instant = parse_rfc3339("2026-05-12T12:00:00Z")


class Nowhere:
    """A way back that nobody takes."""

    station = False

    def send(self, downlink: Downlink) -> str | None:
        raise AssertionError(downlink)


def heard(phy: bytes, at_s: float = 0.0, forwarder: int = 1, snr: float | None = 5.0) -> Reception:
    eui = Eui(forwarder.to_bytes(8, "big"))
    return Reception(phy, eui, 0, 923_200_000, SF7, -80.0, snr, NOON, at_s, Nowhere())


def alone(phy: bytes) -> Merged:
    return Merged(heard(phy), (heard(phy),))


def network(is_1_1: bool = False, **root: object) -> Network:
    made = Network(PLAN, dice=lambda top: top // 3)
    known = Root(DeviceId("node-1"), DEV_EUI, JOIN_EUI, APP_KEY, NWK_KEY if is_1_1 else None)
    made.admit({DEV_EUI: replace(known, **root)})  # type: ignore[arg-type]
    return made


def asks(of: Network, phy: bytes) -> Joined | Refused:
    request = parse(phy)
    assert isinstance(request, JoinRequest)
    found = of.join(request)
    if isinstance(found, Refused):
        return found
    of.welcome(found[1].session)
    return found[1]


def joined(of: Network, node: Node) -> Session:
    made = asks(of, node.request())
    assert isinstance(made, Joined)
    node.hear(made.accept)
    return made.session


def judged(of: Network, phy: bytes) -> Uplink | Doubt:
    data = parse(phy)
    assert isinstance(data, Data)
    return of.judge(data, alone(phy))


def believed(of: Network, phy: bytes) -> Uplink:
    found = judged(of, phy)
    assert isinstance(found, Uplink), found
    return found


def doubted(of: Network, phy: bytes) -> Refused:
    found = judged(of, phy)
    assert isinstance(found, Doubt), found
    return found.why


VERSIONS = pytest.mark.parametrize("is_1_1", [False, True], ids=["1.0", "1.1"])


@VERSIONS
def test_a_device_joins_and_is_understood(is_1_1: bool) -> None:
    """And what it says comes out as it went in, port and counter with it."""
    of, node = network(is_1_1), Node(is_1_1)
    session = joined(of, node)
    uplink = believed(of, node.says(0))
    assert (uplink.session, uplink.f_cnt, uplink.plain.payload) == (session, 0, b"hello")
    assert session.up == 0


@VERSIONS
def test_the_counter_goes_on_over_its_sixteen_bits(is_1_1: bool) -> None:
    of, node = network(is_1_1), Node(is_1_1)
    joined(of, node)
    for f_cnt in (0, 5, 65_535, 65_536, 65_540, 131_075, 196_600):
        assert believed(of, node.says(f_cnt)).f_cnt == f_cnt


@VERSIONS
def test_what_came_before_is_a_replay(is_1_1: bool) -> None:
    """The very last one is a repetition: it is answered again and not stored; what came before that is refused."""
    of, node = network(is_1_1), Node(is_1_1)
    joined(of, node)
    captured = node.says(7)
    assert not believed(of, captured).again
    assert believed(of, captured).again
    believed(of, node.says(8))
    assert doubted(of, captured) is Refused.REPLAYED
    for f_cnt in (60_000, 120_000):
        believed(of, node.says(f_cnt))
    for f_cnt in (119_999, 60_000, 8):
        assert doubted(of, node.says(f_cnt)) is Refused.REPLAYED


@VERSIONS
def test_a_frame_of_years_ago_is_a_replay_too(is_1_1: bool) -> None:
    """Of each roll-over of the sixteen bits, as many as there were; of a counter beyond all sense the first one as well."""
    of, node = network(is_1_1), Node(is_1_1)
    session = joined(of, node)
    session.up = 4_000_000
    for f_cnt in (3_999_999, 3_500_000, 200_000, 65_541, 9):
        assert doubted(of, node.says(f_cnt)) is Refused.REPLAYED
    session.up = 4_000_000_000
    assert doubted(of, node.says(9)) is Refused.REPLAYED


def test_a_device_that_never_joins_and_begins_anew_is_named() -> None:
    of, node = network(), Node()
    joined(of, node).abp = True
    for f_cnt in (0, 60_000, 120_000):
        believed(of, node.says(f_cnt))
    assert doubted(of, node.says(0)) is Refused.COUNTER_RESET


def test_what_is_wrong_with_a_frame_is_named() -> None:
    of, node = network(), Node()
    joined(of, node)
    phy = node.says(1)
    assert doubted(of, phy[:10] + bytes((phy[10] ^ 1,)) + phy[11:]) is Refused.WRONG_KEY
    node.addr = DevAddr.of("26011234")
    assert doubted(of, node.says(1)) is Refused.OTHER_NETWORK


def test_a_counter_that_has_run_out_begins_no_second_round() -> None:
    of, node = network(), Node()
    session = joined(of, node)
    session.up = (1 << 32) - 1
    assert doubted(of, node.says(3)) is Refused.REPLAYED


@VERSIONS
def test_what_is_wrong_with_a_join_is_named(is_1_1: bool) -> None:
    of, node = network(is_1_1), Node(is_1_1)
    backwards = Node(is_1_1, Key(APP_KEY.secret[::-1]), Key(NWK_KEY.secret[::-1]))
    assert asks(of, backwards.request()) is Refused.REVERSED_KEY
    other = Key(b"another key here")
    assert asks(of, Node(is_1_1, other, other).request()) is Refused.WRONG_KEY
    request = node.request()
    assert isinstance(asks(of, request), Joined)
    assert asks(of, request) is Refused.NONCE_REUSED
    assert asks(network(is_1_1, join_eui=DEV_EUI), node.request()) is Refused.WRONG_JOIN_EUI
    of.admit({})
    assert asks(of, node.request()) is Refused.UNKNOWN_DEVICE


@VERSIONS
@pytest.mark.parametrize("f_cnt", [0, 7, 70_011])
def test_keys_of_a_device_that_never_joins_are_tried_in_the_other_byte_order(is_1_1: bool, f_cnt: int) -> None:  # fmt: skip
    """However far it has counted before it came here; and other keys than these are not told as reversed ones."""
    of, node = network(is_1_1), Node(is_1_1)
    session = joined(of, node)
    session.abp = True
    node.keys = session.keys.backwards
    assert doubted(of, node.says(f_cnt)) is Refused.REVERSED_KEY
    node.keys = replace(session.keys, f_nwk_s_int=NWK_KEY, s_nwk_s_int=NWK_KEY)
    assert doubted(of, node.says(f_cnt)) is Refused.WRONG_KEY


def test_a_deveui_that_is_registered_in_the_other_byte_order_is_named() -> None:
    """And leads to the device that is meant; one that nobody has in either order stays unknown."""
    of, backwards = network(), Eui(DEV_EUI[::-1])
    assert asks(of, Node(dev_eui=backwards).request()) is Refused.REVERSED_EUI
    meant = of.root(backwards)
    assert meant is not None
    assert meant.device == "node-1"
    assert asks(of, Node(dev_eui=Eui(bytes(8))).request()) is Refused.UNKNOWN_DEVICE


def test_a_nonce_counts_up_or_was_never_used() -> None:
    """From 1.0.4 on a smaller one is a replay; before that they are random, and all are remembered."""
    counting, random = network(), network(counting=False)
    node = Node()
    node.nonce = 99
    for of in (counting, random):
        assert isinstance(asks(of, node.request()), Joined)
    node.nonce = 49
    assert asks(counting, node.request()) is Refused.NONCE_REUSED
    node.nonce = 49
    assert isinstance(asks(random, node.request()), Joined)
    node.nonce = 100
    assert asks(random, node.request()) is Refused.NONCE_REUSED


@VERSIONS
@pytest.mark.parametrize("counting", [False, True], ids=["random", "counting"])
def test_another_join_eui_or_version_lets_no_captured_join_in_again(is_1_1: bool, counting: bool) -> None:  # fmt: skip
    """Given anew at a running gateway, also as one whose nonces count after all, or do not; the next JoinNonce is a new one."""
    of, node = network(is_1_1, counting=not counting), Node(is_1_1)
    captured = [node.request() for _ in range(3)]
    made = [asks(of, request) for request in captured]
    known = of.root(DEV_EUI)
    assert known is not None
    of.admit(
        {DEV_EUI: replace(known, join_eui=None, counting=counting, nonces=set(), join_nonce=0)}
    )
    assert {asks(of, request) for request in captured} == {Refused.NONCE_REUSED}
    after = asks(of, node.request())
    assert isinstance(after, Joined)
    assert after.join_nonce > max(one.join_nonce for one in made if isinstance(one, Joined))


def test_another_root_key_begins_a_new_history_and_no_join_nonce_twice() -> None:
    of, node = network(), Node()
    node.nonce = 900
    made = asks(of, node.request())
    assert isinstance(made, Joined)
    other = Node(app_key=NWK_KEY)
    of.admit({DEV_EUI: Root(DeviceId("node-1"), DEV_EUI, None, NWK_KEY)})
    after = asks(of, other.request())
    assert isinstance(after, Joined)
    assert after.join_nonce == made.join_nonce + 1


def test_a_device_that_missed_the_answer_goes_on_in_its_old_session() -> None:
    """The old session ends when the new one is first spoken in."""
    of, node = network(), Node()
    joined(of, node)
    believed(of, node.says(0))
    missed = asks(of, node.request())
    assert isinstance(missed, Joined)
    believed(of, node.says(1))
    node.hear(missed.accept)
    before = node.says(2)
    assert believed(of, before).session is missed.session
    assert of.session(DeviceId("node-1")) is missed.session


def test_two_devices_of_one_address_are_told_apart_by_their_keys() -> None:
    of, node = network(), Node()
    session = joined(of, node)
    keys = join.session_keys(NWK_KEY, JoinNonce(bytes(3)), NetId(bytes(3)), DevNonce(bytes(2)))  # fmt: skip
    twin = Session(DeviceId("twin"), Eui(bytes(8)), session.dev_addr, keys)
    of.resume([twin])
    assert believed(of, node.says(0)).session is session
    node.keys = keys
    assert believed(of, node.says(0)).session is twin


@VERSIONS
def test_a_session_survives_being_written_down(is_1_1: bool) -> None:
    """In 128 bytes whatever is in it; downlinks go on behind every counter that was reserved."""
    of, node = network(is_1_1), Node(is_1_1)
    session = joined(of, node)
    for f_cnt in (0, 60_000, 70_000):
        session.settle(believed(of, node.says(f_cnt)).f_cnt)
    session.reserved, session.down = RESERVED, 3
    record = session.record()
    assert len(record) == 128
    again = Session.of(session.device, record)
    assert (again.up, again.down, again.dev_addr) == (70_000, RESERVED, session.dev_addr)
    after = Network(PLAN)
    after.resume([again])
    assert believed(after, node.says(70_001)).session is again
    assert doubted(after, node.says(69_999)) is Refused.REPLAYED


def test_a_record_of_another_form_is_none() -> None:
    with pytest.raises(ValueError, match="another form"):
        Session.of(DeviceId("node-1"), bytes(128))


# -- answers


@VERSIONS
def test_a_confirmed_uplink_is_acknowledged(is_1_1: bool) -> None:
    """In a frame that the device believes; nothing is said after one that asks for nothing."""
    of, node = network(is_1_1), Node(is_1_1)
    session = joined(of, node)
    session.reserved = RESERVED
    quiet = believed(of, node.says(0))
    assert answer(quiet, forwarders=1, snr_db=5.0, sf=7, at=NOON) is None
    uplink = believed(of, node.says(1, confirmed=True))
    said = answer(uplink, forwarders=1, snr_db=5.0, sf=7, at=NOON)
    assert said is not None
    sent = downlink(1, uplink, said, PLAN, 923_400_000, 5)
    data = parse(sent.phy)
    assert isinstance(data, Data)
    assert data.ack
    assert node.keys is not None
    assert right_mic(node.keys, data, 0, Heard(conf_f_cnt=1)) == data.mic
    assert (sent.rx1_freq_hz, sent.rx1_rate, sent.delay_s) == (923_400_000, SF7, 1.0)
    assert (sent.rx2_freq_hz, sent.rx2_rate) == (923_200_000, DataRate(10, 125_000))


def test_a_device_is_told_how_well_it_is_heard_and_what_time_it_is() -> None:
    of, node = network(), Node()
    session = joined(of, node)
    session.reserved = RESERVED
    uplink = believed(of, node.says(0, commands=b"\x02\x0d"))
    said = answer(uplink, forwarders=3, snr_db=2.5, sf=7, at=NOON)
    assert said is not None
    told, rest = commands(said.commands, DOWN)
    assert not rest
    assert told[0] == Command(Cid.LINK_CHECK, bytes((10, 3)))
    said = answer(uplink, forwarders=1, snr_db=0.0, sf=12, at=NOON)
    assert said is not None
    assert commands(said.commands, DOWN)[0][0] == Command(Cid.LINK_CHECK, bytes((20, 1)))
    seconds = int.from_bytes(told[1].payload[:4], "little")
    assert seconds == 1_462_622_418  # 2026-05-12 12:00:00 UTC, 18 leap seconds later


@VERSIONS
def test_what_waits_for_a_device_goes_with_the_next_answer(is_1_1: bool) -> None:
    of, node = network(is_1_1), Node(is_1_1)
    session = joined(of, node)
    session.reserved = session.app_reserved = RESERVED
    uplink = believed(of, node.says(0))
    waiting = Waiting(10, b"open", confirmed=True, more=True)
    said = answer(uplink, forwarders=1, snr_db=None, sf=7, at=NOON, waiting=waiting)
    assert said is not None
    data = parse(downlink(1, uplink, said, PLAN, 923_400_000, 5).phy)
    assert isinstance(data, Data)
    assert (data.mtype, data.bit_4, data.f_port) == (MType.CONFIRMED_DOWN, True, 10)
    assert node.keys is not None
    assert opened(node.keys, data, 0).payload == b"open"


def asked_to_confirm(session: Session, uplink: Uplink) -> None:
    """Answer with a confirmed downlink."""
    session.reserved = session.app_reserved = RESERVED
    waiting = Waiting(10, b"open", confirmed=True)
    said = answer(uplink, forwarders=1, snr_db=5.0, sf=7, at=NOON, waiting=waiting)
    assert said is not None
    downlink(1, uplink, said, PLAN, 923_400_000, 5)


@VERSIONS
def test_a_device_confirms_the_downlink_that_it_heard_and_not_the_last_one(is_1_1: bool) -> None:
    """A confirmed downlink goes along with every uplink, each with another counter; of some only one is heard. What confirms it is
    believed, its repetition behind the next request as well; a counter that was not asked for is none."""
    of, node = network(is_1_1), Node(is_1_1)
    session = joined(of, node)
    for f_cnt in range(5):
        asked_to_confirm(session, believed(of, node.says(f_cnt)))
    assert session.asked == 4
    confirms = node.says(5, acks=2)
    uplink = believed(of, confirms)
    assert uplink.data.ack
    asked_to_confirm(session, uplink)
    assert believed(of, confirms).again
    assert doubted(of, node.says(4, acks=1)) is Refused.REPLAYED
    if is_1_1:
        assert doubted(of, node.says(6, acks=6)) is Refused.WRONG_KEY


def test_nothing_leaves_without_a_reserved_counter() -> None:
    of, node = network(), Node()
    joined(of, node)
    uplink = believed(of, node.says(0, confirmed=True))
    said = answer(uplink, forwarders=1, snr_db=5.0, sf=7, at=NOON)
    assert said is not None
    with pytest.raises(OverflowError, match="reserved"):
        downlink(1, uplink, said, PLAN, 923_400_000, 5)


# -- one frame, many receptions


def test_who_hears_first_plays_no_part() -> None:
    """The best is by signal to noise; every order of arrival within the window gives the same."""
    copies = [heard(b"frame", n / 100, forwarder=n, snr=snr) for n, snr in enumerate((-3.0, 7.5, None))]  # fmt: skip
    results = set()
    for order in permutations(copies):
        merging = Merging()
        for at, copy in enumerate(order):
            assert merging.add(copy._replace(heard_s=at / 100))
        assert merging.due(0.19) == []
        (merged,) = merging.due(0.2)
        results.add((merged.best.forwarder, tuple(r.forwarder for r in merged.receptions)))
    assert len(results) == 1
    assert results.pop()[0] == copies[1].forwarder


def test_a_late_copy_adds_nothing_and_a_retransmission_counts() -> None:
    merging = Merging()
    merging.add(heard(b"frame", 0.0))
    assert len(merging.due(0.3)) == 1
    assert not merging.add(heard(b"frame", 0.9, forwarder=2))
    assert merging.late == 1
    assert merging.due(5.0) == []
    assert merging.add(heard(b"frame", LATE_S + 0.1))
    assert len(merging.due(LATE_S + 1)) == 1


def test_windows_close_in_the_order_they_opened() -> None:
    merging = Merging()
    for n in range(5):
        merging.add(heard(b"%d" % n, n / 10))
    assert merging.next_s == pytest.approx(0.2)
    assert [m.best.phy for m in merging.due(0.45)] == [b"0", b"1", b"2"]


def test_an_address_that_nobody_has_any_more_is_forgotten() -> None:
    """A device that joins for years leaves nothing of its old sessions behind."""
    of, node = Network(PLAN), Node()
    of.admit({DEV_EUI: Root(DeviceId("node-1"), DEV_EUI, JOIN_EUI, APP_KEY)})
    for f_cnt in range(50):
        joined(of, node)
        assert isinstance(judged(of, node.says(f_cnt)), Uplink)
    assert len(of._by_addr) == 1
    of.end([DeviceId("node-1")])
    assert not of._by_addr


# -- what is not done here


@pytest.mark.parametrize(
    ("wire", "vain"),
    [
        ("1000", Unserved.CLASS_B),
        ("12", Unserved.CLASS_B),
        ("2002", Unserved.CLASS_C),
        ("2000", None),
        ("0d", None),
        ("", None),
    ],
    ids=["ping slots", "beacon timing", "class C", "class A", "time", "nothing"],
)
def test_what_a_device_asks_for_in_vain_is_named_and_its_uplink_counts(wire: str, vain: Unserved | None) -> None:  # fmt: skip
    of, node = network(is_1_1=True), Node(is_1_1=True)
    joined(of, node)
    assert asked_for(believed(of, node.says(0, commands=bytes.fromhex(wire)))) is vain


def test_a_device_that_says_it_is_in_class_b_is_named() -> None:
    of, node = network(), Node()
    joined(of, node)
    assert asked_for(believed(of, node.says(0, in_class_b=True))) is Unserved.CLASS_B
