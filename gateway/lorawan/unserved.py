"""What devices ask for that is not done here: an uplink of theirs counts, and its answer comes in the windows of Class A.

Class B    ClassB of FCtrl, PingSlotInfoReq, BeaconTimingReq (LoRaWAN 1.0.4 §11, 1.0.3 §9)
Class C    DeviceModeInd of 1.1, payload 2 (LoRaWAN 1.1 §18)
"""

from enum import StrEnum

from gateway.lorawan.uplinks import Uplink
from gateway.wire.lorawan.commands import Cid, commands
from gateway.wire.lorawan.crypto import UP

_MODE_C = b"\x02"
_OF_CLASS_B = (Cid.PING_SLOT_INFO, Cid.BEACON_TIMING)


class Unserved(StrEnum):
    """As it is shown."""

    CLASS_B = "Class B"
    CLASS_C = "Class C"


def asked_for(uplink: Uplink) -> Unserved | None:
    """What an uplink asks for in vain; None for nothing."""
    if uplink.data.bit_4:
        return Unserved.CLASS_B
    if not uplink.plain.commands:
        return None
    for command in commands(uplink.plain.commands, UP)[0]:
        if command.cid in _OF_CLASS_B:
            return Unserved.CLASS_B
        if command == (Cid.DEVICE_MODE, _MODE_C):
            return Unserved.CLASS_C
    return None
