"""Digital Matter Oyster: a rugged tracker. Layout: `makers/digital_matter.py`."""

from gateway.devices.makers.digital_matter import position
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof

PRODUCT = Product(
    name="digital_matter_oyster",
    title="Digital Matter Oyster",
    kinds=("child_tracker",),
    decode=position,
    proofs=(
        Proof(
            1,
            "0030edec 00322445 00 00 de",
            {"lat": -32.0, "lon": 116.0},
            "",
            f"{DEVICES}: digital-matter/oyster",
        ),
        Proof(1, "85a8c5eb d8763f0b 03 01 be", {}, "", f"{DEVICES}: digital-matter/oyster"),
    ),
)
