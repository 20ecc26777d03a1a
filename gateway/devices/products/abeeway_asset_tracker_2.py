"""Abeeway asset trackers of the second generation (Micro, Compact, Industrial): a fix by GPS.

Big endian, 13 bytes, on port 18:

    0      1        2         3             4      5       6          9           12         13
    | 3    | status | battery | temperature | sort | age   | latitude | longitude | accuracy |
    | u8   | u8     | u8      | u8          | u8   | u8 8 s| i24      | i24       | u8       |

Sort, low half, 0 = GPS. Coordinates are the upper 24 bits of 32 in 1e-7°; accuracy 255 = 1000 m. Status bit 4 is
the alarm. A fix that is older than a minute is not where the tracker is, and left out. The battery is a
charge only where it reads 1 to 100.
"""

from typing import Any

from gateway.devices.makers.payload import need_port, unknown
from gateway.devices.makers.sources import DEVICES_2025
from gateway.devices.product import Product, Proof

_LENGTH = 13
_POSITION, _GPS = 3, 0
_ALARM = 0x10
_FRESH_S, _AGE_S = 60, 8


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    need_port(f_port, 18)
    if len(data) != _LENGTH or data[0] != _POSITION or data[4] & 0x0F != _GPS:
        raise unknown("head: no fix by GPS")
    said: dict[str, Any] = {"button": bool(data[1] & _ALARM)}
    if 1 <= data[2] <= 100:
        said["battery_pct"] = float(data[2])
    if data[5] * _AGE_S <= _FRESH_S:
        said["lat"] = _degrees(data[6:9])
        said["lon"] = _degrees(data[9:12])
        said["accuracy_m"] = round(data[12] * 1000 / 255, 2)
    return said


def _degrees(upper: bytes) -> float:
    return (int.from_bytes(upper, "big", signed=True) << 8) / 10_000_000


PRODUCT = Product(
    name="abeeway_asset_tracker_2",
    title="Abeeway Micro, Compact and Industrial Tracker (second generation)",
    kinds=("child_tracker",),
    decode=_decode,
    proofs=(
        Proof(
            18,
            "03 6a c1 89 00 00 1d28b9 016037 02",
            {"lat": 48.9208064, "lon": 2.3082752, "accuracy_m": 7.84, "button": False},
            "",
            f"{DEVICES_2025}: abeeway/asset-tracker-2",
        ),
    ),
)
