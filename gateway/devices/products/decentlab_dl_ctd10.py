"""Decentlab DL-CTD10: a pressure probe in the water. Head: `makers/decentlab.py`.

Words: depth mm + 32768, temperature of the water 0.1 °C + 32768, conductivity, whether it froze. The gauge's zero is
the probe; the water's temperature is not the air's, and left out.
"""

from typing import Any

from gateway.devices.makers.decentlab import words
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof

_ZERO = 32768


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    (depth, _temperature, _conductivity, _froze), battery = words(f_port, data, 4, "stage_m")
    said = {"stage_m": (depth - _ZERO) / 1000}
    return said if battery is None else {**said, "battery_v": battery}


PRODUCT = Product(
    name="decentlab_dl_ctd10",
    title="Decentlab DL-CTD10",
    kinds=("river_gauge",),
    decode=_decode,
    proofs=(
        Proof(
            1,
            "02 07d9 0003 9088 8081 0064 0000 0c60",
            {"stage_m": 4.232, "battery_v": 3.168},
            "",
            f"{DEVICES}: decentlab/dl-ctd10",
        ),
        Proof(1, "02 07d9 0002 0c60", None, "out of range", f"{DEVICES}: decentlab/dl-ctd10"),
    ),
)
