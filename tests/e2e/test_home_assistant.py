"""Home Assistant behind a real broker: things of the city appear there by themselves, and nobody's tracker."""

import json
import subprocess
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.model.instant import to_rfc3339
from tests.conftest import tool
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.test_fleet import broker, running
from tests.e2e.town import Town, child, gauge

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.needs("mosquitto"),
    pytest.mark.needs("mosquitto_pub"),
]

_DOOR = """\
  - kind: mqtt_client
    name: city
    url: mqtt://127.0.0.1:{port}
    home_assistant: homeassistant
    raw_on_broker_accepted: this test proves that nothing of it is passed on
    subscriptions:
      - {{topic: sekisho/v1/#, format: sekisho}}
"""


def publish(port: int, device: str, **said: object) -> None:
    """One uplink at QoS 1 by Debian's own client."""
    program = tool("mosquitto_pub")
    assert program is not None
    said["t"] = to_rfc3339(SystemClock().now())
    words = ("-p", str(port), "-q", "1", "-t", f"sekisho/v1/{device}/up", "-m", json.dumps(said))
    subprocess.run([program, *words], check=True, timeout=60)


def test_things_of_the_city_appear_and_people_do_not(tmp_path: Path) -> None:
    """A configuration for each column, retained, and the values of each stored row; of a child's tracker,
    stored as well, there is no topic at all."""
    town = Town(tmp_path / "town")
    town.enrol([gauge("river-1"), child("child-1", (36.7, 137.2))])
    with broker(tmp_path) as port:
        text = town.config.read_text()
        town.config.write_text(text.replace("privacy:", f"{_DOOR.format(port=port)}privacy:"))
        words = ("-p", str(port), "-v", "-t", "homeassistant/#", "-t", "sekisho/state/#")
        with Gateway(town) as gateway, running(tmp_path, "mosquitto_sub", *words) as heard:
            until(lambda: "Connected to broker city" in gateway.said(), "the gateway")
            for n in range(4):
                publish(port, "child-1", seq=n, lat=36.71 + n / 1000, lon=137.2, battery_pct=80)
            publish(port, "river-1", seq=1, distance_m=2.41, temperature_c=18.5)
            until(lambda: b"sekisho/state/river-1" in heard.read_bytes(), "the state")
            found = sekisho(tmp_path, "doctor", "river-1", "--config", str(town.config))
            assert "none of its own: it speaks through a broker" in found[1], found
        with running(tmp_path, "mosquitto_sub", *words) as late:
            until(lambda: b"sekisho/state/river-1" in late.read_bytes(), "what is retained")
            told = dict(line.split(" ", 1) for line in late.read_text().splitlines())
    config = json.loads(told["homeassistant/sensor/sekisho_river-1/temperature_c/config"])
    assert config["state_topic"] == "sekisho/state/river-1"
    assert config["unit_of_measurement"] == "°C"
    assert config["device_class"] == "temperature"
    assert config["value_template"] == "{{ value_json.temperature_c }}"
    state = json.loads(told["sekisho/state/river-1"])
    assert (state["stage_m"], state["temperature_c"]) == (1.79, 18.5)
    assert not [topic for topic in told if "child" in topic]
