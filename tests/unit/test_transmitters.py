"""Every downlink is held against the law of the air, forwarder by forwarder, before one has it."""

from dataclasses import replace

import pytest

from gateway.lorawan.air_law import Clause, Transmission
from gateway.lorawan.calendar import TAKEN, Calendar
from gateway.lorawan.merging import Merged
from gateway.lorawan.misses import Misses
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import RX1, RX2, UNTOLD, Downlink, Reception
from gateway.lorawan.regions import PLANS
from gateway.lorawan.transmitters import Booking, Transmitters
from gateway.model.instant import parse_rfc3339
from gateway.pipeline.outbox import Outbox
from gateway.wire.lorawan.identifiers import Eui
from tests.fakes.node import DEV_EUI
from tests.fakes.notebook import Notebook

SF7, SF10 = DataRate(7, 125_000), DataRate(10, 125_000)
DOWN = Downlink(1, DEV_EUI, bytes(20), 923_200_000, SF7, 923_200_000, SF10, 1.0, 13.0)


class Way:
    """A way back that nobody takes."""

    def __init__(self, station: bool) -> None:
        self.station = station

    def send(self, downlink: Downlink) -> str | None:
        raise AssertionError(downlink)


def heard(at_s: float, forwarder: int = 1, station: bool = False) -> Reception:
    eui, noon = Eui(forwarder.to_bytes(8, "big")), parse_rfc3339("2026-05-12T12:00:00Z")
    return Reception(b"", eui, 0, 923_200_000, SF7, -80.0, 5.0, noon, at_s, Way(station))


def booked(found: Booking | Clause) -> Booking:
    assert isinstance(found, Booking), found
    return found


def windows(found: Booking | Clause) -> tuple[bool, bool]:
    downlink = booked(found).downlink
    return downlink.first, downlink.second


@pytest.fixture
def japan() -> Transmitters:
    return Transmitters(PLANS["AS923-1"].rules)


def test_two_answers_at_a_time_take_one_window_each_and_a_third_takes_another_forwarder(
    japan: Transmitters,
) -> None:
    """Japan asks for silence between: RX1 is taken, so RX2; both are taken, so the clause, once for each window."""
    assert windows(japan.book(DOWN, heard(0.0))) == (True, True)
    second = booked(japan.book(DOWN, heard(0.0)))
    assert windows(second) == (False, True)
    third = japan.book(DOWN, heard(0.0))
    assert isinstance(third, Clause)
    assert "silence" in third.says
    assert japan.refused == {str(third): 3}
    assert windows(japan.book(DOWN, heard(0.0, forwarder=2))) == (True, True)


def test_whoever_must_have_rx1_gets_no_other_window(japan: Transmitters) -> None:
    """The clause of RX1 is counted, and RX2 is neither asked for nor taken."""
    booked(japan.book(DOWN, heard(0.0)))
    found = japan.book(DOWN, heard(0.0), in_rx1=True)
    assert isinstance(found, Clause)
    assert japan.refused.total() == 1
    assert windows(japan.book(DOWN, heard(0.0))) == (False, True)


def test_a_second_forwarder_in_rx1_goes_before_the_best_one_in_rx2() -> None:
    """RX2 is slow and everybody's: it is the last thing that is tried."""
    outbox, took = Outbox(PLANS["AS923-1"].rules, Notebook()), list[tuple[str, bool]]()

    class Taking(Way):
        def __init__(self, name: str) -> None:
            super().__init__(station=False)
            self._name = name

        def send(self, downlink: Downlink) -> str | None:
            took.append((self._name, downlink.first))
            return None

    ways = [
        heard(0.0, number)._replace(way=Taking(name))
        for number, name in enumerate(("best", "next"))
    ]
    for number in range(4):
        outbox.send("answer", replace(DOWN, number=number), Merged(ways[0], tuple(ways)))
    assert took == [("best", True), ("next", True), ("best", False), ("next", False)]


@pytest.mark.parametrize("used", [RX1, RX2, None])
def test_what_was_not_sent_does_not_count(japan: Transmitters, used: int | None) -> None:
    """The window that the forwarder tells of counts, and no other one."""
    booked(japan.book(DOWN, heard(0.0))).used(used)
    assert windows(japan.book(DOWN, heard(0.0))) == (used != RX1, used != RX2)


def test_what_was_not_sent_is_given_back_to_the_sum() -> None:
    """36 s an hour in AS923-2: a hundred times that may be asked for, if none of it leaves."""
    of, slow = Transmitters(PLANS["AS923-2"].rules), DataRate(9, 125_000)
    down = replace(DOWN, rx1_freq_hz=921_400_000, rx2_freq_hz=921_400_000, rx1_rate=slow)
    for n in range(20_000):
        booked(of.book(down, heard(n / 10))).used(None)
    sent = 0
    for n in range(500):
        found = of.book(down, heard(2_000 + n))
        if isinstance(found, Clause):
            assert "36 s of any 3600 s are used up" in str(found)
            break
        found.used(RX1)
        sent += 1
    air_us = booked(of.book(down, heard(0.0, forwarder=3))).windows[RX1].air_us
    assert 35_000_000 < sent * air_us <= 36_000_000


def test_too_much_power_is_refused_in_both_windows(japan: Transmitters) -> None:
    found = japan.book(replace(DOWN, eirp_dbm=14.0), heard(0.0))
    assert isinstance(found, Clause)
    assert "13 dBm EIRP at most" in found.says


def test_a_station_is_held_to_the_rest_that_it_keeps_itself(japan: Transmitters) -> None:
    """It would drop in silence what comes sooner than ten times the airtime; a packet forwarder would not."""
    for number, (station, first) in enumerate(((True, False), (False, True))):
        for before in (0.0, 0.2):
            found = booked(japan.book(DOWN, heard(before, number, station=station)))
            assert found.downlink.first is (first or before == 0.0)


def test_what_a_forwarder_may_send_is_on_disk_before_it_is_asked() -> None:
    """And where the disk refuses, nothing is sent, nothing counts, and that is its name."""
    notebook, took = Notebook(), list[int]()
    outbox = Outbox(PLANS["AS923-2"].rules, notebook)

    class Taking(Way):
        def send(self, downlink: Downlink) -> str | None:
            assert notebook.air, "it was not written down first"
            took.append(downlink.number)
            return None

    one = heard(0.0)._replace(way=Taking(station=False))
    sending = replace(DOWN, rx1_freq_hz=921_400_000, rx2_freq_hz=921_400_000)
    notebook.works = False
    outbox.send("answer", sending, Merged(one, (one,)))
    assert (took, dict(outbox.became)) == ([], {"answer not sent: its airtime could not be written down": 1})  # fmt: skip
    notebook.works = True
    outbox.send("answer", sending, Merged(one, (one,)))
    assert took == [1]


def test_a_forwarder_that_refuses_after_the_disk_took_it_leaves_it_to_the_next() -> None:
    notebook, took = Notebook(), list[str]()
    outbox = Outbox(PLANS["AS923-2"].rules, notebook)

    class Late(Way):
        def send(self, downlink: Downlink) -> str | None:
            return f"too late for {downlink.number}"

    class Taking(Way):
        def send(self, downlink: Downlink) -> str | None:
            took.append(f"next {downlink.number}")
            return None

    ways = tuple(
        heard(0.0, n)._replace(way=way(station=False)) for n, way in enumerate((Late, Taking))
    )
    sending = replace(DOWN, rx1_freq_hz=921_400_000, rx2_freq_hz=921_400_000)
    outbox.send("answer", sending, Merged(ways[0], ways))
    assert took == ["next 1"]


def test_who_heard_the_same_bytes_on_another_channel_answers_no_try_of_this_one() -> None:
    """Behind an outage an older try is told of beside a newer one: the bytes are the same, the windows are not."""
    outbox, asked = Outbox(PLANS["AS923-1"].rules, Notebook()), list[str]()

    class Naming(Way):
        def __init__(self, name: str, refused: str | None) -> None:
            super().__init__(station=False)
            self._name, self._refused = name, refused

        def send(self, downlink: Downlink) -> str | None:
            asked.append(f"{self._name} {downlink.number}")
            return self._refused

    best = heard(0.0, 0)._replace(way=Naming("best", "too late"))
    other = heard(0.0, 1)._replace(way=Naming("other", None), freq_hz=best.freq_hz + 200_000)
    outbox.send("answer", DOWN, Merged(best, (best, other)))
    assert asked
    assert {one.split()[0] for one in asked} == {"best"}


@pytest.mark.parametrize("kept", [True, False])
def test_what_has_no_answer_is_named_by_its_frame_where_nobody_is_real(kept: bool) -> None:
    """By its MIC and why; of real frames nothing is remembered."""
    outbox = Outbox(PLANS["AS923-1"].rules, Notebook(), misses=Misses(kept=kept))

    class Refusing(Way):
        def send(self, downlink: Downlink) -> str | None:
            return f"too late for {downlink.number}"

    one = heard(0.0)._replace(way=Refusing(station=False), phy=b"frame\x01\x02\x03\x04")
    outbox.send("answer", DOWN, Merged(one, (one,)))
    named = [("01020304", "answer not sent: too late for 1")]
    assert outbox.misses.told() == (named if kept else [])
    assert outbox.became == {"answer not sent: too late for 1": 1}


@pytest.mark.parametrize("station", [False, True])
@pytest.mark.parametrize("fault", [UNTOLD, "TX_FREQ", None])
def test_what_may_have_been_sent_counts(station: bool, fault: str | None) -> None:
    """A forwarder that tells nothing, as old ones never do, uses its hour up all the same; one that says it did not send does not."""
    outbox = Outbox(PLANS["AS923-2"].rules, Notebook())

    class Taking(Way):
        def send(self, downlink: Downlink) -> str | None:
            outbox.sent(downlink.number, fault)
            return None

    for number in range(130):
        one = heard(10.0 * number, station=station)._replace(way=Taking(station))
        sending = replace(DOWN, number=number, rx1_freq_hz=921_400_000, rx1_rate=SF10, rx2_freq_hz=921_400_000)  # fmt: skip
        outbox.send("answer", sending, Merged(one, (one,)))
    used_up = [what for what in outbox.became if "are used up" in what]
    assert bool(used_up) == (fault != "TX_FREQ")


# -- RX2 is one channel for everybody


EUROPE = replace(DOWN, rx1_freq_hz=868_100_000, rx2_freq_hz=869_525_000, first=False)
"""There a forwarder owes no silence: the calendar alone keeps answers apart."""


def europe(*, met_at_s: float | None) -> Transmitters:
    """Two forwarders, the first of which has an answer in RX2 from the second 1,002 on."""
    of = Transmitters(PLANS["EU868"].rules)
    if met_at_s is not None:
        of.calendar.meet([heard(met_at_s, 1), heard(met_at_s, 2)])
    booked(of.book(EUROPE, heard(1000.0, 1)))
    return of


def test_two_that_heard_one_frame_lately_do_not_answer_in_rx2_at_a_time() -> None:
    """Nor does one of them twice; a second later it is free, and at another data rate nothing is in the way."""
    of = europe(met_at_s=900.0)
    for forwarder in (1, 2):
        assert of.book(EUROPE, heard(1000.2, forwarder)) == TAKEN
    assert of.refused[str(TAKEN)] == 2
    booked(of.book(replace(EUROPE, rx2_rate=SF7), heard(1000.2, 2)))
    booked(of.book(EUROPE, heard(1001.0, 2)))


@pytest.mark.parametrize("met_at_s", [None, 300.0])
def test_two_that_share_nobody_send_as_they_like(met_at_s: float | None) -> None:
    """Or have not shared anybody for ten minutes."""
    booked(europe(met_at_s=met_at_s).book(EUROPE, heard(1000.2, 2)))


def test_an_answer_that_may_go_in_rx1_keeps_that_alone() -> None:
    of = europe(met_at_s=900.0)
    assert windows(of.book(replace(EUROPE, first=True), heard(1000.2, 2))) == (True, False)


def test_who_fell_back_to_rx2_stands_in_the_calendar_and_who_did_not_send_does_not() -> None:
    of = Transmitters(PLANS["EU868"].rules)
    of.calendar.meet([heard(900.0, 1), heard(900.0, 2)])
    fell_back = booked(of.book(replace(EUROPE, first=True), heard(1000.0, 1)))
    fell_back.used(RX2)
    assert of.book(EUROPE, heard(1000.2, 2)) == TAKEN
    gone = booked(of.book(EUROPE, heard(1005.0, 1)))
    gone.used(None)
    booked(of.book(EUROPE, heard(1005.2, 2)))


def test_a_forwarder_has_one_law_however_it_speaks() -> None:
    """One transmitter that speaks both protocols in turn has one hour, not two."""
    of = Transmitters(PLANS["AS923-2"].rules)
    sending = replace(DOWN, rx1_freq_hz=921_400_000, rx1_rate=SF10, rx2_freq_hz=921_400_000)
    sent_us = 0
    for number in range(170):
        found = of.book(sending, heard(20.0 * number, station=bool(number % 2)))
        if not isinstance(found, Clause):
            found.used(RX1)
            sent_us += found.windows[RX1].air_us
    assert 30_000_000 < sent_us <= 36_000_000


def test_who_met_long_ago_is_forgotten_and_the_calendar_stays_small() -> None:
    """Of thousands of forwarders and frequencies nothing stays that is over."""
    of = Calendar()
    for number in range(400):
        of.meet([heard(10.0 * number, 2 * number), heard(10.0 * number, 2 * number + 1)])
        of.enter(Transmission(10.0 * number, 900_000_000 + number, SF7, 50_000, 13.0), heard(0, 1).forwarder)  # fmt: skip
    assert len(of._met) + len(of._met_before) <= 62
    assert len(of._entries) <= 2
