"""How forwarders hear, as `sekisho doctor lorawan` prints it under its steps."""

from collections.abc import Mapping
from typing import Any

from sekisho import screen

_CLASSES = (("sf", "data rate"), ("rssi_dbm", "RSSI, dBm"), ("snr_db", "SNR, dB"))


def show(census: Mapping[str, Any], *, people: bool) -> None:
    """Print shares by forwarder, and by how many of them frames are heard; nothing where too little was heard.

    Args:
        people: where they are real it is said of which time the shares are, and how coarse.
    """
    forwarders, heard_by = census["forwarders"], census["heard_by"]
    if not forwarders and not heard_by:
        return
    when = (
        "in the last whole hour with a hundred frames, in steps of 5 %"
        if people
        else "in this hour and the last one with a hundred frames"
    )
    print(f"\n how forwarders hear, {when}:")
    rows = [
        (eui if first else "", what, _shares(shares[name]))
        for eui, shares in forwarders.items()
        for first, (name, what) in zip((True, False, False), _CLASSES, strict=True)
    ]
    if rows:
        screen.table(("forwarder", "", "share of its frames"), rows)
    if heard_by:
        print(f" frames of ours are heard by so many forwarders: {_shares(heard_by)}")


def _shares(some: Mapping[str, float]) -> str:
    return " · ".join(f"{name}: {share:g} %" for name, share in some.items()) or "nothing"
