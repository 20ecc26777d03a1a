"""Milesight EM400-UDL: ultrasonic, 0.25 to 10 m by model.

Items: `makers/milesight.py`; beside them, how it hangs (u8). Its battery is a share of the charge, which no
gauge has a field for.
"""

from typing import Any

from gateway.devices.makers.milesight import TEMPERATURE, metres, said, tenths
from gateway.devices.makers.sources import MILESIGHT
from gateway.devices.product import Product, Proof

_DISTANCE = bytes.fromhex("0482")
_OWN = {_DISTANCE: 2, bytes.fromhex("0500"): 1}


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    found = said(f_port, data, _OWN)
    fields = metres(found, _DISTANCE, "distance_m", 1000)
    if TEMPERATURE in found:
        fields["temperature_c"] = tenths(found[TEMPERATURE])
    return fields


PRODUCT = Product(
    name="milesight_em400_udl",
    title="Milesight EM400-UDL",
    kinds=("river_gauge",),
    decode=_decode,
    proofs=(
        Proof(
            85,
            "01755c 03670101 04824408 050001",
            {"distance_m": 2.116, "temperature_c": 25.7},
            "",
            f"{MILESIGHT}: em400-udl",
        ),
    ),
)
