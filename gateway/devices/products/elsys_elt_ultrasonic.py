"""ELSYS ELT Ultrasonic: a distance sensor on an ELT box. Items: `makers/elsys.py`."""

from typing import Any

from gateway.devices.makers.elsys import BATTERY, DISTANCE, TEMPERATURE, said
from gateway.devices.makers.payload import no_reading
from gateway.devices.makers.sources import DEVICES
from gateway.devices.product import Product, Proof


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    found = said(f_port, data)
    if DISTANCE not in found:
        raise no_reading("distance_m")
    fields = {"distance_m": found[DISTANCE] / 1000}
    if TEMPERATURE in found:
        fields["temperature_c"] = found[TEMPERATURE] / 10
    if BATTERY in found:
        fields["battery_v"] = found[BATTERY] / 1000
    return fields


PRODUCT = Product(
    name="elsys_elt_ultrasonic",
    title="ELSYS ELT Ultrasonic",
    kinds=("river_gauge",),
    decode=_decode,
    proofs=(
        Proof(
            5,
            "0100e2 0229 03012705 1406010111 0e2311",
            {"distance_m": 8.977, "temperature_c": 22.6},
            "",
            f"{DEVICES}: elsys/elt-ultrasonic",
        ),
    ),
)
