"""What may be sent and when, each rule of each region, and laws that no sequence of transmissions breaks."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.lorawan.air_law import AirLaw, Transmission
from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate
from gateway.lorawan.regions import PLANS
from gateway.lorawan.rules import HOUR, SECOND, Pause, Share, SubBand

SF7, SF8, SF10, SF12 = (DataRate(sf, 125_000) for sf in (7, 8, 10, 12))
LOW_HZ, HIGH_HZ = 922_200_000, 923_200_000


def frame(
    at_s: float, size: int = 25, rate: DataRate = SF7, freq_hz: int = HIGH_HZ, eirp: float = 13.0
) -> Transmission:
    return Transmission(at_s, freq_hz, rate, airtime_us(size, rate), eirp)


def law(name: str, *sent: Transmission, station: bool = False) -> AirLaw:
    made = AirLaw(PLANS[name].rules, station=station)
    for one in sent:
        made.sent(one)
    return made


def refusal(of: AirLaw, asked: Transmission) -> str:
    clause = of.allow(asked)
    assert clause is not None
    return str(clause)


# -- Japan


def test_japan_permits_thirteen_decibels_and_names_the_clause_of_more() -> None:
    japan = law("AS923-1")
    assert japan.allow(frame(0.0)) is None
    said = refusal(japan, frame(0.0, eirp=14.0))
    assert "13 dBm EIRP at most; this is 14 dBm" in said
    assert "ARIB STD-T108 part 2 §3.4.1" in said


def test_japan_permits_four_seconds_after_five_milliseconds_of_listening() -> None:
    """And 400 ms after 128 µs, which the slowest data rates exceed."""
    slow = frame(0.0, size=64, rate=SF12)
    assert 400_000 < slow.air_us < 4_000_000
    assert law("AS923-1").allow(slow) is None
    assert "4000 ms at most" in refusal(law("AS923-1"), frame(0.0, size=200, rate=SF12))
    assert "400 ms at most" in refusal(law("AS923-1-128us"), slow)


def test_japan_asks_for_fifty_milliseconds_of_silence() -> None:
    """On every channel of the transmitter, before as well as after what is already promised."""
    first = frame(10.0)
    japan = law("AS923-1", first)
    end_s = 10.0 + first.air_us / SECOND
    assert "silence" in refusal(japan, frame(end_s + 0.049, freq_hz=LOW_HZ))
    assert japan.allow(frame(end_s + 0.0501, freq_hz=LOW_HZ)) is None
    assert "silence" in refusal(japan, frame(10.0 - first.air_us / SECOND - 0.049))
    assert japan.allow(frame(10.0 - first.air_us / SECOND - 0.0501)) is None


def test_short_listening_asks_for_ten_times_the_silence_after_a_long_frame() -> None:
    """More than 200 ms; 2 ms after anything shorter."""
    long, short = frame(0.0, 17, SF10), frame(0.0)
    assert long.air_us > 200_000 > short.air_us
    after_long, after_short = law("AS923-1-128us", long), law("AS923-1-128us", short)
    air_s = long.air_us / SECOND
    assert "silence" in refusal(after_long, frame(10.9 * air_s))
    assert after_long.allow(frame(11.1 * air_s)) is None
    assert after_short.allow(frame(short.air_us / SECOND + 0.003)) is None


def test_short_listening_has_360_seconds_of_an_hour() -> None:
    """All channels together; long listening has no sum."""
    japan, begun_s, spent = law("AS923-1-128us"), 0.0, 0
    long_japan = law("AS923-1")
    while japan.allow(one := frame(begun_s, 25, SF8, 922_400_000 + 200_000 * (round(begun_s) % 3))) is None:  # fmt: skip
        japan.sent(one)
        long_japan.sent(one)
        spent += one.air_us
        begun_s += 0.2
    assert 354 < spent / SECOND <= 360
    assert "360 s of any 3600 s" in refusal(japan, one)
    assert "carrier sense of 128 µs" in refusal(japan, one)
    assert "360 s" in refusal(japan, frame(begun_s, 25, SF8, 927_000_000))
    assert long_japan.allow(one) is None


def test_a_basics_station_keeps_a_channel_to_a_tenth() -> None:
    """It drops what comes sooner, silently; a UDP forwarder sends it."""
    first = frame(0.0)
    air_s = first.air_us / SECOND
    station = law("AS923-1", first, station=True)
    assert "Basics Station" in refusal(station, frame(9.9 * air_s))
    assert station.allow(frame(9.9 * air_s, freq_hz=LOW_HZ)) is None
    assert station.allow(frame(10.1 * air_s)) is None
    assert law("AS923-1", first).allow(frame(9.9 * air_s)) is None


def test_a_basics_station_of_europe_has_three_purses() -> None:
    """867 MHz shares a thousandth with 863 MHz, 868 MHz a hundredth with 869.8 MHz; the half watt has a tenth."""
    first = frame(0.0, freq_hz=867_100_000)
    air_s = first.air_us / SECOND
    station = law("EU868", first, station=True)
    assert "rests 1000 times" in refusal(station, frame(999 * air_s, freq_hz=863_500_000))
    assert station.allow(frame(1001 * air_s, freq_hz=863_500_000)) is None
    assert station.allow(frame(2 * air_s, freq_hz=868_100_000)) is None
    station = law("EU868", frame(0.0, freq_hz=868_100_000), station=True)
    assert "rests 100 times" in refusal(station, frame(99 * air_s, freq_hz=869_850_000))
    assert station.allow(frame(2 * air_s, freq_hz=869_525_000)) is None


@pytest.mark.parametrize(
    ("freq_hz", "rate"),
    [(920_400_000, SF7), (923_600_000, SF7), (923_000_000, DataRate(7, 250_000))],
)
def test_japan_permits_its_channels_alone(freq_hz: int, rate: DataRate) -> None:
    assert "nothing may be sent on" in refusal(law("AS923-1"), frame(0.0, 25, rate, freq_hz))


# -- elsewhere


@pytest.mark.parametrize(
    ("freq_hz", "eirp", "permitted_s"),
    [
        (864_100_000, 16.0, 3.6),
        (867_100_000, 16.0, 36.0),
        (868_300_000, 16.0, 36.0),
        (868_900_000, 16.0, 3.6),
        (869_525_000, 29.0, 360.0),
        (869_850_000, 16.0, 36.0),
    ],
)
def test_europe_permits_its_share_of_an_hour_by_sub_band(
    freq_hz: int, eirp: float, permitted_s: float
) -> None:
    """0.1, 1 or 10 %, of which the coarse count takes less than a sixtieth; then nothing until an hour is over."""
    europe = law("EU868")
    begun_s, spent = 0.0, 0
    while europe.allow(frame(begun_s, 25, SF12, freq_hz, eirp)) is None:
        one = frame(begun_s, 25, SF12, freq_hz, eirp)
        europe.sent(one)
        spent += one.air_us
        begun_s += 2.0
    assert permitted_s - 1.5 < spent / SECOND <= permitted_s
    assert europe.allow(frame(begun_s + 3700, 25, SF12, freq_hz, eirp)) is None


def test_europe_counts_the_channels_of_a_sub_band_together() -> None:
    sent = [frame(2.0 * n, 25, SF12, 868_100_000) for n in range(24)]
    europe = law("EU868", *sent)
    assert "36 s of any 3600 s" in refusal(europe, frame(60.0, 25, SF12, 868_500_000))
    assert europe.allow(frame(60.0, 25, SF12, 867_100_000)) is None


@pytest.mark.parametrize("freq_hz", [868_650_000, 869_300_000, 869_675_000, 862_000_000])
def test_europe_leaves_the_alarms_alone(freq_hz: int) -> None:
    assert "nothing may be sent" in refusal(law("EU868"), frame(0.0, freq_hz=freq_hz))


def test_europe_permits_half_a_watt_in_one_sub_band_alone() -> None:
    europe = law("EU868")
    assert europe.allow(frame(0.0, freq_hz=869_525_000, eirp=29.0)) is None
    assert "16.15 dBm" in refusal(europe, frame(0.0, freq_hz=868_100_000, eirp=17.0))


def test_america_limits_the_hopping_channels_and_not_the_wide_ones() -> None:
    """400 ms within 20 s on a channel of 125 kHz; at 500 kHz only the power."""
    america, hop_hz = law("US915"), 903_900_000
    first = frame(0.0, 24, SF10, hop_hz)
    assert america.allow(first) is None
    america.sent(first)
    assert "0.4 s of any 20 s" in refusal(america, frame(10.0, 24, SF10, hop_hz))
    assert america.allow(frame(10.0, 24, SF10, 904_100_000)) is None
    assert america.allow(frame(21.0, 24, SF10, hop_hz)) is None
    assert "400 ms at most" in refusal(america, frame(30.0, 60, SF10, hop_hz))
    wide = frame(0.0, 66, DataRate(12, 500_000), 923_300_000, 26.0)
    assert wide.air_us > 400_000
    assert america.allow(wide) is None


def test_the_other_groups_have_a_hundredth_and_400_milliseconds() -> None:
    for name in ("AS923-2", "AS923-3", "AS923-4"):
        freq_hz = PLANS[name].rx2.freq_hz
        assert "400 ms at most" in refusal(law(name), frame(0.0, 40, SF10, freq_hz))
        assert law(name).allow(frame(0.0, 17, SF10, freq_hz, 16.0)) is None
        sent = [frame(1.0 * n, 17, SF10, freq_hz) for n in range(120)]
        assert "36 s of any 3600 s" in refusal(law(name, *sent), frame(130.0, 17, SF10, freq_hz))


@pytest.mark.parametrize(
    ("name", "rate", "frames"),
    [
        ("AS923-1", SF7, 32_230),
        ("AS923-1", SF12, 2_348),
        ("AS923-1-128us", SF8, 3_181),
        ("AS923-1-128us", SF12, 0),
        ("EU868", SF12, 24),
        ("US915", SF10, 0),
        ("US915", SF8, 540),
    ],
)
def test_so_many_frames_of_25_bytes_an_hour_are_legal(
    name: str, rate: DataRate, frames: int
) -> None:
    """By the silence between them (62 and 50 ms), by the sum, or by the length of a single one."""
    rule = next(r for r in PLANS[name].rules if r.holds(PLANS[name].channels[0].freq_hz, 125_000))
    assert rule.an_hour(airtime_us(25, rate)) == frames


# -- laws

RULES = (
    SubBand(900, 1000, "law", 13.0, 10, pauses=(Pause(fixed_us=50_000),), share=Share(20 * SECOND, 60 * SECOND)),
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.floats(0.0, 6.0), st.floats(-5.0, 5.0), st.integers(1_000, 4_000_000)),
    min_size=1,
    max_size=80,
)


def obeyed(steps: Sequence[tuple[float, float, int]]) -> list[tuple[int, int]]:
    """What a transmitter sends that asks first; windows lie a little before or behind one another."""
    of, now_s, sent = AirLaw(RULES), 10.0, []
    for step_s, aside_s, air_us in steps:
        now_s += step_s
        asked = Transmission(now_s + aside_s, 950, DataRate(7, 10), air_us, 10.0)
        if of.allow(asked) is None:
            of.sent(asked)
            sent.append((asked.at_us, asked.at_us + air_us))
    return sorted(sent)


@settings(max_examples=200)
@given(STEPS)
def test_no_stretch_of_time_ever_holds_more_than_its_share(
    steps: list[tuple[float, float, int]],
) -> None:
    """Wherever the stretch begins or ends: the worst ones begin or end with a transmission."""
    sent = obeyed(steps)
    within = RULES[0].share
    assert within is not None
    edges = [begin for begin, _end in sent] + [end - within.within_us for _begin, end in sent]
    for edge in edges:
        until = edge + within.within_us
        on_air = sum(max(0, min(end, until) - max(begin, edge)) for begin, end in sent)
        assert on_air <= within.most_us


@given(STEPS)
def test_no_silence_is_ever_broken(steps: list[tuple[float, float, int]]) -> None:
    for (_begin, end), (begin, _end) in pairwise(obeyed(steps)):
        assert begin - end >= 50_000


@given(STEPS, st.lists(st.integers(0, 2), min_size=80, max_size=80))
def test_a_basics_station_never_drops_what_was_allowed(
    steps: list[tuple[float, float, int]], channels: list[int]
) -> None:
    """Held against the station's own count: a channel is free again ten airtimes after the last start."""
    of, now_s = AirLaw(PLANS["AS923-1"].rules, station=True), 0.0
    free_us = [0, 0, 0]
    for (step_s, _aside_s, air_us), channel in zip(steps, channels, strict=False):
        now_s += step_s
        asked = Transmission(now_s, 922_200_000 + 200_000 * channel, SF7, air_us, 13.0)
        if of.allow(asked) is None:
            assert asked.at_us >= free_us[channel]
            of.sent(asked)
            free_us[channel] = asked.at_us + 10 * air_us


def test_memory_does_not_grow() -> None:
    """Two days of transmissions on eight channels: what is kept is of three hours at most, in minutes."""
    of = AirLaw(PLANS["AS923-1-128us"].rules, station=True)
    for nth in range(2 * 24 * 3600 // 20):
        of.sent(frame(nth * 20.0, freq_hz=922_400_000 + 200_000 * (nth % 8)))
    (hour,) = of._sums.values()
    assert len(hour.parts) <= 3 * 60 + 1
    assert len(of._pauses._recent) < 5
    assert [len(rest._recent) for rest in of._rests.values()] == [1] * 8


def test_an_hour_of_nothing_gives_everything_back() -> None:
    sent = [frame(2.0 * n, 25, SF12, 868_100_000) for n in range(24)]
    assert law("EU868", *sent).allow(frame(48 + HOUR / SECOND + 61, 25, SF12, 868_100_000)) is None
