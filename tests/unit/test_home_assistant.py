"""What Home Assistant is told of a kind: its own words for our units, once per column."""

import pytest

from gateway.devices.catalog import shipped
from gateway.devices.kind import DeviceKind
from gateway.transports.mqtt_client.home_assistant import configurations

CITY = [kind for kind in shipped().values() if not kind.personal]


@pytest.mark.parametrize("kind", CITY, ids=lambda kind: kind.name)
def test_every_number_of_a_kind_is_a_sensor_of_its_own(kind: DeviceKind) -> None:
    """Unique for ever, whatever the device is called; texts are no sensors."""
    found = dict(configurations("ha", kind, "a.b-1"))
    numbers = [c.name for c in kind.columns if c.sql.split()[0] in ("REAL", "INTEGER")]
    assert [topic.split("/")[3] for topic in found] == numbers
    assert len({config["unique_id"] for config in found.values()}) == len(numbers)
    assert {topic.split("/")[2] for topic in found} == {"sekisho_a_b-1"}


def test_humidity_and_degrees_have_their_classes() -> None:
    found = dict(configurations("ha", shipped()["weather_station"], "yard"))
    classes = {topic.split("/")[3]: config.get("device_class") for topic, config in found.items()}
    assert classes["humidity_pct"] == "humidity"
    assert classes["pressure_hpa"] == "atmospheric_pressure"
    assert classes["wind_from_deg"] is None
