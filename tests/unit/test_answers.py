"""What the door answers: every reason has one code, and the mask's outcomes have none."""

import pytest

from gateway.model.reason import Reason
from gateway.transports.mqtt_listener.answers import REFUSED, greeting
from gateway.transports.mqtt_listener.limits import Limits
from gateway.transports.mqtt_listener.reception import keep_alive_s
from gateway.wire.mqtt import fields
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.encode import connack
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Connect

MASKED = {
    Reason.INSIDE_HOME, Reason.NOT_REOPENED, Reason.POOR_ACCURACY, Reason.NO_CONSENT,
    Reason.NO_HOME, Reason.UNKNOWN_CRS, Reason.NO_FIX, Reason.ZERO_ZERO, Reason.OUTSIDE_AREA,
    Reason.LATE, Reason.RULES_CHANGED, Reason.KEY_GONE, Reason.ERASED, Reason.SIMULATED, Reason.FAULT,
    Reason.INSIDE_ZONE, Reason.STAYING, Reason.SHORT_RUN, Reason.FORGOTTEN, Reason.TOO_FAST, Reason.TOO_OLD,
    Reason.SPARSE, Reason.NO_ZONE, Reason.NO_LANE,
}  # fmt: skip
PAYLOAD = {
    Reason.UNDECODABLE, Reason.OUT_OF_RANGE, Reason.NO_READING, Reason.UNDATED, Reason.NO_CODEC,
    Reason.SCRIPT_STOPPED,
}  # fmt: skip
ELSEWHERE = {Reason.RAW_ON_BROKER}
"""Reasons that this door never has."""


def hello(version: int = 5, keep_alive: int = 60, client_id: str = "c", will: bool = False) -> Connect:  # fmt: skip
    return Connect(version, client_id, True, keep_alive, None, None, will, {})


def test_every_reason_is_the_mask_s_the_payload_s_or_has_a_code_of_its_own() -> None:
    """Decisions 2: a new reason must be thought about here."""
    assert set(Reason) == MASKED | PAYLOAD | ELSEWHERE | REFUSED.keys()
    assert not REFUSED.keys() & (MASKED | PAYLOAD)


def test_mqtt_3_1_1_is_greeted_without_properties() -> None:
    assert greeting(hello(4, will=True), Limits(), "x", 0) == {}


def test_an_ignored_will_is_said() -> None:
    texts = [
        " ".join(text for _, text in greeting(hello(will=will), Limits(), "x", 0)[fields.USER_PROPERTY])
        for will in (False, True)
    ]  # fmt: skip
    assert ["will" in text for text in texts] == [False, True]


@pytest.mark.parametrize("pending", [1, 65_535, 100_000])
def test_the_greeting_can_be_read_back(pending: int) -> None:
    """Whatever the limits, CONNACK is well formed (§2.2.2)."""
    properties = greeting(hello(client_id=""), Limits(pending=pending), "guest", 0)
    (answer,) = Framer(10_000, 5).feed(connack(5, Code.SUCCESS, properties))
    assert answer == (False, 0, properties)


@pytest.mark.parametrize(
    ("version", "asked", "in_force"),
    [(5, 60, 60), (5, 0, 100), (5, 200, 100), (4, 60, 60), (4, 0, 100), (4, 200, 200)],
)
def test_the_keep_alive_in_force(version: int, asked: int, in_force: int) -> None:
    """MQTT 3.1.1 cannot be told another one, so what it asked for holds."""
    assert keep_alive_s(hello(version, asked), Limits(keep_alive_s=100)) == in_force
