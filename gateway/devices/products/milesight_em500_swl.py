"""Milesight EM500-SWL: a pressure probe in the water. Items: `makers/milesight.py`.

    03  77  depth of the water above the probe, u16 cm

The gauge's zero is the probe.
"""

from typing import Any

from gateway.devices.makers.milesight import metres, said
from gateway.devices.makers.sources import DEVICES_2022
from gateway.devices.product import Product, Proof

_DEPTH = bytes.fromhex("0377")


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    found = said(f_port, data, {_DEPTH: 2})
    return metres(found, _DEPTH, "stage_m", 100)


PRODUCT = Product(
    name="milesight_em500_swl",
    title="Milesight EM500-SWL",
    kinds=("river_gauge",),
    decode=_decode,
    proofs=(
        Proof(
            85, "01755c 03770200", {"stage_m": 0.02}, "", f"{DEVICES_2022}: milesight-iot/em500-swl"
        ),
    ),
)
