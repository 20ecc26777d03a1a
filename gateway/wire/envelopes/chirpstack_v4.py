"""ChirpStack v4, JSON: `application/{id}/device/{devEui}/event/{up|join|ack|txack|status|log|location|…}`.

Source: ChirpStack documentation, Integrations, Event types; `api/proto/integration/integration.proto`.
proto3's JSON leaves out zero, false and empty; 64-bit numbers are texts; times have up to nine decimals.
Helium's console forwards the same document.
"""

from functools import partial
from typing import Any

import msgspec

from gateway.model.forwarded import Forwarded
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, Reception, unreadable

EVENTS = {
    "up": Event.UPLINK, "join": Event.JOIN, "ack": Event.ACK, "txack": Event.SENT,
    "status": Event.STATUS, "log": Event.LOG, "location": Event.LOCATION, "integration": Event.OTHER,
}  # fmt: skip


class _Device(msgspec.Struct, rename="camel"):
    dev_eui: str = ""


class Document(msgspec.Struct, rename="camel"):
    """What is read of an event; the members of uplinks, and who it is about."""

    device_info: _Device = msgspec.field(default_factory=_Device)
    dev_addr: str = ""
    f_port: parts.Number = None
    f_cnt: parts.Number = None
    data: str | None = None
    object: dict[str, Any] | None = None
    time: str | None = None
    rx_info: msgspec.Raw = msgspec.Raw()


class Forwarder(msgspec.Struct, rename="camel"):
    gateway_id: str = ""
    rssi: parts.Number = 0
    snr: parts.Number = 0
    gw_time: str | None = None
    time: str | None = None


_read = parts.reader(Document)


def open_json(topic: str, payload: bytes) -> Enclosed:
    """Open one event; without a topic, what it tells of is seen by what it holds."""
    document = _read(payload)
    event = event_of(topic) or _seen(document, payload)
    dev_eui = parts.eui(document.device_info.dev_eui, "deviceInfo.devEui")
    if event is not Event.UPLINK:
        return Enclosed(event, dev_eui)
    uplink = Forwarded(
        parts.whole(document.f_port, "fPort", 255),
        parts.whole(document.f_cnt, "fCnt", 0xFFFF_FFFF),
        document.dev_addr.lower(),
        parts.octets(document.data, "data"),
        document.object or None,
        parts.instant(document.time),
    )
    return Enclosed(event, dev_eui, uplink, partial(_heard, document.rx_info))


def event_of(topic: str) -> Event | None:
    """What the last word of a topic says; None where it has none of ours."""
    words = topic.rsplit("/", 2)
    if len(words) == 3 and words[1] == "event":
        return EVENTS.get(words[2], Event.OTHER)
    return None


def _heard(raw: msgspec.Raw) -> tuple[Reception, ...]:
    return tuple(
        Reception(
            one.gateway_id.lower(),
            parts.decibels(one.rssi),
            parts.decibels(one.snr),
            parts.instant(one.gw_time or one.time),
        )
        for one in parts.several(raw, Forwarder)
    )


def _seen(document: Document, payload: bytes) -> Event:
    if document.rx_info or document.f_port is not None or document.data is not None:
        return Event.UPLINK
    members = parts.members(payload)
    for name, event in (
        ("margin", Event.STATUS),
        ("acknowledged", Event.ACK),
        ("location", Event.LOCATION),
        ("level", Event.LOG),
        ("gatewayId", Event.SENT),
        ("devAddr", Event.JOIN),
    ):
        if name in members:
            return event
    if "deviceInfo" not in members:
        raise unreadable("deviceInfo")
    return Event.OTHER
