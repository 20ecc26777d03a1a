"""Pepperl+Fuchs WILSEN.sonic.distance: ultrasonic. Layout: `makers/pepperl_fuchs.py`."""

from gateway.devices.makers.pepperl_fuchs import distance
from gateway.devices.makers.sources import DEVICES_2022
from gateway.devices.product import Product, Proof

PRODUCT = Product(
    name="pepperl_fuchs_wilsen_sonic_distance",
    title="Pepperl+Fuchs WILSEN.sonic.distance",
    kinds=("river_gauge",),
    decode=distance,
    proofs=(
        Proof(
            1,
            "04 0b02 06b9 03 0b07 ff 06 0201 41b9999a 03 5101 24",
            {"distance_m": 1.721, "temperature_c": 23.2, "battery_v": 3.6},
            "",
            f"{DEVICES_2022}: pepperl-fuchs/wilsen-sonic-distance",
        ),
        Proof(
            1,
            "10 2a25 3438303030303030363330363832 04 3101 02c0 04 3102 0000 06 3103 00000173 03 5101 24",
            None,
            "no reading",
            f"{DEVICES_2022}: pepperl-fuchs/wilsen-sonic-distance",
        ),
    ),
)
