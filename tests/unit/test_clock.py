"""The clocks: the machine's own, and simulated time that leaves ticks and keep-alive alone."""

from itertools import pairwise

from gateway.clock import Clock, PacedClock, SystemClock
from gateway.model.instant import DAY, HOUR, SECOND
from tests.fakes.clock import ManualClock
from tests.fakes.loop import VirtualLoop
from tests.fakes.readings import NOON


def test_every_clock_tells_microseconds_and_seconds() -> None:
    """The fakes are clocks as the real ones are."""
    loop = VirtualLoop()
    clocks: list[Clock] = [SystemClock(), PacedClock(NOON, 60.0), ManualClock(), loop]
    for clock in clocks:
        assert isinstance(clock.now(), int)
        assert clock.now() > 50 * 365 * DAY
        assert isinstance(clock.monotonic(), float)
    loop.close()


def test_time_since_boot_never_goes_back() -> None:
    clock = SystemClock()
    assert all(a <= b for a, b in pairwise(clock.monotonic() for _ in range(100)))


def test_simulated_time_starts_where_it_is_told() -> None:
    clock = PacedClock(NOON, 60.0)
    assert 0 <= clock.now() - NOON < HOUR


def test_simulated_time_runs_at_its_pace_from_its_anchor() -> None:
    """Anchored ten seconds ago at pace 60, ten minutes have passed."""
    anchor = SystemClock().now() - 10 * SECOND
    passed = PacedClock(NOON, 60.0, anchor).now() - NOON
    assert 600 * SECOND <= passed < 1200 * SECOND


def test_another_process_can_live_on_the_same_clock() -> None:
    """What `run.json` says is enough (decisions 16)."""
    first = PacedClock(NOON, 60.0)
    said = first.described()
    second = PacedClock(int(said["start_us"]), said["pace"], int(said["anchor_wall_us"]))
    before = first.now()
    assert 0 <= second.now() - before < HOUR


def test_only_the_wall_is_simulated() -> None:
    """Ticks and keep-alive stay on real seconds."""
    before = SystemClock().monotonic()
    assert before <= PacedClock(NOON, 1e6).monotonic() <= SystemClock().monotonic()
