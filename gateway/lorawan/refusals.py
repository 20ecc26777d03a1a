"""Why a frame came to nothing, one word per cause: what `doctor` explains and the account counts."""

from enum import StrEnum


class Refused(StrEnum):
    """Causes, as they are shown."""

    NO_FRAME = "no LoRaWAN frame"
    PROPRIETARY = "proprietary"
    DOWNLINK = "a downlink that a forwarder heard"
    REJOIN = "rejoin, which is not done here"
    OTHER_NETWORK = "another network's"
    UNKNOWN_DEVICE = "join of an unknown device"
    REVERSED_EUI = "join of a DevEUI that is registered reversed"
    WRONG_JOIN_EUI = "join for another JoinEUI"
    WRONG_KEY = "wrong MIC"
    REVERSED_KEY = "wrong MIC, right with the key reversed"
    NONCE_REUSED = "DevNonce used before"
    REPLAYED = "replayed"
    COUNTER_RESET = "counter begun anew"
    COUNTERS_UNKNOWN = "counters unknown"
    REVOKED = "revoked device"
