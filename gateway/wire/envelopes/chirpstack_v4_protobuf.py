"""ChirpStack v4, protobuf: the events of `chirpstack_v4` in the server's other marshaler.

Source: `api/proto/integration/integration.proto`. The classes come from the package `chirpstack-api`, the
extra `chirpstack`; what an event is stands in the topic alone, so here it is needed.
"""

from functools import partial
from typing import Any

from gateway.model.forwarded import Forwarded
from gateway.model.instant import SECOND, Instant
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.chirpstack_v4 import event_of
from gateway.wire.envelopes.event import Enclosed, Event, Open, Reception, unreadable


def opener() -> Open:
    """The opener; made once, because its classes take a while to import.

    Raises:
        ImportError: the extra is not installed.
    """
    from chirpstack_api import integration
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError

    messages = {
        Event.UPLINK: integration.UplinkEvent, Event.JOIN: integration.JoinEvent,
        Event.ACK: integration.AckEvent, Event.SENT: integration.TxAckEvent,
        Event.STATUS: integration.StatusEvent, Event.LOG: integration.LogEvent,
        Event.LOCATION: integration.LocationEvent,
        Event.OTHER: integration.JoinEvent,  # who it is about stands in the same place in every event
    }  # fmt: skip

    def open_protobuf(topic: str, payload: bytes) -> Enclosed:
        event = event_of(topic)
        if event is None:
            raise unreadable("topic: protobuf says by it alone what it tells of")
        try:
            message: Any = messages[event].FromString(payload)
        except DecodeError:
            raise unreadable(f"no {event.value} event in protobuf") from None
        dev_eui = parts.eui(message.device_info.dev_eui, "device_info.dev_eui")
        if event is not Event.UPLINK:
            return Enclosed(event, dev_eui)
        said = MessageToDict(message.object) if message.HasField("object") else {}
        uplink = Forwarded(
            message.f_port,
            message.f_cnt,
            message.dev_addr.lower(),
            message.data,
            said or None,
            _instant(message.time) if message.HasField("time") else None,
        )
        return Enclosed(event, dev_eui, uplink, partial(_heard, message.rx_info))

    return open_protobuf


def _heard(rx_info: Any) -> tuple[Reception, ...]:
    return tuple(
        Reception(
            one.gateway_id.lower(),
            parts.decibels(one.rssi),
            parts.decibels(one.snr),
            _instant(one.gw_time) if one.HasField("gw_time") else None,
        )
        for one in rx_info
    )


def _instant(stamp: Any) -> Instant:
    """`google.protobuf.Timestamp`, cut to µs as the JSON form is."""
    return int(stamp.seconds) * SECOND + int(stamp.nanos) // 1000
