"""ChirpStack v4, JSON: `application/{id}/device/{devEui}/event/{up|join|ack|txack|status|log|location|…}`.

Source: ChirpStack documentation, Integrations, Event types; `api/proto/integration/integration.proto`.
proto3's JSON leaves out zero, false and empty; 64-bit numbers are texts; times have up to nine decimals.
Helium's console forwards the same document.
"""

from gateway.model.forwarded import Forwarded
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, Reception, text_of, unreadable

EVENTS = {
    "up": Event.UPLINK, "join": Event.JOIN, "ack": Event.ACK, "txack": Event.SENT,
    "status": Event.STATUS, "log": Event.LOG, "location": Event.LOCATION, "integration": Event.OTHER,
}  # fmt: skip


def open_json(topic: str, payload: bytes) -> Enclosed:
    """Open one event; without a topic, what it tells of is seen by what it holds."""
    outer = parts.document(payload)
    dev_eui = parts.eui(parts.part(outer, "deviceInfo").get("devEui"), "deviceInfo.devEui")
    event = event_of(topic) or _seen(outer)
    if event is not Event.UPLINK:
        return Enclosed(event, dev_eui)
    said = parts.part(outer, "object")
    uplink = Forwarded(
        parts.whole(outer.get("fPort"), "fPort", 255),
        parts.whole(outer.get("fCnt"), "fCnt", 0xFFFF_FFFF),
        text_of(outer, "devAddr").lower(),
        parts.octets(outer.get("data"), "data"),
        said or None,
        parts.instant(outer.get("time")),
    )
    receptions = tuple(
        Reception(
            str(one.get("gatewayId", "")).lower(),
            parts.decibels(one.get("rssi", 0)),
            parts.decibels(one.get("snr", 0)),
            parts.instant(one.get("gwTime", one.get("time"))),
        )
        for one in parts.several(outer, "rxInfo")
    )
    return Enclosed(event, dev_eui, uplink, receptions)


def event_of(topic: str) -> Event | None:
    """What the last word of a topic says; None where it has none of ours."""
    words = topic.rsplit("/", 2)
    if len(words) == 3 and words[1] == "event":
        return EVENTS.get(words[2], Event.OTHER)
    return None


def _seen(outer: dict[str, object]) -> Event:
    if "rxInfo" in outer or "fPort" in outer or "data" in outer:
        return Event.UPLINK
    for name, event in (
        ("margin", Event.STATUS),
        ("acknowledged", Event.ACK),
        ("location", Event.LOCATION),
        ("level", Event.LOG),
        ("gatewayId", Event.SENT),
        ("devAddr", Event.JOIN),
    ):
        if name in outer:
            return event
    if "deviceInfo" not in outer:
        raise unreadable("deviceInfo")
    return Event.OTHER
