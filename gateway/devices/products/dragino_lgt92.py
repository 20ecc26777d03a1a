"""Dragino LGT-92: a tracker with an alarm button.

Big endian, on port 2, 11 bytes; firmware 1.5 adds 4 (roll, pitch) and 1.6 adds 7:

    0          4           8                 10      11
    | latitude | longitude | alarm, battery  | flags |
    | i32 1e-6°| i32 1e-6° | u16             | u8    |

Bit 14 of the third is the alarm. Positions that are none: `makers/dragino.py`.
"""

import struct
from typing import Any

from gateway.devices.makers.dragino import tracked
from gateway.devices.makers.payload import need_port, unknown
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof

_LAYOUT = struct.Struct(">iiHB")
_LENGTHS = (11, 15, 18)


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    need_port(f_port, 2)
    if len(data) not in _LENGTHS:
        raise unknown("length: it sends 11, 15 or 18 bytes")
    north, east, alarm, _flags = _LAYOUT.unpack_from(data)
    return tracked(north, east, alarm)


PRODUCT = Product(
    name="dragino_lgt92",
    title="Dragino LGT-92",
    kinds=("child_tracker",),
    decode=_decode,
    proofs=(
        Proof(
            2,
            "02facb30 0080ecf9 0c2e 64",
            {"lat": 49.990448, "lon": 8.449273, "button": False},
            "",
            f"{DEVICES}: dragino/lgt92",
        ),
        Proof(
            2,
            "015a7854 06cf33d8 0d20 60 004b 0190",
            {"lat": 22.70626, "lon": 114.24252, "button": False},
            "",
            f"{DEVICES}: dragino/lgt92",
        ),
        Proof(2, "00000000 00000000 0c2e 64", {"button": False}, "", f"{DEVICES}: dragino/lgt92"),
    ),
)
