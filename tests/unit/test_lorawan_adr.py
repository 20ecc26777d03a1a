"""Data rate, power and repetitions that the network sets: worked by hand, and a law that it comes to rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lorawan.adr import Adr
from gateway.lorawan.answers import answer, downlink
from gateway.lorawan.course import UPLINKS, Setting
from gateway.lorawan.network import Network
from gateway.lorawan.plan import Plan
from gateway.lorawan.regions import PLANS
from gateway.lorawan.session import RESERVED, Session
from gateway.lorawan.uplinks import Uplink
from gateway.wire.lorawan.commands import Cid, Command
from gateway.wire.lorawan.frames import Data, parse
from tests.fakes.node import Node
from tests.unit.test_lorawan_network import NOON, joined, judged, network

JAPAN = PLANS["AS923-1"]
TAKEN = 0b111


class Talk:
    """A device that joined, and the rule that sets it; what it is asked for is told as (data rate, power, times)."""

    def __init__(self, plan: Plan = JAPAN, margin_db: float = 10.0) -> None:
        self.of: Network = network()
        self.node = Node()
        self.session: Session = joined(self.of, self.node)
        self.session.reserved = RESERVED
        self.adr = Adr(plan, margin_db)
        self.f_cnt = -1
        self.uplink: Uplink | None = None

    def says(self, dr: int, snr_db: float | None, *, taken: int | None = None, adr: bool = True, skip: int = 0) -> Setting | None:  # fmt: skip
        """One uplink, with its word on the last request; what it is asked for then."""
        self.f_cnt += 1 + skip
        told = b"" if taken is None else Command(Cid.LINK_ADR, bytes((taken,))).wire
        found = judged(self.of, self.node.says(self.f_cnt, commands=told, adr=adr))
        assert isinstance(found, Uplink)
        self.uplink = found
        self.adr.hear(found, dr, snr_db)
        return self.asked()

    def again(self, dr: int, snr_db: float) -> Setting | None:
        """The same once more."""
        found = judged(self.of, self.node.says(self.f_cnt, adr=True))
        assert isinstance(found, Uplink)
        assert found.again
        self.adr.hear(found, dr, snr_db)
        return self.asked()

    def asked(self) -> Setting | None:
        assert self.uplink is not None
        some = self.adr.ask(self.uplink)
        if not some:
            return None
        rate_power, _low, _high, control = some[0].payload
        return Setting(rate_power >> 4, rate_power & 0x0F, control & 0x0F)

    def twenty(self, dr: int, snr_db: float, *, taken: int | None = None, skip: int = 0) -> Setting | None:  # fmt: skip
        """Twenty uplinks of the same, the first with its word; what it is asked for after the last."""
        for n in range(UPLINKS):
            found = self.says(dr, snr_db, taken=taken if n == 0 else None, skip=skip)
            assert found is None or n == UPLINKS - 1, "asked before it was listened to"
        return found


def test_ten_db_too_much_are_three_data_rates() -> None:
    """+5 dB at SF10, which needs -15, less 10: 10 dB are three steps. Then nothing is left to do: +5 at SF7 are 2.5 dB."""
    talk = Talk()
    assert talk.twenty(2, 5.0) == (5, 0, 1)
    assert talk.twenty(5, 5.0, taken=TAKEN) is None


def test_what_is_left_at_the_fastest_lowers_the_power_until_less_than_a_step_is_left() -> None:
    """+11 dB at SF7 are 8.5 too much: two steps; of 2 dB each, so 4.5 are left: a third; 2.5: rest."""
    talk = Talk()
    assert talk.twenty(5, 11.0) == (5, 2, 1)
    assert talk.twenty(5, 7.0, taken=TAKEN) == (5, 3, 1)
    assert talk.twenty(5, 5.0, taken=TAKEN) is None


def test_a_device_that_got_too_weak_is_made_stronger_and_never_slower() -> None:
    talk = Talk()
    assert talk.twenty(5, 11.0) == (5, 2, 1)
    assert talk.twenty(5, -4.0, taken=TAKEN) == (5, 0, 1)
    assert talk.twenty(5, -4.0, taken=TAKEN) is None


def test_the_best_of_twenty_counts() -> None:
    talk = Talk()
    talk.says(5, 6.0)
    for _ in range(UPLINKS - 2):
        assert talk.says(5, -7.0) is None
    assert talk.says(5, -7.0) == (5, 1, 1)


def test_a_frame_that_is_played_back_near_a_forwarder_changes_nothing() -> None:
    """Nor at another data rate: twenty faint uplinks remain what they are, and the request that they led to is repeated as it was."""
    talk = Talk()
    assert talk.twenty(5, -3.0) is None
    assert talk.again(5, 12.0) is None
    assert talk.again(2, 12.0) is None
    assert talk.says(5, -3.0) is None
    assert talk.says(5, 11.0) == (5, 2, 1)
    assert talk.again(5, 14.0) == (5, 2, 1)


def test_lost_uplinks_are_sent_more_often() -> None:
    """Every third is heard: two in three are lost, so each is sent three times."""
    talk = Talk()
    assert talk.twenty(5, 4.0, skip=2) == (5, 0, 3)


def test_who_needs_repetitions_again_once_there_are_fewer_keeps_them() -> None:
    """Sent twice nothing is lost, sent once one in six is: that would swing for ever."""
    talk = Talk()
    assert talk.twenty(5, 4.0, skip=0) is None
    for _ in range(4):
        found = talk.says(5, 4.0, skip=1)
    assert found == (5, 0, 2)
    assert talk.twenty(5, 4.0, taken=TAKEN) == (5, 0, 1)
    talk.says(5, 4.0, taken=TAKEN)
    for _ in range(UPLINKS - 5):
        talk.says(5, 4.0)
    for _ in range(4):
        found = talk.says(5, 4.0, skip=1)
    assert found == (5, 0, 2)
    assert talk.twenty(5, 4.0, taken=TAKEN) is None


@pytest.mark.parametrize(
    ("taken", "then"),
    [
        pytest.param(0b101, (4, 1, 1), id="rate"),
        pytest.param(0b011, None, id="power"),
        pytest.param(0b110, None, id="mask"),
        pytest.param(0b001, None, id="both"),
    ],
)
def test_what_was_refused_is_not_asked_again(taken: int, then: Setting | None) -> None:
    """A data rate that it refuses is the limit from then on; a refusal of full power or of its own channels ends the asking."""
    talk = Talk()
    assert talk.twenty(2, 5.0) == (5, 0, 1)
    assert talk.says(2, 5.0, taken=taken) == then


def test_a_power_that_it_does_not_have_is_the_limit() -> None:
    talk = Talk()
    assert talk.twenty(5, 20.0) == (5, 5, 1)
    assert talk.says(5, 20.0, taken=0b011) == (5, 4, 1)
    assert talk.says(5, 20.0, taken=0b011) == (5, 3, 1)
    assert talk.says(5, 20.0, taken=TAKEN) is None
    assert talk.twenty(5, 20.0) is None


def test_a_device_that_does_not_answer_is_asked_five_times_and_left_alone() -> None:
    """And twenty uplinks after a rest of two hundred it is asked again, not before."""
    talk = Talk()
    assert talk.twenty(2, 5.0) == (5, 0, 1)
    assert [talk.says(2, 5.0) for _ in range(5)] == [(5, 0, 1)] * 4 + [None]
    assert [talk.says(2, 5.0) for _ in range(219)] == [None] * 219
    assert talk.says(2, 5.0) == (5, 0, 1)


def test_of_uplinks_that_come_together_the_last_one_s_answer_asks() -> None:
    """As after an outage of the backhaul: their answers are made one after another, and are one try."""
    talk = Talk()
    talk.twenty(5, 4.0)
    first = talk.uplink
    assert talk.twenty(2, 5.0) is not None
    assert first is not None
    assert talk.adr.ask(first) == []


def test_an_answer_that_was_lost_is_seen_by_the_data_rate() -> None:
    talk = Talk()
    assert talk.twenty(2, 5.0) == (5, 0, 1)
    assert talk.says(5, 5.0) is None
    assert talk.session.course is not None
    assert talk.session.course.now == (5, 0, 1)


def test_a_device_that_went_back_by_itself_did_so_at_full_power() -> None:
    talk = Talk()
    talk.twenty(5, 11.0)
    talk.says(5, 11.0, taken=TAKEN)
    talk.says(4, 11.0)
    assert talk.session.course is not None
    assert talk.session.course.now == (4, 0, 1)


def test_who_minds_its_own_rate_is_asked_for_nothing() -> None:
    """Its ADR bit is not set: a device that moves; nor is one whose SNR nobody measures, or beyond the region's usual rates."""
    talk = Talk()
    assert [talk.says(2, 5.0, adr=False) for _ in range(30)] == [None] * 30
    assert [talk.says(2, None) for _ in range(30)] == [None] * 30
    assert [Talk(PLANS["EU868"]).twenty(6, 9.0)] == [None]


def test_where_400_ms_are_the_limit_nobody_is_set_below_the_region_s_slowest() -> None:
    short = PLANS["AS923-1-128us"]
    assert Talk(short).twenty(2, -15.0) is None
    assert Talk(short).twenty(0, 5.0) is None
    assert Talk(PLANS["US915"]).twenty(0, 20.0) == (3, 5, 1)


@pytest.mark.parametrize(
    ("region", "wire"),
    [("AS923-1", "0350000061"), ("EU868", "0350000061"), ("US915", "033000ff01")],
)
def test_a_request_leaves_the_device_the_channels_that_it_has(region: str, wire: str) -> None:
    """All that are defined, or those of the sub-band: 8 to 15 of the second one."""
    plan = PLANS[region]
    talk = Talk(plan)
    top = plan.channels[0].high
    talk.twenty(top - 1, 4.0)
    assert talk.uplink is not None
    assert [one.wire.hex() for one in talk.adr.ask(talk.uplink)] == [wire]


def test_the_request_goes_with_an_answer_that_says_who_sets_the_rate() -> None:
    """The downlink's own ADR bit; the request is a reason to answer by itself, and so is ADRACKReq without one."""
    talk = Talk()
    talk.twenty(2, 5.0)
    assert talk.uplink is not None
    said = answer(talk.uplink, forwarders=1, snr_db=5.0, sf=10, at=NOON, adr=talk.adr.ask(talk.uplink))  # fmt: skip
    assert said is not None
    data = parse(downlink(1, talk.uplink, said, JAPAN, 923_200_000, 2).phy)
    assert isinstance(data, Data)
    assert data.adr
    assert said.commands.hex() == "0350000061"
    plain = Talk()
    found = judged(plain.of, plain.node.says(0, adr=True, wants_answer=True))
    assert isinstance(found, Uplink)
    assert answer(found, forwarders=1, snr_db=5.0, sf=7, at=NOON) is not None


@given(
    full_db=st.floats(-25, 15),
    dr=st.integers(0, 5),
    weakest=st.integers(0, 7),
    loses=st.integers(0, 6),
    margin_db=st.floats(0, 30),
)
def test_it_comes_to_rest(
    full_db: float, dr: int, weakest: int, loses: int, margin_db: float
) -> None:
    """Whatever the device hears like, refuses and loses: within forty rounds of twenty uplinks nothing more is asked, and no
    setting is asked for twice by the same reason. It obeys as firmware does, at 2 dB a step, and `weakest` is all it has."""
    talk = Talk(margin_db=margin_db)
    now, told, asked = Setting(dr, 0, 1), None, []
    for n in range(40 * UPLINKS):
        skip = 1 if loses and now.repeat == 1 and n % (loses + 1) == 0 else 0
        found = talk.says(now.dr, full_db - 2 * (now.power or 0), taken=told, skip=skip)
        told = None
        if found is not None:
            asked.append((n, found))
            told = TAKEN if (found.power or 0) <= weakest else 0b011
            now = found if told == TAKEN else now
    assert now.dr >= dr
    assert not asked or asked[-1][0] < 30 * UPLINKS, asked
