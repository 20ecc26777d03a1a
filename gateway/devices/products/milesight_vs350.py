"""Milesight VS350: counts who walks through a passage, either way. Items: `makers/milesight.py`.

    04  cc  in and out since it was set up, u16 each
    05  cc  in and out since the last report, u16 each
    84  cc, 85  cc  the same behind an alarm, and u8; 83  67  temperature behind an alarm, and u8

`in` is towards, `out` is away. How long it counts stands in its configuration alone: the registry says it as
`interval_s`. What an alarm says is in the next report once more, so it is not counted.
"""

from typing import Any

from gateway.devices.makers.milesight import said, unsigned
from gateway.devices.makers.payload import no_reading
from gateway.devices.makers.sources import MILESIGHT
from gateway.devices.product import Product, Proof

_PERIOD = bytes.fromhex("05cc")
_OWN = {
    _PERIOD: 4,
    bytes.fromhex("04cc"): 4,
    bytes.fromhex("84cc"): 5,
    bytes.fromhex("85cc"): 5,
    bytes.fromhex("8367"): 3,
}


def _decode(f_port: int, data: bytes) -> dict[str, Any]:
    found = said(f_port, data, _OWN)
    if _PERIOD not in found:
        raise no_reading("towards_count")
    counts = found[_PERIOD]
    return {"towards_count": unsigned(counts[:2]), "away_count": unsigned(counts[2:])}


PRODUCT = Product(
    name="milesight_vs350",
    title="Milesight VS350",
    kinds=("people_flow_counter",),
    decode=_decode,
    proofs=(
        Proof(
            85,
            "04cc 1200 1600 05cc 1300 1400",
            {"towards_count": 19, "away_count": 20},
            "",
            f"{MILESIGHT}: vs350",
        ),
        Proof(85, "84cc 0111 0811 01 85cc e803 e903 01", None, "no reading", f"{MILESIGHT}: vs350"),
        Proof(85, "017564 03670c01", None, "no reading", f"{MILESIGHT}: vs350"),
        Proof(85, "8367 5001 03", None, "no reading", f"{MILESIGHT}: vs350"),
    ),
)
