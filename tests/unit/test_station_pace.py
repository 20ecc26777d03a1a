"""How fast a station may speak, whatever it does."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.transports.basics_station.pace import Pace

RATE = 50.0


@given(st.lists(st.floats(0, 0.5), max_size=300))
def test_no_second_brings_more_than_the_rate_and_one_burst(gaps_s: list[float]) -> None:
    """Of messages that come as fast as they are read."""
    pace = Pace(RATE, 0.0)
    now_s = 0.0
    for read, gap_s in enumerate(gaps_s, 1):
        now_s += gap_s
        now_s += pace.owed_s(now_s)
        assert read <= RATE * (now_s + 1) + 1e-6


@given(st.integers(1, 300))
def test_whoever_stays_below_the_rate_never_waits(count: int) -> None:
    pace = Pace(RATE, 0.0)
    assert not any(pace.owed_s(n / RATE) for n in range(1, count + 1))


def test_a_burst_is_read_at_once() -> None:
    pace = Pace(RATE, 0.0)
    waits = [pace.owed_s(0.0) for _ in range(int(RATE) + 1)]
    assert not any(waits[:-1])
    assert waits[-1] > 0
