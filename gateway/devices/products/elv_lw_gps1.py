"""ELV LW-GPS1: a tracker with a button.

On port 10, 19 bytes; the supply is big endian, what GPS says is little endian:

    0      1        2           4      5           9           13       17   19
    | what | why    | supply    | data | latitude  | longitude | height | HDOP |
    | u8 3 | u8     | u16 BE mV | u8 1 | i32 1e-6° | i32 1e-6° | i32    | 2    |

`why` 2 is the button. Its dilution of precision is no accuracy in metres.
"""

import struct
from typing import Any

from gateway.devices.makers.payload import need_port, unknown, unpacked
from gateway.devices.makers.sources import DEVICES_2022
from gateway.devices.product import Product, Proof

_LAYOUT = struct.Struct("<BBHBiiiBB")
_TRACKER, _GPS = 3, 1
_BUTTON = 2


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    need_port(f_port, 10)
    what, why, _supply, sort, north, east, _height, *_hdop = unpacked(_LAYOUT, data)
    if (what, sort) != (_TRACKER, _GPS):
        raise unknown("head: no position of a tracker")
    said: dict[str, Any] = {"button": why == _BUTTON}
    if north or east:
        said.update(lat=north / 1e6, lon=east / 1e6)
    return said


PRODUCT = Product(
    name="elv_lw_gps1",
    title="ELV LW-GPS1",
    kinds=("child_tracker",),
    decode=_decode,
    proofs=(
        Proof(
            10,
            "03 01 1388 01 208a2f03 6e0e9c00 d8b10200 01 0b",
            {"lat": 53.4472, "lon": 10.22731, "button": False},
            "",
            f"{DEVICES_2022}: elv/elv-lw-gps1",
        ),
        Proof(
            10,
            "03 02 1388 01 986f2c03 cccf7200 d4940000 01 00",
            {"lat": 53.2438, "lon": 7.5243, "button": True},
            "",
            f"{DEVICES_2022}: elv/elv-lw-gps1",
        ),
    ),
)
