"""Which packet may carry which property: MQTT 5, §2.2.2.2, table 2-4, written down a second time."""

import pytest

from gateway.wire.mqtt import fields

TABLE = {
    fields.OF_CONNECT: {17, 21, 22, 23, 25, 33, 34, 38, 39},
    fields.OF_WILL: {1, 2, 3, 8, 9, 24, 38},
    fields.OF_CONNACK: {17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42},
    fields.OF_PUBLISH: {1, 2, 3, 8, 9, 35, 38},
    fields.OF_ACK: {31, 38},
    fields.OF_SUBSCRIBE: {11, 38},
    fields.OF_UNSUBSCRIBE: {38},
    fields.OF_DISCONNECT: {17, 28, 31, 38},
    fields.OF_AUTH: {21, 22, 31, 38},
}
"""PUBLISH as a client may send it: without a subscription identifier (§3.3.4)."""


@pytest.mark.parametrize(("ours", "standard"), TABLE.items())
def test_each_packet_has_the_properties_of_the_standard(
    ours: frozenset[int], standard: set[int]
) -> None:
    """No property is taken where the standard has none, and none is missing."""
    assert ours == standard
