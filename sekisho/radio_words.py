"""What is wrong with a LoRaWAN device, or how it is set, in words, and the next step."""

from collections.abc import Mapping
from typing import Any

from gateway.clock import Clock
from gateway.lorawan.course import UPLINKS
from gateway.lorawan.refusals import Refused
from sekisho import screen
from sekisho.examination import FAULT, GOOD, NOTE, Finding
from sekisho.spans import ago

_UNHEARD = 2
"""Joins answered one after another, and no uplink: the device did not hear them."""

_KEYS = "give it the key that the device has: sekisho devices import-keys FILE"

RESUME = (
    "read its counter from its display or its maker's tool: sekisho lorawan resume DEVICE --up N"
)

_TOLD: Mapping[str, tuple[str, str]] = {
    Refused.WRONG_KEY: ("its frames have a wrong MIC: its key here is not the device's, or the air harmed them", _KEYS),
    Refused.REVERSED_KEY: (
        "its frames have a wrong MIC, and a right one with the key's bytes reversed",
        f"the key was written down in the other byte order; {_KEYS}",
    ),
    Refused.REVERSED_EUI: (
        "it asks to join under its DevEUI with the bytes reversed",
        "it was written down in the other byte order: sekisho devices set DEVICE --attribute dev_eui=EUI; or set it in the device",
    ),
    Refused.WRONG_JOIN_EUI: (
        "it asks to join for another JoinEUI than it is registered with",
        "leave join_eui out of its keys, or give it the device's: sekisho devices import-keys FILE",
    ),
    Refused.NONCE_REUSED: (
        "its join has a DevNonce that it used before: a captured join was played back, or the device forgot its count",
        "if it was reset: switch it off and on until its DevNonce is above the last one, or set it anew by its maker's tool",
    ),
    Refused.REPLAYED: (
        "a frame of it was played back, or its backhaul brought it twice: it is refused, and nothing is lost",
        "nothing, if rows of it go on; else let it join again",
    ),
    Refused.COUNTERS_UNKNOWN: (
        "its counters are not known here, as after a restore or when it comes from another server: until somebody says how far it has counted nothing of it is believed",
        RESUME,
    ),
    Refused.COUNTER_RESET: (
        "it never joins (ABP) and has begun to count anew, as captured frames would",
        "let it join (OTAA); or give it new keys, which begin a new session: sekisho devices import-keys FILE",
    ),
}  # fmt: skip
"""Cause → what is so, and the next step."""


def of_trouble(trouble: Mapping[str, Any], clock: Clock) -> Finding | None:
    """What is wrong with a device, as the gateway remembers it; None where nothing is."""
    why, when = trouble["why"], ago(trouble["at"], clock)
    if why in _TOLD:
        said, remedy = _TOLD[why]
        result = NOTE if why == Refused.REPLAYED else FAULT
        return Finding("radio", result, f"{when}: {said}", remedy)
    if why is None and trouble["joins"] >= _UNHEARD:
        return Finding(
            "radio",
            FAULT,
            f"{when}: it asked to join {trouble['joins']} times, was answered, and has sent nothing since: it does not hear us",
            "look at the forwarder's log for the downlink, its antenna and its power; then: sekisho lorawan join-trace",
        )
    return None


def of_course(course: Mapping[str, Any] | None) -> Finding | None:
    """How a device is set by the network; None where it sets itself, or that is not told."""
    if course is None:
        return None
    power = course["power"]
    now = f"data rate {course['dr']}, " + (
        "power unknown" if power is None else f"{2 * power} dB below full power" if power else "full power"
    )  # fmt: skip
    if course["repeat"] > 1:
        now += f", each frame {course['repeat']} times"
    if course["over"]:
        more = "it refuses what the network asks for, and is not asked any more"
    elif course["rests"]:
        more = f"it did not answer five times, and is left alone for {screen.count(course['rests'], 'uplink')}"
    elif course["asked"] is not None:
        asked = course["asked"]
        more = f"asked for data rate {asked['dr']} and {2 * asked['power']} dB below full power"
    else:
        more = f"{course['heard']} of {UPLINKS} uplinks heard that the next look needs"
    return Finding("rate", GOOD, f"{now}; {more}")


def of_vain(unserved: Mapping[str, str]) -> Finding:
    """What a device asks for that is not done here."""
    return Finding(
        "not served",
        NOTE,
        f"it asks for {unserved['what']}, which is not done here: its uplinks count, downlinks wait for the next one",
        "set it to Class A, by its maker's tool",
    )
