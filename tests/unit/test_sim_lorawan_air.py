"""The air between nodes and forwarders: strength, capture, the preamble, deafness and demodulators."""

from collections.abc import Mapping
from math import isclose

import pytest

from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate
from simulators.lorawan.air import DEMODULATORS, Air, Fate, Frame, whole
from simulators.lorawan.links import Links, plain_loss_db
from simulators.lorawan.meters import masts
from simulators.streets import Point

SF7, SF8, SF12 = (DataRate(sf, 125_000) for sf in (7, 8, 12))
SYMBOL_US = 1024
AIR_US = airtime_us(20, SF7)


def frame(begin_us: int, powers: Mapping[str, float] | float, rate: DataRate = SF7, freq_hz: int = 923_200_000) -> Frame:  # fmt: skip
    def strength(antenna: str) -> float:
        return powers if isinstance(powers, float) else powers[antenna]

    return Frame(begin_us, airtime_us(20, rate), freq_hz, rate, strength)


def judged(*frames: Frame) -> list[Fate]:
    """Their fates at one forwarder."""
    air = Air(["roof"])
    for one in frames:
        air.begin(one)
    return [air.fates(one)["roof"] for one in frames]


@pytest.mark.parametrize(
    ("rate", "weakest"), [(SF7, -123.0), (SF8, -126.0), (SF12, -137.0)], ids=["SF7", "SF8", "SF12"]
)
def test_a_frame_is_heard_down_to_the_sensitivity_of_its_spreading_factor(
    rate: DataRate, weakest: float
) -> None:
    assert judged(frame(0, weakest, rate)) == [Fate.HEARD]
    assert judged(frame(0, weakest - 0.1, rate)) == [Fate.WEAK]


@pytest.mark.parametrize(
    ("other_dbm", "fates"),
    [
        (-94.5, [Fate.COLLIDED, Fate.COLLIDED]),
        (-106.0, [Fate.HEARD, Fate.COLLIDED]),
        (-94.0, [Fate.COLLIDED, Fate.HEARD]),
    ],
    ids=["5.5 dB apart", "6 dB weaker", "6 dB stronger"],
)
def test_of_two_frames_the_one_that_is_6_db_stronger_survives(
    other_dbm: float, fates: list[Fate]
) -> None:
    assert judged(frame(0, -100.0), frame(AIR_US // 2, other_dbm)) == fates


def test_what_ends_within_the_first_symbols_of_a_preamble_does_no_harm() -> None:
    """Three symbols of eight may be lost: five are enough to lock on to."""
    harmless = frame(3 * SYMBOL_US, -100.0)
    assert judged(frame(3 * SYMBOL_US - AIR_US + 3 * SYMBOL_US, -100.0), harmless)[1] is Fate.HEARD
    late = frame(3 * SYMBOL_US - AIR_US + 3 * SYMBOL_US + 1, -100.0)
    assert judged(late, harmless)[1] is Fate.COLLIDED


def test_other_channels_are_not_in_the_way_and_other_spreading_factors_only_from_16_db_on() -> None:
    one = frame(0, -100.0)
    assert judged(one, frame(0, -60.0, freq_hz=923_400_000))[0] is Fate.HEARD
    assert judged(one, frame(0, -84.5, SF8))[0] is Fate.HEARD
    assert judged(one, frame(0, -83.5, SF8))[0] is Fate.COLLIDED


def test_a_forwarder_is_deaf_while_it_sends_whatever_part_of_a_frame_that_is() -> None:
    air = Air(["roof", "tower"])
    down = frame(100_000, -100.0)
    air.send("roof", down)
    touching, behind = frame(down.end_us - 1, -100.0), frame(down.end_us, -60.0)
    for one in (touching, behind):
        air.begin(one)
    assert air.fates(touching)["roof"] is Fate.DEAF
    assert air.fates(behind) == {"roof": Fate.HEARD, "tower": Fate.HEARD}


def test_the_ninth_frame_at_once_finds_no_demodulator_where_eight_are_strong_enough() -> None:
    channels = [923_200_000 + 200_000 * n for n in range(DEMODULATORS + 1)]
    frames = [frame(n, -100.0, freq_hz=hz) for n, hz in enumerate(channels)]
    assert judged(*frames) == [Fate.HEARD] * DEMODULATORS + [Fate.BUSY]
    weak = [frame(n, -124.0, freq_hz=hz) for n, hz in enumerate(channels[:-1])]
    assert judged(*weak, frames[-1])[-1] is Fate.HEARD


def test_a_downlink_may_collide_with_another_and_never_with_uplinks() -> None:
    """Downlinks are sent with the signal turned upside down."""
    air = Air(["roof", "tower"])
    near, far = frame(0, {"node": -90.0}), frame(10, {"node": -95.0})
    air.begin(frame(0, {"node": -30.0, "roof": -30.0, "tower": -30.0}))
    air.send("roof", near)
    assert air.reaches(near, "node") is Fate.HEARD
    air.send("tower", far)
    assert air.reaches(near, "node") is Fate.COLLIDED


def test_a_frame_as_a_whole_is_heard_if_one_forwarder_hears_it() -> None:
    assert whole({"a": Fate.WEAK, "b": Fate.HEARD}) is Fate.HEARD
    assert whole({"a": Fate.WEAK, "b": Fate.DEAF, "c": Fate.COLLIDED}) is Fate.COLLIDED
    assert whole({}) is Fate.WEAK


def test_loss_grows_by_the_slope_that_was_measured() -> None:
    """128.95 dB at a kilometre, 23.2 dB more for every ten times as far."""
    assert isclose(plain_loss_db(1000), 128.95)
    assert isclose(plain_loss_db(10_000) - plain_loss_db(1000), 23.2)
    assert plain_loss_db(0.0) == plain_loss_db(10.0)


@pytest.mark.parametrize("many", [1, 4, 5, 98])
def test_forwarders_stand_apart_all_over_the_town(many: int) -> None:
    places = masts(many)
    assert len(set(places)) == many
    assert all(0 < place.x < 3000 and 0 < place.y < 2200 for place in places)


def test_what_stands_between_two_antennas_is_the_same_both_ways_and_for_the_same_seed() -> None:
    places = {"a": Point(0, 0), "b": Point(1000, 0), "c": Point(0, 1000)}
    links = Links(7, places)
    assert links.loss_db("a", "b") == links.loss_db("b", "a") == Links(7, places).loss_db("a", "b")
    assert len({links.loss_db("a", "b"), links.loss_db("a", "c"), Links(8, places).loss_db("a", "b")}) == 3  # fmt: skip


@pytest.mark.parametrize(
    ("from_us", "told"),
    [(round(20.25 * SYMBOL_US), True), (round(20.25 * SYMBOL_US) - 1, False)],
    ids=["its header had been read", "into its header"],
)
def test_what_collides_is_told_of_with_a_wrong_crc_where_its_header_had_been_read(from_us: int, told: bool) -> None:  # fmt: skip
    """A concentrator knows from the header that a frame comes; without one there is nothing to tell of."""
    air = Air(["roof"])
    one, other = frame(0, -100.0), frame(from_us, -100.0)
    for sent in (one, other):
        air.begin(sent)
    assert air.fates(one)["roof"] is Fate.COLLIDED
    assert air.is_told_of(one, "roof") is told
    assert not air.is_told_of(other, "roof")
