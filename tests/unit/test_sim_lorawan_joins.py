"""How long a node that nobody answers goes on asking (LoRaWAN 1.0.4 §7)."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.join_budget import JoinBudget

HOUR = 3_600_000_000
SF10_US = 371_000
ON_US = 5_000_000


def asked(until_us: int, pause_us: int, air_us: int) -> list[int]:
    """When requests leave that are sent as soon as may be, with a pause between."""
    budget, now, sent = JoinBudget(ON_US), ON_US, []
    while now < until_us:
        wait = budget.wait_us(now, air_us)
        if wait:
            now += wait
            continue
        budget.sent(now, air_us)
        sent.append(now)
        now += pause_us
    return sent


def test_an_hour_has_97_join_requests_at_sf10_and_the_next_ten_hours_as_many() -> None:
    """97 times 371 ms are 36 s; then 23 a day."""
    sent = asked(ON_US + 60 * HOUR, 10_000_000, SF10_US)
    hours = [(at - ON_US) // HOUR for at in sent]
    assert sum(hour < 1 for hour in hours) == 97
    assert sum(1 <= hour < 11 for hour in hours) == 97
    assert sum(11 <= hour < 35 for hour in hours) == 23
    assert sum(35 <= hour < 59 for hour in hours) == 23


def test_who_has_used_up_its_hour_waits_for_the_next() -> None:
    budget = JoinBudget(ON_US)
    budget.sent(ON_US, 36_000_000 - SF10_US)
    assert budget.wait_us(ON_US + 1, SF10_US) == 0
    budget.sent(ON_US + 1, SF10_US)
    assert budget.wait_us(ON_US + HOUR // 2, SF10_US) == HOUR // 2
    assert budget.wait_us(ON_US + HOUR, SF10_US) == 0


@given(st.integers(1_000_000, 600_000_000), st.integers(50_000, 3_000_000))
def test_no_stretch_ever_holds_more_than_its_airtime(pause_us: int, air_us: int) -> None:
    sent = asked(ON_US + 40 * HOUR, pause_us, air_us)
    edges = [0, HOUR, 11 * HOUR, 35 * HOUR, 59 * HOUR]
    for (low, high), most in zip(
        pairwise(edges), (36_000_000, 36_000_000, 8_700_000, 8_700_000), strict=True
    ):
        assert air_us * sum(low <= at - ON_US < high for at in sent) <= most
