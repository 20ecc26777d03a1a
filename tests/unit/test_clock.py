"""The clocks: the machine's own, and simulated time that leaves ticks and keep-alive alone."""

from itertools import pairwise

import pytest

from gateway.clock import Clock, SimulatedClock, SystemClock
from gateway.model.instant import DAY, HOUR
from tests.fakes.clock import ManualClock
from tests.fakes.loop import VirtualLoop
from tests.fakes.readings import NOON


def test_every_clock_tells_microseconds_and_seconds() -> None:
    """The fakes are clocks as the real ones are."""
    loop = VirtualLoop()
    clocks: list[Clock] = [SystemClock(), SimulatedClock(NOON), ManualClock(), loop]
    for clock in clocks:
        assert isinstance(clock.now(), int)
        assert clock.now() > 50 * 365 * DAY
        assert isinstance(clock.monotonic(), float)
    loop.close()


def test_time_since_boot_never_goes_back() -> None:
    clock = SystemClock()
    assert all(a <= b for a, b in pairwise(clock.monotonic() for _ in range(100)))


def test_simulated_time_moves_only_when_it_is_moved() -> None:
    """And forward only (decisions 16)."""
    clock = SimulatedClock(NOON)
    assert [clock.now(), clock.now()] == [NOON, NOON]
    clock.advance(NOON + HOUR)
    clock.advance(NOON + HOUR)
    assert clock.now() == NOON + HOUR
    with pytest.raises(ValueError, match="3600000000 µs further"):
        clock.advance(NOON)
    assert clock.now() == NOON + HOUR


def test_only_the_wall_is_simulated() -> None:
    """Ticks and keep-alive stay on real seconds."""
    before = SystemClock().monotonic()
    assert before <= SimulatedClock(NOON).monotonic() <= SystemClock().monotonic()
