"""Dragino's distance sensors: one layout for all ranges, and the same two words for no distance.

Big endian, 8 bytes, on port 2:

    0         2          4           5             7        8
    | battery | distance | interrupt | temperature | sensor |
    | u16     | u16 mm   | u8        | i16 0.1 °C  | u8     |

The battery is the low 14 bits in mV. Distance 0 = no sensor answers, 20 = an invalid reading; firmware
before 1.1.4 sends the first 4 bytes alone, with another unit. The thermometer is an extra, and without it the
temperature is 0: so 0 says nothing.
"""

import struct
from typing import Any

from gateway.devices.makers.payload import need_port, no_value, unpacked

_LAYOUT = struct.Struct(">HHBhB")
_NO_SENSOR, _INVALID = 0, 20
_LOW_14 = 0x3FFF
_ALARM = 0x4000


def distance(f_port: int, data: bytes) -> dict[str, Any]:
    """The river gauge's fields; raises `PayloadError`."""
    need_port(f_port, 2)
    battery, millimetres, _interrupt, temperature, _sensor = unpacked(_LAYOUT, data)
    if millimetres == _NO_SENSOR:
        raise no_value("distance_m", "no sensor answers")
    if millimetres == _INVALID:
        raise no_value("distance_m", "an invalid reading")
    said = {"distance_m": millimetres / 1000, "battery_v": volts(battery)}
    if temperature:
        said["temperature_c"] = temperature / 10
    return said


def volts(raw: int) -> float:
    """Battery voltage: the low 14 bits, mV; the two above are used for other things."""
    return (raw & _LOW_14) / 1000


def tracked(north: int, east: int, alarm: int) -> dict[str, Any]:
    """The child tracker's fields, of signed microdegrees and of the word whose bit 14 is the alarm.

    No position: both 0, the time to find satellites ran out; both 0x0FFFFFFF, too little battery for GPS;
    both -1, no fix.
    """
    pressed = bool(alarm & _ALARM)
    if north == east and north in (0, 0x0FFF_FFFF, -1):
        return {"button": pressed}
    return {"lat": north / 1e6, "lon": east / 1e6, "button": pressed}
