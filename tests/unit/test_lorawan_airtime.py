"""Time on air against figures that others published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lorawan.airtime import FRAME, airtime_us
from gateway.lorawan.plan import DataRate
from gateway.lorawan.regions import PLANS

NARROW = 125_000


@pytest.mark.parametrize(
    ("sf", "milliseconds"), [(7, 62), (8, 113), (9, 206), (10, 412), (11, 823), (12, 1483)]
)
def test_twelve_bytes_of_an_application(sf: int, milliseconds: int) -> None:
    """25 bytes on the air at 125 kHz."""
    assert round(airtime_us(12 + FRAME, DataRate(sf, NARROW)) / 1000) == milliseconds


@pytest.mark.parametrize(
    ("size", "coding", "header", "low_rate", "symbols"),
    [
        (13, 5, True, False, 23),
        (13, 6, True, False, 26),
        (13, 5, False, False, 18),
        (50, 5, True, True, 58),
    ],
)
def test_symbols_of_a_payload_as_another_server_counts_them(
    size: int, coding: int, header: bool, low_rate: bool, symbols: int
) -> None:
    """Rows of brocaar/lorawan's test of SF12 (MIT): a payload's symbols behind 12.25 of preamble."""
    air = airtime_us(size, DataRate(12, NARROW), coding=coding, header=header, low_rate=low_rate)
    assert air == (4 * symbols + 49) * 32_768 // 4


def test_one_frame_as_another_server_times_it() -> None:
    """Its one whole airtime: 13 bytes at SF12 without the optimisation are 1,155.072 ms."""
    assert airtime_us(13, DataRate(12, NARROW), low_rate=False) == 1_155_072


@pytest.mark.parametrize(
    ("size", "rate", "coding", "low_rate", "microseconds"),
    [
        (64, DataRate(12, 125_000), 5, False, 2_465_792),
        (64, DataRate(12, 125_000), 5, True, 2_793_472),
        (255, DataRate(7, 500_000), 5, False, 99_904),
        (255, DataRate(7, 500_000), 5, True, 137_024),
        (60, DataRate(12, 125_000), 8, None, 3_809_280),
    ],
)
def test_frames_that_others_timed(
    size: int, rate: DataRate, coding: int, low_rate: bool | None, microseconds: int
) -> None:
    """Four of tanupoo/lorawan_toa's tests; the last one measured on a RAK radio (MeshCore, pull request 2218: 3,809 ms)."""
    assert airtime_us(size, rate, coding=coding, low_rate=low_rate) == microseconds


def test_the_longest_payload_of_400_ms_is_the_published_one() -> None:
    """11, 53, 125 and 242 bytes of SF10 to SF7 fit into 400 ms, and one more does not (242 is LoRaWAN's own limit)."""
    for name in ("AS923-2", "US915"):
        plan = PLANS[name]
        for number in (n for n in plan.max_payload if plan.data_rates[n].bw_hz == NARROW):
            rate, most = plan.data_rates[number], plan.max_payload[number]
            assert airtime_us(most + FRAME, rate) <= 400_000
            assert most == 242 or airtime_us(most + FRAME + 1, rate) > 400_000


def test_the_optimisation_begins_at_sixteen_milliseconds_a_symbol() -> None:
    """SF11 and SF12 at 125 kHz, SF12 at 250 kHz, none at 500 kHz."""
    for bw_hz, first in ((125_000, 11), (250_000, 12), (500_000, 13)):
        for sf in range(7, 13):
            rate = DataRate(sf, bw_hz)
            assert airtime_us(40, rate) == airtime_us(40, rate, low_rate=sf >= first)


def test_the_fast_spreading_factors_have_a_formula_of_their_own() -> None:
    """SF6 and SF5 as the SX1261/2 datasheet §6.1.4 has them: no 8 in the bracket, 6.25 symbols behind the preamble."""
    assert airtime_us(12, DataRate(6, NARROW)) == (8 + 6.25 + 8 + 25) * 512
    assert airtime_us(12, DataRate(5, NARROW)) == (8 + 6.25 + 8 + 30) * 256


RATES = st.builds(DataRate, st.integers(5, 12), st.sampled_from([125_000, 250_000, 500_000]))


@given(st.integers(0, 254), RATES, st.integers(5, 7), st.booleans(), st.booleans())
def test_more_of_anything_takes_longer(
    size: int, rate: DataRate, coding: int, crc: bool, header: bool
) -> None:
    """Never less for a byte more, a slower code or a CRC; and twice as long at half the bandwidth, symbol for symbol."""
    air = airtime_us(size, rate, coding=coding, crc=crc, header=header, low_rate=False)
    more = {"crc": crc, "header": header, "low_rate": False}
    assert airtime_us(size + 1, rate, coding=coding, **more) >= air
    assert airtime_us(size, rate, coding=coding + 1, **more) >= air
    assert airtime_us(size, rate, coding=coding, crc=True, header=header, low_rate=False) >= air
    half = DataRate(rate.sf, rate.bw_hz // 2)
    assert airtime_us(size, half, coding=coding, **more) == 2 * air


@pytest.mark.parametrize(
    ("size", "sf", "coding"), [(256, 7, 5), (10, 4, 5), (10, 13, 5), (10, 7, 9)]
)
def test_what_lora_cannot_send_has_no_airtime(size: int, sf: int, coding: int) -> None:
    with pytest.raises(ValueError, match="255 bytes"):
        airtime_us(size, DataRate(sf, NARROW), coding=coding)
