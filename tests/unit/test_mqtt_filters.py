"""Topic filters, by the examples of the MQTT 5 standard, §4.7."""

import pytest

from gateway.wire.mqtt import encode
from gateway.wire.mqtt.filters import fault, matches, shared

PLAYER = "sport/tennis/player1"


@pytest.mark.parametrize(
    ("text", "topic", "found"),
    [
        ("sport/tennis/player1/#", PLAYER, True),
        ("sport/tennis/player1/#", f"{PLAYER}/ranking", True),
        ("sport/tennis/player1/#", f"{PLAYER}/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", PLAYER, True),
        ("sport/tennis/+", PLAYER, True),
        ("sport/tennis/+", f"{PLAYER}/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/broker", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/broker", True),
        ("ACCOUNTS", "Accounts", False),
    ],
)
def test_a_filter_takes_what_the_standard_says(text: str, topic: str, found: bool) -> None:
    """Every example of §4.7.1 to §4.7.3."""
    assert matches(text, topic) is found


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("sport/tennis/#", True),
        ("+/tennis/#", True),
        ("sport/+/player1", True),
        ("/", True),
        ("sport/tennis#", False),
        ("sport/tennis/#/ranking", False),
        ("sport+", False),
        ("", False),
        ("a\0", False),
    ],
)
def test_a_filter_is_well_formed_or_not(text: str, good: bool) -> None:
    """The standard's examples of valid and invalid filters."""
    assert (fault(text) is None) is good


def test_a_shared_subscription_names_its_group() -> None:
    """§4.8.2: $share, the name, the filter; and each filter of a SUBSCRIBE has options of its own."""
    assert shared("gateways", "a/+") == "$share/gateways/a/+"
    assert encode.subscribe_each(5, 2, [("a", 0x21), ("b", 0)]) == bytes.fromhex(
        "820b 0002 00 000161 21 000162 00"
    )
