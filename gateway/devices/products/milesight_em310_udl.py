"""Milesight EM310-UDL: ultrasonic, 0.03 to 4.5 m.

Items: `makers/milesight.py`; beside them, how it hangs (u8). Its battery is a share of the charge, which no
gauge has a field for.
"""

from typing import Any

from gateway.devices.makers.milesight import metres, said
from gateway.devices.makers.sources import DEVICES_2022, MILESIGHT
from gateway.devices.product import Product, Proof

_DISTANCE = bytes.fromhex("0382")
_OWN = {_DISTANCE: 2, bytes.fromhex("0400"): 1}


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    found = said(f_port, data, _OWN)
    return metres(found, _DISTANCE, "distance_m", 1000)


PRODUCT = Product(
    name="milesight_em310_udl",
    title="Milesight EM310-UDL",
    kinds=("river_gauge",),
    decode=_decode,
    proofs=(
        Proof(85, "01755c 03824408 040001", {"distance_m": 2.116}, "", f"{MILESIGHT}: em310-udl"),
        Proof(
            85,
            "01755c 03824408 040001",
            {"distance_m": 2.116},
            "",
            f"{DEVICES_2022}: milesight-iot/em310-udl",
        ),
    ),
)
