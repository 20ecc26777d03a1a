"""Home Assistant's MQTT discovery, outwards: things of the city appear there by themselves. Off by default.

For each device one retained configuration per column (`<prefix>/sensor/<node>/<column>/config`), and for each
row that is stored its values (`sekisho/state/<device>`, retained, so that they are there after a restart). Rows
about people are never told: not even that there is such a device.
Source: Home Assistant documentation, MQTT discovery; sensor device classes and their units.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns
from gateway.model.observation import Observation
from gateway.wire.mqtt import encode

_UNITS = {
    "Cel": "°C", "%": "%", "hPa": "hPa", "m": "m", "cm": "cm", "mm": "mm", "m/s": "m/s", "deg": "°",
    "mm/h": "mm/h", "W/m2": "W/m²", "V": "V", "s": "s",
}  # fmt: skip
"""UCUM → the spelling of Home Assistant."""

_CLASSES = {
    "Cel": "temperature", "hPa": "atmospheric_pressure", "m": "distance", "cm": "distance",
    "m/s": "wind_speed", "mm/h": "precipitation_intensity", "mm": "precipitation", "W/m2": "irradiance",
    "V": "voltage", "s": "duration",
}  # fmt: skip
_HUMIDITY = "humidity_pct"
_NOT_NODES = re.compile(r"[^a-zA-Z0-9_-]")

STATES = "sekisho/state"


class Announcer:
    """Tells one broker's Home Assistant what is stored.

    Args:
        prefix: where it looks for configurations, `homeassistant` unless somebody changed it.
        version: the broker's MQTT version, 4 or 5.
        rows: newly stored observations; those about people among them are passed over.
        send: writes to the broker; False, and nothing is written, while it does not listen.
    """

    def __init__(
        self,
        prefix: str,
        version: int,
        rows: "asyncio.Queue[Observation]",
        send: Callable[[bytes], bool],
    ) -> None:
        self._prefix = prefix
        self._version = version
        self._rows = rows
        self._send = send
        self._announced: set[str] = set()

    def again(self) -> None:
        """The connection is new, and so may the broker's memory be."""
        self._announced.clear()

    async def keep(self) -> None:
        """For ever: one row after another."""
        while True:
            row = await self._rows.get()
            self._tell(row)

    def _tell(self, observation: Observation) -> None:
        """What the broker misses is told again with the device's next row."""
        kind = catalog().get(observation.kind)
        if kind is None or kind.personal or observation.period is not None:
            return
        names = [column.name for column in table_columns(kind)]
        values = dict(zip(names, observation.row, strict=True))
        device = values["device"]
        if device not in self._announced:
            configs = configurations(self._prefix, kind, device)
            if not all(self._publish(topic, config) for topic, config in configs):
                return
            self._announced.add(device)
        said = {column.name: values[column.name] for column in kind.columns}
        self._publish(f"{STATES}/{device}", said)

    def _publish(self, topic: str, document: dict[str, Any]) -> bool:
        payload = msgspec.json.encode(document)
        packet = encode.publish(self._version, topic.encode(), payload, 0, None, retain=True)
        return self._send(packet)


def configurations(
    prefix: str, kind: DeviceKind, device: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Topic and configuration of each column of a device's kind that is a number."""
    node = f"sekisho_{_NOT_NODES.sub('_', device)}"
    meanings = {field.name: field.meaning for field in kind.fields}
    for column in kind.columns:
        if column.sql.split()[0] not in ("REAL", "INTEGER"):
            continue
        config: dict[str, Any] = {
            "name": meanings.get(column.name, column.name.replace("_", " ")),
            "unique_id": f"{node}_{column.name}",
            "state_topic": f"{STATES}/{device}",
            "value_template": f"{{{{ value_json.{column.name} }}}}",
            "state_class": "measurement",
            "device": {"identifiers": [node], "name": device, "model": kind.name},
            "origin": {"name": "Sekisho"},
        }
        if column.unit in _UNITS:
            config["unit_of_measurement"] = _UNITS[column.unit]
        known = "humidity" if column.name == _HUMIDITY else _CLASSES.get(column.unit)
        if known is not None:
            config["device_class"] = known
        yield f"{prefix}/sensor/{node}/{column.name}/config", config
