"""What a start says of the end before it."""

import signal
from pathlib import Path

import pytest

from tests.e2e.processes import Gateway
from tests.e2e.radio_town import radio_town
from tests.e2e.test_lorawan import DOOR
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CUT_OFF = "The last run did not stop by itself"


def test_a_start_after_a_kill_says_what_it_may_have_cost(tmp_path: Path) -> None:
    """In words and by the settings: the window and one batch. A start after a stop says nothing of it."""
    town = radio_town(tmp_path / "town", DOOR)
    gateway = Gateway(town)
    with gateway:
        gateway.signal(signal.SIGTERM)
        gateway.process.wait(30)
    with gateway:
        assert CUT_OFF not in gateway.said()
        gateway.kill()
    with gateway:
        assert CUT_OFF in gateway.said()
        assert "in its last 0.2 s, and one batch (8,192 uplinks at most), may be gone" in gateway.said()  # fmt: skip


def test_without_a_door_for_forwarders_nothing_that_was_acknowledged_is_gone(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path / "town")
    town.enrol([])
    gateway = Gateway(town)
    with gateway:
        gateway.kill()
    with gateway:
        assert f"{CUT_OFF}: it was killed, or the machine was. What was acknowledged is on disk." in gateway.said()  # fmt: skip
        assert "never send again" not in gateway.said()
