"""Milesight AT101: a tracker by GPS, or by access points where it sees no sky. Items: `makers/milesight.py`.

    04  88  position: latitude i32 · 1e-6°, longitude i32 · 1e-6°, status u8
    05  00  how it lies, u8
    06  d9  an access point: group, address (6 bytes), strength, status; never read

Without a position it says its battery alone.
"""

import struct
from typing import Any

from gateway.devices.makers.milesight import BATTERY, said
from gateway.devices.makers.payload import unknown
from gateway.devices.makers.sources import MILESIGHT
from gateway.devices.product import Product, Proof

_POSITION = bytes.fromhex("0488")
_OWN = {_POSITION: 9, bytes.fromhex("0500"): 1, bytes.fromhex("06d9"): 9}
_LAYOUT = struct.Struct("<iiB")


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    found = said(f_port, data, _OWN)
    if not found:
        raise unknown("nothing in it")
    fields: dict[str, Any] = {}
    if BATTERY in found:
        fields["battery_pct"] = float(found[BATTERY][0])
    if _POSITION in found:
        north, east, _status = _LAYOUT.unpack(found[_POSITION])
        fields.update(lat=north / 1e6, lon=east / 1e6)
    return fields


PRODUCT = Product(
    name="milesight_at101",
    title="Milesight AT101",
    kinds=("child_tracker",),
    decode=_decode,
    proofs=(
        Proof(
            85,
            "017564 03671b01 050000 0488 36bf7701 f0000907 22",
            {"lat": 24.62495, "lon": 118.030576, "battery_pct": 100.0},
            "",
            f"{MILESIGHT}: at101",
        ),
        Proof(
            85,
            "017564 03671b01 050001 06d908 1cc316222df9 c302 06d908 24e124f6a667 b602 06d908 24e124f54de3 bc02 06d908 24e124f57971 b202 06d908 24e124f319a8 c802",
            {"battery_pct": 100.0},
            "",
            f"{MILESIGHT}: at101",
        ),
    ),
)
