"""Flat JSON of bridges: whose it is, what it says, and what is no reading."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.devices.addressing import Addresses
from gateway.devices.codecs import declare_codecs
from gateway.devices.mapping import Mapped, Source
from gateway.model.device import Device, Directory
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId
from gateway.model.uplink import Route
from gateway.wire.envelopes.event import Event
from gateway.wire.envelopes.flat import open_json

STATION = Device(
    DeviceId("yard"), "weather_station", "16201", 0, attributes={"codec": "zigbee_air"}
)
CODEC = Mapped(
    "zigbee_air",
    "weather_station",
    {"t": Source(("last_seen",)), "temperature_c": Source(("temperature",))},
    one_of=("temperature_c",),
)
READING = b'{"temperature": "21.4", "linkquality": 120, "last_seen": "2026-05-12T12:00:00+09:00"}'


def decoded(topic: str, payload: bytes, **attributes: Any) -> tuple[Any, int | None, int | None]:
    """Document, device time and counter, as the station's route has them."""
    declare_codecs([CODEC])
    device = replace(STATION, attributes={**STATION.attributes, **attributes})
    enclosed = open_json(topic, payload)
    route = Addresses(Directory({device.device: device}, {})).route(enclosed)
    assert isinstance(route, Route)
    document, at, counter = route.decode(enclosed.uplink, device)
    return document, at, counter


def test_a_friendly_name_is_the_device_s_id() -> None:
    """A number that came as a text is a number; the bridge's last_seen is the device's own time."""
    document, at, counter = decoded("zigbee2mqtt/Yard", READING)
    assert (document.temperature_c, at, counter) == (21.4, 1_778_554_800_000_000, None)


def test_an_ieee_address_is_found_as_an_eui() -> None:
    """Zigbee2MQTT calls a device by its address until somebody gives it a name."""
    document, _, _ = decoded("zigbee2mqtt/0x00158D0001A2B3C4", READING, dev_eui="00158d0001a2b3c4")
    assert document.temperature_c == 21.4


def test_the_last_word_may_say_what_the_message_is() -> None:
    assert decoded("tele/yard/SENSOR", READING)[0].temperature_c == 21.4


@pytest.mark.parametrize(
    ("topic", "event"),
    [
        ("zigbee2mqtt/bridge/state", Event.OTHER),
        ("zigbee2mqtt/bridge/devices", Event.OTHER),
        ("zigbee2mqtt/yard/availability", Event.STATUS),
    ],
)
def test_what_is_no_reading_is_counted_by_its_name(topic: str, event: Event) -> None:
    """Also where it is no object at all."""
    assert open_json(topic, b'"online"').event is event


@pytest.mark.parametrize("payload", [b"", b"21.4", b"[1]", b'{"a":', b"\xff"])
def test_what_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        open_json("zigbee2mqtt/yard", payload)


def test_without_a_reading_it_is_rejected() -> None:
    with pytest.raises(PayloadError, match="none of temperature_c"):
        decoded("zigbee2mqtt/yard", b'{"linkquality": 120}')
