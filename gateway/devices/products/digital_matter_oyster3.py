"""Digital Matter Oyster3 and Yabby3: trackers. Layout: `makers/digital_matter.py`."""

from gateway.devices.makers.digital_matter import position
from gateway.devices.makers.sources import DEVICES, PROFILES
from gateway.devices.product import Product, Proof

PRODUCT = Product(
    name="digital_matter_oyster3",
    title="Digital Matter Oyster3, Yabby3",
    kinds=("child_tracker",),
    decode=position,
    proofs=(
        Proof(
            1,
            "53ab783c 0421f98e 94 0a b3",
            {"lat": 101.4541139, "lon": -189.6275708},
            "",
            f"{PROFILES}: digital-matter-oyster3-yabby3",
        ),
        Proof(
            1,
            "0030edec 00322445 00 00 de",
            {"lat": -32.0, "lon": 116.0},
            "",
            f"{DEVICES}: digital-matter/oyster, the same layout",
        ),
    ),
)
