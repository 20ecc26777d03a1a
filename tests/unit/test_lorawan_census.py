"""What radio health may know: classes of reception, of nobody, and nothing by which one frame could be seen."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.lorawan.census import Census
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import Reception
from gateway.model.instant import HOUR, MINUTE
from tests.unit.test_lorawan_network import NOON, heard

START = NOON - NOON % HOUR


def frame(rssi: float = -95.0, snr: float | None = 3.0, sf: int = 7, at: int = START, forwarder: int = 1) -> Reception:  # fmt: skip
    one = heard(b"frame", forwarder=forwarder, snr=snr)
    return one._replace(rssi_dbm=rssi, at=at, rate=DataRate(sf, 125_000))


def test_where_nobody_is_real_every_number_is_told_at_once() -> None:
    census = Census()
    for one in (frame(), frame(-125.0, -16.0, 12), frame(-80.0, 5.0, 7), frame(snr=None)):
        census.hear(one)
    census.count([frame(), frame(forwarder=1), frame(forwarder=2)])
    told = census.told(START, exact=True)
    (found,) = told["forwarders"].values()
    assert found == {
        "frames": 4,
        "rssi_dbm": {"below -120": 25.0, "-100 to -90": 50.0, "-80 and above": 25.0},
        "snr_db": {"below -15": 33.3, "0 to 5": 33.3, "5 and above": 33.3},
        "sf": {"SF7": 75.0, "SF12": 25.0},
    }
    assert told["heard_by"] == {"2": 100.0}, "two antennas of one forwarder are one"


def test_where_people_are_real_shares_are_told_of_whole_hours_with_a_hundred_frames() -> None:
    """In steps of 5 %, and never how many; of an hour with fewer nothing, until there are enough."""
    census = Census()
    for n in range(99):
        census.hear(frame(sf=7 if n < 80 else 10))
    assert census.told(START + HOUR, exact=False)["forwarders"] == {}
    census.hear(frame(sf=10, at=START + HOUR))
    assert census.told(START + HOUR + 59 * MINUTE, exact=False)["forwarders"] == {}
    (found,) = census.told(START + 2 * HOUR, exact=False)["forwarders"].values()
    assert found["frames"] is None
    assert found["sf"] == {"SF7": 80, "SF10": 20}


def test_an_hour_that_is_told_is_not_told_together_with_the_next() -> None:
    """A forwarder that hears otherwise since its antenna was moved shows it within two hours."""
    census = Census()
    for _ in range(1000):
        census.hear(frame(sf=12))
    for _ in range(200):
        census.hear(frame(sf=7, at=START + HOUR))
    (found,) = census.told(START + 2 * HOUR, exact=False)["forwarders"].values()
    assert found["sf"] == {"SF7": 100}


@given(st.integers(0, 300), st.integers(0, 3599))
def test_one_frame_more_within_an_hour_is_not_to_be_seen(before: int, second: int) -> None:
    """Whatever came before it and whenever it comes: what is told right before and after it is the same."""
    census = Census()
    for _ in range(150):
        census.hear(frame())
        census.count([frame()])
    at = START + HOUR + second * 1_000_000
    for _ in range(before):
        census.hear(frame(sf=9, at=at))
    told = json.dumps(census.told(at, exact=False))
    census.hear(frame(-60.0, 9.0, 12, at=at))
    census.count([frame(at=at)])
    assert json.dumps(census.told(at, exact=False)) == told
