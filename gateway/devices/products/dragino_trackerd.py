"""Dragino TrackerD: a tracker with an alarm button, a thermometer and a hygrometer.

Big endian, 15 bytes, on port 2:

    0           4           8                10      11         13            15
    | latitude  | longitude | alarm, battery | flags | humidity | temperature |
    | i32 1e-6° | i32 1e-6° | u16            | u8    | u16      | i16         |

Bit 14 of the third is the alarm. Positions that are none: `makers/dragino.py`. Its other ports carry beacons
and old fixes, which are not read.
"""

import struct
from typing import Any

from gateway.devices.makers.dragino import tracked
from gateway.devices.makers.payload import need_port, unpacked
from gateway.devices.makers.sources import DEVICES_2022
from gateway.devices.product import Product, Proof

_LAYOUT = struct.Struct(">iiHBHh")


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    need_port(f_port, 2)
    north, east, alarm, _flags, _humidity, _temperature = unpacked(_LAYOUT, data)
    return tracked(north, east, alarm)


PRODUCT = Product(
    name="dragino_trackerd",
    title="Dragino TrackerD",
    kinds=("child_tracker",),
    decode=_decode,
    proofs=(
        Proof(
            2,
            "015a7066 06cf3cf8 0fa2 30 01ae 00da",
            {"lat": 22.70423, "lon": 114.244856, "button": False},
            "",
            f"{DEVICES_2022}: dragino/trackerd",
        ),
    ),
)
