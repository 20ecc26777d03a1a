"""ELSYS ELT-2: air outdoors. Items: `makers/elsys.py`. What hangs on its plugs is not read."""

from typing import Any

from gateway.devices.makers.elsys import BATTERY, HUMIDITY, PRESSURE, TEMPERATURE, said
from gateway.devices.makers.payload import no_reading
from gateway.devices.makers.sources import DEVICES, PROFILES
from gateway.devices.product import Product, Proof

_FIELDS = (
    ("temperature_c", TEMPERATURE, 10),
    ("humidity_pct", HUMIDITY, 1),
    ("pressure_hpa", PRESSURE, 1000),
    ("battery_v", BATTERY, 1000),
)


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    found = said(f_port, data)
    fields = {name: found[kind] / steps for name, kind, steps in _FIELDS if kind in found}
    if not fields.keys() - {"battery_v"}:
        raise no_reading("temperature_c, humidity_pct, pressure_hpa")
    return fields


PRODUCT = Product(
    name="elsys_elt_2",
    title="ELSYS ELT-2",
    kinds=("weather_station",),
    decode=_decode,
    proofs=(
        Proof(
            5,
            "0100ea 0237",
            {"temperature_c": 23.4, "humidity_pct": 55.0},
            "",
            f"{PROFILES}: elsys",
        ),
        Proof(5, "14000f5ca8", {"pressure_hpa": 1006.76}, "", f"{PROFILES}: elsys"),
        Proof(5, "0a002a", None, "no reading", f"{PROFILES}: elsys"),
        Proof(
            5,
            "0100e2 0229 03012705 1406010111",
            {"temperature_c": 22.6, "humidity_pct": 41.0, "pressure_hpa": 100729.105},
            "",
            f"{DEVICES}: elsys/elt-2, whose pressure the kind refuses",
        ),
    ),
)
