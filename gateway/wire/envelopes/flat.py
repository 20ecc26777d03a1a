"""Flat JSON of bridges such as Zigbee2MQTT: one object of readings a message, the device in the topic.

    zigbee2mqtt/0x00158d0001a2b3c4    {"temperature": 21.4, "battery": 87, "last_seen": "2026-05-12T…"}
    tasmota/river-12/SENSOR           {"…": …}                  name given by the last word but `SENSOR`

Source: Zigbee2MQTT documentation, MQTT topics and messages: the last word of the topic is the friendly name,
which is the IEEE address until somebody gives another. There is neither port nor counter nor a server's time:
a declared codec maps the device's own time (`t: last_seen`), where the bridge is set to send one.
"""

from typing import Any

from gateway.model.forwarded import Forwarded
from gateway.model.identity import is_name
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, unreadable

_NOT_NAMES = frozenset({"sensor", "state", "set", "get", "availability", "tele"})
_BRIDGE = "bridge"
_read = parts.reader(dict[str, Any])


def open_json(topic: str, payload: bytes) -> Enclosed:
    """Open one message; what the bridge says of itself, or of a device's being there, is counted."""
    words = [word for word in topic.lower().split("/") if word]
    if len(words) > 1 and words[1] == _BRIDGE:
        return Enclosed(Event.OTHER, "", name=_BRIDGE)
    named = [word for word in words if word not in _NOT_NAMES]
    name = named[-1] if named else ""
    if words and words[-1] == "availability":
        return Enclosed(Event.STATUS, "", name=name)
    if name.startswith("0x") and len(name) == 18:
        address, name = parts.eui(name[2:], "topic"), ""
    elif is_name(name):
        address = ""
    else:
        raise unreadable("topic: its last word names no device")
    said = _read(payload)
    return Enclosed(Event.UPLINK, address, Forwarded(0, None, "", payload, said, None), name=name)
