"""Digital Matter's trackers: one layout for the Oyster and its followers.

Little endian, 11 bytes, on port 1:

    0           4           8       9         10       11
    | latitude  | longitude | flags | speed   | battery |
    | i32 1e-7° | i32 1e-7° | u8    | u8 km/h | u8 25 mV|

Flag bit 0: a trip is on; bit 1: no fix, and the position is the last one known; the rest is the heading.
A position that is not of now is left out. The battery's voltage says nothing certain about its charge.
"""

import struct
from typing import Any

from gateway.devices.makers.payload import need_port, unpacked

_LAYOUT = struct.Struct("<iiBBB")
_FIX_FAILED = 2


def position(f_port: int, data: bytes) -> dict[str, Any]:
    """The child tracker's fields; raises `PayloadError`."""
    need_port(f_port, 1)
    north, east, flags, _speed, _battery = unpacked(_LAYOUT, data)
    if flags & _FIX_FAILED:
        return {}
    return {"lat": north / 10_000_000, "lon": east / 10_000_000}
