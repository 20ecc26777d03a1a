"""Dragino LDDS75: ultrasonic, 0.28 to 7.5 m, over water or in a tank. Layout: `makers/dragino.py`."""

from gateway.devices.makers.dragino import distance
from gateway.devices.makers.sources import DEVICES, PROFILES
from gateway.devices.product import Product, Proof

PRODUCT = Product(
    name="dragino_ldds75",
    title="Dragino LDDS75",
    kinds=("river_gauge",),
    decode=distance,
    proofs=(
        Proof(
            2,
            "0d0a 07e9 00 0000 01",
            {"distance_m": 2.025, "battery_v": 3.338},
            "",
            f"{PROFILES}: ldds75",
        ),
        Proof(
            2,
            "0d3b 0aef 00 0000 01",
            {"distance_m": 2.799, "battery_v": 3.387},
            "",
            f"{DEVICES}: dragino/ldds75-114",
        ),
        Proof(42, "0e1c 0b05", None, "undecodable", f"{DEVICES}: dragino/ldds75"),
    ),
)
