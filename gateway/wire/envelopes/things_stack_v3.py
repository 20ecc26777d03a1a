"""The Things Stack v3, JSON: `v3/{application}@{tenant}/devices/{device}/{up|join|down/…|…}`.

Source: The Things Stack documentation, Data Formats, and `ttn/lorawan/v3/messages.proto`. proto3's JSON:
zeros are absent, 64-bit numbers are texts. Three clocks: the forwarder's (`rx_metadata[].time`), the network
server's (`uplink_message.received_at`), the application server's (`received_at`): the second counts here.
"""

from gateway.model.forwarded import Forwarded
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, Reception, text_of

_BY_MEMBER = {
    "uplink_message": Event.UPLINK,
    "join_accept": Event.JOIN,
    "downlink_ack": Event.ACK,
    "downlink_nack": Event.ACK,
    "downlink_sent": Event.SENT,
    "downlink_queued": Event.OTHER,
    "downlink_failed": Event.LOG,
    "location_solved": Event.LOCATION,
    "service_data": Event.OTHER,
}


def open_json(topic: str, payload: bytes) -> Enclosed:
    """Open one message; what it tells of stands in it. An ABP device may have no EUI, but its id."""
    outer = parts.document(payload)
    ids = parts.part(outer, "end_device_ids")
    name = text_of(ids, "device_id") or _device_in(topic)
    dev_eui = "" if "dev_eui" not in ids and name else parts.eui(ids.get("dev_eui"), "end_device_ids.dev_eui")  # fmt: skip
    event = next((event for name, event in _BY_MEMBER.items() if name in outer), Event.OTHER)
    if event is not Event.UPLINK:
        return Enclosed(event, dev_eui, name=name)
    message = parts.part(outer, "uplink_message")
    taken_in = parts.instant(message.get("received_at"))
    uplink = Forwarded(
        parts.whole(message.get("f_port"), "f_port", 255),
        parts.whole(message.get("f_cnt"), "f_cnt", 0xFFFF_FFFF),
        text_of(message, "session_key_id") or text_of(ids, "dev_addr").lower(),
        parts.octets(message.get("frm_payload"), "frm_payload"),
        parts.part(message, "decoded_payload") or None,
        parts.instant(outer.get("received_at")) if taken_in is None else taken_in,
        simulated=outer.get("simulated") is True,
    )
    receptions = tuple(
        Reception(
            str(parts.part(one, "gateway_ids").get("eui") or parts.part(one, "gateway_ids").get("gateway_id") or "").lower(),
            parts.decibels(one.get("rssi", 0)),
            parts.decibels(one.get("snr")),
            parts.instant(one.get("time")),
        )
        for one in parts.several(message, "rx_metadata")
    )  # fmt: skip
    return Enclosed(event, dev_eui, uplink, receptions, name)


def _device_in(topic: str) -> str:
    words = topic.split("/")
    return words[3].lower() if len(words) > 3 and words[2] == "devices" else ""
