"""Pepperl+Fuchs WILSEN.sonic.level: ultrasonic over a tank. Layout: `makers/pepperl_fuchs.py`."""

from gateway.devices.makers.pepperl_fuchs import distance
from gateway.devices.makers.sources import DEVICES_2022
from gateway.devices.product import Product, Proof

PRODUCT = Product(
    name="pepperl_fuchs_wilsen_sonic_level",
    title="Pepperl+Fuchs WILSEN.sonic.level",
    kinds=("river_gauge",),
    decode=distance,
    proofs=(
        Proof(
            1,
            "04 0b01 0031 03 0b06 5d 06 0201 41a66666 03 5101 22",
            {"distance_m": 0.49, "temperature_c": 20.8, "battery_v": 3.4},
            "",
            f"{DEVICES_2022}: pepperl-fuchs/wilsen-sonic-level",
        ),
        Proof(
            1,
            "04 0b02 06b6 03 0b06 3c 06 0201 41b5999a 03 5101 24",
            {"distance_m": 1.718, "temperature_c": 22.7, "battery_v": 3.6},
            "",
            f"{DEVICES_2022}: pepperl-fuchs/wilsen-sonic-level",
        ),
        Proof(
            1,
            "04 0b01 0021 03 0b06 64 06 0201 41c8947d 03 5101 26 06 5001 02f4006f 06 5002 0081336d",
            {"distance_m": 0.33, "temperature_c": 25.1, "battery_v": 3.8},
            "",
            f"{DEVICES_2022}: pepperl-fuchs/wilsen-sonic-level",
        ),
        Proof(
            1,
            "04 0b02 06b6 03 0b06 3c 06 0201 41b5999a 03 5101 24 06 5001 02f4006f 06 5002 0081336d",
            {"distance_m": 1.718, "temperature_c": 22.7, "battery_v": 3.6},
            "",
            f"{DEVICES_2022}: pepperl-fuchs/wilsen-sonic-level",
        ),
        Proof(
            1,
            "10 2a25 3438303030303030363330363832 04 3101 02c0 04 3102 0000 06 3103 00000173 03 5101 24",
            None,
            "no reading",
            f"{DEVICES_2022}: pepperl-fuchs/wilsen-sonic-level",
        ),
    ),
)
