"""Dragino LDDS20: ultrasonic on the outside of a tank, 0.02 to 2 m of liquid, as a distance. Layout: `makers/dragino.py`."""

from gateway.devices.makers.dragino import distance
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof

PRODUCT = Product(
    name="dragino_ldds20",
    title="Dragino LDDS20",
    kinds=("river_gauge",),
    decode=distance,
    proofs=(
        Proof(
            2,
            "0d3b 0aef 00 0000 01",
            {"distance_m": 2.799, "battery_v": 3.387},
            "",
            f"{DEVICES}: dragino/ldds20-114",
        ),
        Proof(42, "0d3b 0aef 00 0000 01", None, "undecodable", f"{DEVICES}: dragino/ldds20-114"),
        Proof(42, "0e1c 0b05", None, "undecodable", f"{DEVICES}: dragino/ldds20"),
    ),
)
