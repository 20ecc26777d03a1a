"""Pepperl+Fuchs' WILSEN distance sensors: rows of items, each behind its length and a number, on port 1.

Big endian: length of what follows (u8), number of the item (u16), value.

    0b01  distance, u16 cm        0201  temperature, f32 °C
    0b02  distance, u16 mm        5101  battery, u8 · 0.1 V

All others are passed over, where the sensor stands among them: that is for the registry to say.
"""

import math
import struct
from typing import Any

from gateway.devices.makers.payload import need_port, no_reading, unknown

_CENTIMETRES, _MILLIMETRES, _TEMPERATURE, _BATTERY = 0x0B01, 0x0B02, 0x0201, 0x5101
_SIZES = {_CENTIMETRES: 2, _MILLIMETRES: 2, _TEMPERATURE: 4, _BATTERY: 1}


def distance(f_port: int, data: bytes) -> dict[str, Any]:
    """The river gauge's fields; raises `PayloadError`."""
    need_port(f_port, 1)
    found = _items(data)
    said: dict[str, Any] = {}
    if _MILLIMETRES in found:
        said["distance_m"] = int.from_bytes(found[_MILLIMETRES], "big") / 1000
    elif _CENTIMETRES in found:
        said["distance_m"] = int.from_bytes(found[_CENTIMETRES], "big") / 100
    else:
        raise no_reading("distance_m")
    if _TEMPERATURE in found:
        (temperature,) = struct.unpack(">f", found[_TEMPERATURE])
        if not math.isfinite(temperature):
            raise unknown("temperature_c: no number")
        said["temperature_c"] = round(temperature, 1)
    if _BATTERY in found:
        said["battery_v"] = found[_BATTERY][0] / 10
    return said


def _items(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        number, value = int.from_bytes(data[at + 1 : at + 3], "big"), data[at + 3 : end]
        if data[at] < 2 or end > len(data) or len(value) != _SIZES.get(number, len(value)):
            raise unknown("an item cut short, or of another length")
        found[number] = value
        at = end
    return found
