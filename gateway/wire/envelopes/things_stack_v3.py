"""The Things Stack v3, JSON: `v3/{application}@{tenant}/devices/{device}/{up|join|down/…|…}`.

Source: The Things Stack documentation, Data Formats, and `ttn/lorawan/v3/messages.proto`. proto3's JSON:
zeros are absent, 64-bit numbers are texts. Three clocks: the forwarder's (`rx_metadata[].time`), the network
server's (`uplink_message.received_at`), the application server's (`received_at`): the second counts here.
"""

from functools import partial
from typing import Any

import msgspec

from gateway.model.forwarded import Forwarded
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, Reception

_BY_MEMBER = {
    "join_accept": Event.JOIN,
    "downlink_ack": Event.ACK,
    "downlink_nack": Event.ACK,
    "downlink_sent": Event.SENT,
    "downlink_queued": Event.OTHER,
    "downlink_failed": Event.LOG,
    "location_solved": Event.LOCATION,
    "service_data": Event.OTHER,
}


class _Ids(msgspec.Struct):
    device_id: str = ""
    dev_eui: str | None = None
    dev_addr: str = ""


class _Message(msgspec.Struct):
    session_key_id: str = ""
    f_port: parts.Number = None
    f_cnt: parts.Number = None
    frm_payload: str | None = None
    decoded_payload: dict[str, Any] | None = None
    received_at: str | None = None
    rx_metadata: msgspec.Raw = msgspec.Raw()


class Document(msgspec.Struct):
    """What is read of a message; the members of uplinks, and who it is about."""

    end_device_ids: _Ids = msgspec.field(default_factory=_Ids)
    uplink_message: _Message | None = None
    received_at: str | None = None
    simulated: bool = False


class _Gateway(msgspec.Struct):
    eui: str = ""
    gateway_id: str = ""


class Forwarder(msgspec.Struct):
    gateway_ids: _Gateway = msgspec.field(default_factory=_Gateway)
    rssi: parts.Number = 0
    snr: parts.Number = None
    time: str | None = None


_read = parts.reader(Document)


def open_json(topic: str, payload: bytes) -> Enclosed:
    """Open one message; what it tells of stands in it. An ABP device may have no EUI, but its id."""
    document = _read(payload)
    ids, message = document.end_device_ids, document.uplink_message
    name = ids.device_id or _device_in(topic)
    known_by_name = ids.dev_eui is None and name
    dev_eui = "" if known_by_name else parts.eui(ids.dev_eui, "end_device_ids.dev_eui")
    if message is None:
        members = parts.members(payload)
        event = next((event for word, event in _BY_MEMBER.items() if word in members), Event.OTHER)
        return Enclosed(event, dev_eui, name=name)
    taken_in = parts.instant(message.received_at)
    uplink = Forwarded(
        parts.whole(message.f_port, "f_port", 255),
        parts.whole(message.f_cnt, "f_cnt", 0xFFFF_FFFF),
        message.session_key_id or ids.dev_addr.lower(),
        parts.octets(message.frm_payload, "frm_payload"),
        message.decoded_payload or None,
        parts.instant(document.received_at) if taken_in is None else taken_in,
        simulated=document.simulated,
    )
    return Enclosed(Event.UPLINK, dev_eui, uplink, partial(_heard, message.rx_metadata), name)


def _heard(raw: msgspec.Raw) -> tuple[Reception, ...]:
    return tuple(
        Reception(
            (one.gateway_ids.eui or one.gateway_ids.gateway_id).lower(),
            parts.decibels(one.rssi),
            parts.decibels(one.snr),
            parts.instant(one.time),
        )
        for one in parts.several(raw, Forwarder)
    )


def _device_in(topic: str) -> str:
    words = topic.split("/")
    return words[3].lower() if len(words) > 3 and words[2] == "devices" else ""
