"""What a simulated node does that its network wants, bit by bit as LoRaWAN 1.0.4 §5 has it; and when nobody answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lorawan.plan import Plan
from gateway.lorawan.regions import PLANS
from gateway.wire.lorawan.commands import Cid, Command, link_adr_req
from gateway.wire.lorawan.identifiers import DevAddr, JoinNonce, NetId
from gateway.wire.lorawan.join import Accept
from simulators.lorawan.battery import CAPACITY_MAH, Battery
from simulators.lorawan.meters import Meter
from simulators.lorawan.touch import Touch
from simulators.lorawan.tuning import Tuning
from simulators.streams import stream

JAPAN, EUROPE = PLANS["AS923-1"], PLANS["EU868"]
DEVICE = b"\xfe\x05"


def joined(plan: Plan = JAPAN) -> Tuning:
    """A node that took over the channels of its join-accept."""
    tuning = Tuning(plan)
    nothing = JoinNonce.of("000001"), NetId.of("000000"), DevAddr.of("01020304")
    tuning.settle(Accept(*nothing, plan.rx2.dr, 1, plan.cf_list_wire()))
    return tuning


def hz(freq_hz: int) -> bytes:
    return (freq_hz // 100).to_bytes(3, "little")


def status(tuning: Tuning, *asked: Command) -> list[int]:
    """The bits of each answer."""
    return [answer.payload[0] for answer in tuning.obey(asked, DEVICE)]


def state(tuning: Tuning) -> tuple[object, ...]:
    return (tuning.dr, tuning.power_steps, tuning.repeats, dict(tuning.channels), tuning.rx2)


# -- LinkADRReq


@pytest.mark.parametrize(
    ("asked", "bits"),
    [
        (link_adr_req(3, 2, 0b111_1111), 0b111),
        (link_adr_req(3, 2, 0b1111_1111), 0b110),
        (link_adr_req(3, 2, 0), 0b110),
        (link_adr_req(1, 2, 0b11), 0b101),
        (link_adr_req(9, 2, 0b11), 0b101),
        (link_adr_req(3, 8, 0b11), 0b011),
        (link_adr_req(15, 15, 0b11), 0b111),
        (link_adr_req(3, 0, 0, control=6), 0b111),
        (link_adr_req(3, 0, 0b11, control=5), 0b110),
    ],
    ids=["all well", "no such channel", "no channel", "too slow by dwell time", "no such rate", "no such power",
         "rate and power stay", "all on", "no such control"],
)  # fmt: skip
def test_a_link_adr_request_is_obeyed_as_a_whole_or_not_at_all(asked: Command, bits: int) -> None:
    """Bits of the answer: power, data rate, channel mask (§5.2); what is refused changes nothing."""
    tuning = joined()
    before = state(tuning)
    assert status(tuning, asked) == [bits]
    if bits != 0b111:
        assert state(tuning) == before


def test_a_mask_says_where_a_node_sends_and_nb_trans_how_often() -> None:
    tuning = joined()
    status(tuning, link_adr_req(4, 3, 0b101_0001, repeat=3))
    assert list(tuning.usable()) == [0, 4, 6]
    assert (tuning.dr, tuning.power_steps, tuning.repeats) == (4, 3, 3)
    status(tuning, link_adr_req(15, 15, 0b11, repeat=0))
    assert (tuning.dr, tuning.power_steps, tuning.repeats) == (4, 3, 1)


def test_requests_that_follow_each_other_are_one_block() -> None:
    """The last one's rate, power and repeats; one answer each, all alike; refused together."""
    tuning = joined()
    assert status(tuning, link_adr_req(5, 0, 0b1), link_adr_req(3, 1, 0b11, repeat=2)) == [7, 7]
    assert (tuning.dr, tuning.power_steps, tuning.repeats) == (3, 1, 2)
    assert list(tuning.usable()) == [0, 1]
    before = state(tuning)
    assert status(tuning, link_adr_req(5, 0, 1 << 15), link_adr_req(4, 1, 0b11)) == [6, 6]
    assert state(tuning) == before


# -- the others


@pytest.mark.parametrize(
    ("said", "bits"),
    [
        (bytes((0x22,)) + hz(922_200_000), 0b111),
        (bytes((0x22,)) + hz(950_000_000), 0b110),
        (bytes((0x29,)) + hz(922_200_000), 0b100),
    ],
    ids=["well", "outside the band", "no such rate"],
)
def test_rx2_and_the_offset_of_rx1_are_set_together(said: bytes, bits: int) -> None:
    tuning = joined()
    assert status(tuning, Command(Cid.RX_PARAM_SETUP, said)) == [bits]
    new, old = ((922_200_000, 2), 3), ((923_200_000, 2), 5)
    rx2, dr = new if bits == 0b111 else old
    assert tuning.rx2 == rx2
    assert tuning.rx1(0) == (923_200_000, JAPAN.data_rates[dr])


@pytest.mark.parametrize(
    ("number", "freq_hz", "rates", "bits"),
    [
        (7, 921_400_000, 0x50, 0b11),
        (1, 921_400_000, 0x50, 0b00),
        (16, 921_400_000, 0x50, 0b00),
        (7, 950_000_000, 0x50, 0b10),
        (7, 921_400_000, 0x25, 0b01),
        (7, 921_400_000, 0x90, 0b01),
    ],
    ids=["new", "one of the region's", "too many", "outside the band", "upside down", "no such rate"],
)  # fmt: skip
def test_a_new_channel_is_taken_where_it_may_be(number: int, freq_hz: int, rates: int, bits: int) -> None:  # fmt: skip
    """Bits of the answer: data rates, frequency (§5.6)."""
    tuning = joined()
    before = dict(tuning.usable())
    asked = Command(Cid.NEW_CHANNEL, bytes((number,)) + hz(freq_hz) + bytes((rates,)))
    assert status(tuning, asked) == [bits]
    assert tuning.usable() == (before | {number: freq_hz} if bits == 0b11 else before)


def test_a_channel_of_frequency_nought_is_gone() -> None:
    tuning = joined()
    status(tuning, Command(Cid.NEW_CHANNEL, bytes((4, 0, 0, 0, 0x50))))
    assert 4 not in tuning.usable()


def test_rx1_listens_where_the_network_wants_it() -> None:
    tuning = joined()
    assert status(tuning, Command(Cid.DL_CHANNEL, b"\x02" + hz(921_600_000))) == [0b11]
    assert status(tuning, Command(Cid.DL_CHANNEL, b"\x09" + hz(921_600_000))) == [0b01]
    assert status(tuning, Command(Cid.DL_CHANNEL, b"\x02" + hz(950_000_000))) == [0b10]
    assert tuning.rx1(2)[0] == 921_600_000
    assert tuning.rx1(3)[0] == 922_400_000


def test_the_limit_of_400_ms_holds_until_the_network_lifts_it() -> None:
    """TxParamSetupReq is of AS923 (RP002-1.0.4 §2.10); others do not answer it."""
    tuning = joined()
    assert tuning.lowest == 2
    assert tuning.obey([Command(Cid.TX_PARAM_SETUP, b"\x05")], DEVICE) == [Command(Cid.TX_PARAM_SETUP)]  # fmt: skip
    assert status(tuning, link_adr_req(0, 0, 0b11)) == [0b111]
    tuning.obey([Command(Cid.TX_PARAM_SETUP, b"\x15")], DEVICE)
    assert (tuning.lowest, tuning.dr) == (2, 2)
    assert joined(EUROPE).obey([Command(Cid.TX_PARAM_SETUP, b"\x05")], DEVICE) == []


def test_answers_come_in_the_order_of_the_questions() -> None:
    asked = [
        Command(Cid.DEV_STATUS),
        link_adr_req(3, 0, 0b11),
        Command(Cid.DUTY_CYCLE, b"\x02"),
        Command(Cid.LINK_CHECK, b"\x05\x01"),
        Command(Cid.RX_TIMING_SETUP, b"\x03"),
    ]
    tuning = joined()
    answers = tuning.obey(asked, DEVICE)
    assert [one.cid for one in answers] == [Cid.DEV_STATUS, Cid.LINK_ADR, Cid.DUTY_CYCLE, Cid.RX_TIMING_SETUP]  # fmt: skip
    assert answers[0].payload == DEVICE
    assert (tuning.rests, tuning.rx_delay_s) == (3, 3.0)


_SIZES = {
    Cid.DUTY_CYCLE: 1,
    Cid.RX_PARAM_SETUP: 4,
    Cid.NEW_CHANNEL: 5,
    Cid.RX_TIMING_SETUP: 1,
    Cid.TX_PARAM_SETUP: 1,
    Cid.DL_CHANNEL: 4,
    Cid.DEV_STATUS: 0,
    Cid.LINK_ADR: 4,
}


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """Any that a network may send, with any bytes."""
    cid = draw(st.sampled_from(list(_SIZES)))
    return Command(cid, draw(st.binary(min_size=_SIZES[cid], max_size=_SIZES[cid])))


@given(st.sampled_from([JAPAN, EUROPE]), st.lists(commands(), max_size=12))
def test_whatever_is_asked_a_node_can_still_send_and_listen(plan: Plan, asked: list[Command]) -> None:  # fmt: skip
    """It has a channel for its data rate, windows that the law knows, and an answer to each question."""
    tuning = joined(plan)
    answers = tuning.obey(asked, DEVICE)
    if plan is JAPAN:
        assert [one.cid for one in answers] == [one.cid for one in asked]
    assert tuning.usable()
    rate = plan.data_rates[tuning.dr]
    for number, freq_hz in tuning.usable().items():
        assert plan.rule(freq_hz, rate) is not None
        assert tuning.rx1(number)[1] in plan.data_rates.values()
    assert plan.rule(tuning.rx2[0], plan.data_rates[tuning.rx2[1]]) is not None
    assert tuning.lowest <= tuning.dr
    assert 1 <= tuning.repeats <= 15


# -- when nobody answers


def test_a_node_asks_after_64_uplinks_and_makes_itself_heard_step_by_step() -> None:
    """Power at 96, then a data rate at 128, at 160 (LoRaWAN 1.0.4 table 9); then its own channels, once each."""
    tuning = joined()
    status(tuning, link_adr_req(4, 3, 0b1111100, repeat=3))
    touch = Touch(tuning)
    seen = []
    for _ in range(300):
        asks = touch.uplink()
        seen.append((asks, tuning.dr, tuning.power_steps, tuning.repeats, len(tuning.usable())))
    assert seen[63] == (False, 4, 3, 3, 5)
    assert seen[64] == seen[95] == (True, 4, 3, 3, 5)
    assert seen[96] == seen[127] == (True, 4, 0, 3, 5)
    assert seen[128] == (True, 3, 0, 3, 5)
    assert seen[160] == seen[191] == (True, 2, 0, 3, 5)
    assert seen[192] == seen[299] == (True, 2, 0, 1, 7)


def test_any_downlink_means_that_somebody_listens() -> None:
    tuning = joined()
    touch = Touch(tuning, limit=2, delay=2)
    assert [touch.uplink() for _ in range(4)] == [False, False, True, True]
    touch.downlink()
    assert [touch.uplink() for _ in range(3)] == [False, False, True]
    assert tuning.dr == 5


def test_who_is_as_loud_and_slow_as_can_be_asks_nobody() -> None:
    tuning = joined()
    tuning.dr = tuning.lowest
    touch = Touch(tuning, limit=2, delay=2)
    assert not any(touch.uplink() for _ in range(20))


# -- the battery


def test_a_battery_empties_by_what_is_sent_heard_and_slept() -> None:
    """An hour of sending is 40 mAh, of listening 22, of sleeping 0.03; 2.5 mA less for each step of power."""
    hour = 3_600_000_000
    loud, soft, ear, asleep = (Battery(1.0) for _ in range(4))
    loud.send(hour, 0)
    soft.send(hour, 4)
    ear.listen(hour)
    asleep.sleep(hour)
    spent = [(1 - one.share) * CAPACITY_MAH for one in (loud, soft, ear, asleep)]
    assert spent == pytest.approx([40.0, 30.0, 22.0, 0.03])


@pytest.mark.parametrize(
    ("charge", "level", "volts"),
    [(1.0, 254, 3.6), (0.5, 127, 3.6), (0.1, 26, 3.3), (0.0, 1, 3.0)],
)
def test_a_battery_tells_the_truth(charge: float, level: int, volts: float) -> None:
    """1 is empty and 254 full, 0 would be mains (§5.5); a lithium cell keeps its voltage nearly to the end."""
    battery = Battery(charge)
    assert (battery.level, battery.volts, battery.empty) == (level, volts, charge == 0.0)


def test_a_reading_carries_the_voltage_of_the_battery() -> None:
    low, none = (Meter("river_gauge", stream(7, "m"), one).read()[1] for one in (Battery(0.1), None))  # fmt: skip
    assert low["battery_v"] == pytest.approx(3.3)
    assert none.get("battery_v") is None


# -- what a data rate carries


@given(
    st.sampled_from(["AS923-1", "AS923-1-128us", "AS923-2", "AS923-4", "EU868"]),
    st.integers(0, 53),
    st.integers(0, 5),
)
def test_a_node_never_sends_a_reading_at_a_data_rate_that_may_not_carry_it(region: str, size: int, wanted: int) -> None:  # fmt: skip
    """However slow it was when it joined, whatever the network asks for, and however long nobody answers."""
    plan = PLANS[region]
    tuning = joined(plan)
    tuning.dr = tuning.lowest
    tuning.carry(size)
    assert plan.max_payload[tuning.dr] >= size
    tuning.obey([link_adr_req(wanted, 0, 0b11)], DEVICE)
    touch = Touch(tuning, 2, 1)
    for _ in range(20):
        touch.uplink()
        assert plan.max_payload[tuning.dr] >= size


def test_eighteen_bytes_leave_sf10_in_indonesia_and_stay_there_in_japan() -> None:
    """SF10 carries 11 bytes in AS923-2 and 115 in AS923-1 (RP002-1.0.4 §2.10)."""
    slow = {}
    for region in ("AS923-2", "AS923-1"):
        tuning = joined(PLANS[region])
        tuning.dr = 2
        tuning.carry(18)
        slow[region] = tuning.dr
    assert slow == {"AS923-2": 3, "AS923-1": 2}
