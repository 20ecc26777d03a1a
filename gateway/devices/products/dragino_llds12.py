"""Dragino LLDS12: a lidar that looks down, 0.1 to 12 m.

Big endian, 11 bytes, on port 2:

    0         2             4          6        8           9         10        11
    | battery | temperature | distance | signal | interrupt | lidar   | message |
    | u16 mV  | i16 0.1 °C  | u16 mm   | u16    | u8        | i8 °C   | u8      |

Battery and thermometer as in `makers/dragino.py`. A signal below 100, or of 65535, is no distance;
message type 2 answers a question and carries no reading.
"""

import struct
from typing import Any

from gateway.devices.makers.dragino import volts
from gateway.devices.makers.payload import need_port, no_reading, no_value, unpacked
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof

_LAYOUT = struct.Struct(">HhHHBbB")
_ANSWER = 2
_WEAKEST, _BLINDED = 100, 0xFFFF


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    need_port(f_port, 2)
    battery, temperature, millimetres, signal, _interrupt, _lidar, message = unpacked(_LAYOUT, data)
    if message == _ANSWER:
        raise no_reading("distance_m")
    if signal < _WEAKEST or signal == _BLINDED or not millimetres:
        raise no_value("distance_m", "the light did not come back as it should")
    said = {"distance_m": millimetres / 1000, "battery_v": volts(battery)}
    if temperature:
        said["temperature_c"] = temperature / 10
    return said


PRODUCT = Product(
    name="dragino_llds12",
    title="Dragino LLDS12",
    kinds=("river_gauge",),
    decode=_decode,
    proofs=(
        Proof(
            2,
            "0d5c 0000 0b18 01b1 00 1e 01",
            {"distance_m": 2.84, "battery_v": 3.42},
            "",
            f"{DEVICES}: dragino/llds12",
        ),
        Proof(
            42, "0d5c 0000 0b18 01b1 00 1e 01", None, "undecodable", f"{DEVICES}: dragino/llds12"
        ),
    ),
)
