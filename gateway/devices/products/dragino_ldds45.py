"""Dragino LDDS45: ultrasonic, 0.28 to 4.5 m. Layout: `makers/dragino.py`."""

from gateway.devices.makers.dragino import distance
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof

PRODUCT = Product(
    name="dragino_ldds45",
    title="Dragino LDDS45",
    kinds=("river_gauge",),
    decode=distance,
    proofs=(
        Proof(
            2,
            "0d3b 0aef 00 0000 01",
            {"distance_m": 2.799, "battery_v": 3.387},
            "",
            f"{DEVICES}: dragino/ldds45",
        ),
        Proof(42, "0d3b 0aef 00 0000 01", None, "undecodable", f"{DEVICES}: dragino/ldds45"),
    ),
)
