"""When a connection is read, and whose fault its silence is."""

import pytest

from gateway.transports.mqtt_listener.limits import Limits
from gateway.transports.mqtt_listener.pressure import Pressure


@pytest.mark.parametrize("pending", [1, 2, 3, 1024])
def test_whatever_the_bound_reading_resumes_when_all_is_settled(pending: int) -> None:
    """A bound of one uplink is slow, not a deadlock."""
    pressure = Pressure(Limits(pending=pending))
    pressure.uplinks = pending
    assert not pressure.may_read(crowded=False)
    pressure.reading = False

    pressure.uplinks = 0

    assert pressure.may_read(crowded=False)


def test_large_payloads_weigh_by_their_bytes() -> None:
    """Few uplinks of many bytes stop the reading as well as many of few."""
    pressure = Pressure(Limits(pending_bytes=1000))
    pressure.uplinks, pressure.payload_bytes = 1, 1000

    assert not pressure.may_read(crowded=False)


def test_nobody_is_read_while_too_much_waits_in_all() -> None:
    """The door's own bound holds whoever it is that fills it."""
    assert not Pressure(Limits()).may_read(crowded=True)


def test_a_peer_that_does_not_read_has_its_silence_to_blame_on_itself() -> None:
    """Uplinks that wait for our commit excuse a silence; unread answers do not."""
    waiting, unread = Pressure(Limits()), Pressure(Limits())
    waiting.uplinks = 1
    unread.writable = False

    assert waiting.is_ours(crowded=False)
    assert not unread.is_ours(crowded=False)
