"""Decentlab DL-MBX: ultrasonic, 0.3 to 10 m by model. Head: `makers/decentlab.py`; words: distance mm, valid samples."""

from typing import Any

from gateway.devices.makers.decentlab import words
from gateway.devices.makers.payload import no_value
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    (millimetres, samples), battery = words(f_port, data, 2, "distance_m")
    if not samples:
        raise no_value("distance_m", "no sample was valid")
    said = {"distance_m": millimetres / 1000}
    return said if battery is None else {**said, "battery_v": battery}


PRODUCT = Product(
    name="decentlab_dl_mbx",
    title="Decentlab DL-MBX",
    kinds=("river_gauge",),
    decode=_decode,
    proofs=(
        Proof(
            1,
            "02 012f 0003 04d2 0001 0bb1",
            {"distance_m": 1.234, "battery_v": 2.993},
            "",
            f"{DEVICES}: decentlab/dl-mbx",
        ),
        Proof(1, "02 012f 0002 0bb1", None, "out of range", f"{DEVICES}: decentlab/dl-mbx"),
    ),
)
