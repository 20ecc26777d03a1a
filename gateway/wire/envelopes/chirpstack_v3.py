"""ChirpStack v3, JSON marshaler v3 or v4 of that server: flat documents, EUIs in hexadecimal or base64.

Source: ChirpStack Application Server v3 documentation, Integrations, Events. Topics were free there, so
what a document tells of is seen by its members. `data` is base64; some exports carry it in hexadecimal,
which the configuration says (`chirpstack_v3_hex`): both are alphabets of the other too often to guess.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from gateway.model.forwarded import Forwarded
from gateway.model.instant import Instant
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, Open, Reception

_BY_MEMBER = (
    ("margin", Event.STATUS),
    ("acknowledged", Event.ACK),
    ("location", Event.LOCATION),
    ("error", Event.LOG),
    ("gatewayID", Event.SENT),
    ("devAddr", Event.JOIN),
)


class Document(msgspec.Struct):
    """What is read of an event; the members of uplinks, and who it is about."""

    dev_eui: str | None = msgspec.field(name="devEUI", default=None)
    dev_eui_too: str | None = msgspec.field(name="devEui", default=None)
    dev_addr: str = msgspec.field(name="devAddr", default="")
    f_port: parts.Number = msgspec.field(name="fPort", default=None)
    f_cnt: parts.Number = msgspec.field(name="fCnt", default=None)
    data: str | None = None
    object: dict[str, Any] | None = None
    object_text: str | None = msgspec.field(name="objectJSON", default=None)
    published_at: str | None = msgspec.field(name="publishedAt", default=None)
    exported_at: str | None = msgspec.field(name="_date", default=None)
    rx_info: msgspec.Raw = msgspec.field(name="rxInfo", default=msgspec.Raw())
    tx_info: msgspec.Raw = msgspec.field(name="txInfo", default=msgspec.Raw())


class Forwarder(msgspec.Struct):
    gateway_id: str = msgspec.field(name="gatewayID", default="")
    rssi: parts.Number = 0
    snr: parts.Number = msgspec.field(name="loRaSNR", default=0)
    time: str | None = None


_read = parts.reader(Document)
_read_object = parts.reader(dict[str, Any])


def _open(octets: Callable[[str | None, str], bytes], _topic: str, payload: bytes) -> Enclosed:
    document = _read(payload)
    dev_eui = parts.eui(document.dev_eui or document.dev_eui_too, "devEUI")
    event = _event(document, payload)
    if event is not Event.UPLINK:
        return Enclosed(event, dev_eui)
    uplink = Forwarded(
        parts.whole(document.f_port, "fPort", 255),
        parts.whole(document.f_cnt, "fCnt", 0xFFFF_FFFF),
        _address(document.dev_addr),
        octets(document.data, "data"),
        document.object or _from_text(document.object_text) or None,
        _taken_in(document),
    )
    return Enclosed(event, dev_eui, uplink, partial(_heard, document.rx_info))


open_json: Open = partial(_open, parts.octets)
open_hex: Open = partial(_open, parts.hexadecimal)


def _event(document: Document, payload: bytes) -> Event:
    said = document.f_cnt is not None or document.data is not None or document.tx_info
    if document.rx_info and said:
        return Event.UPLINK
    members = parts.members(payload)
    return next((event for name, event in _BY_MEMBER if name in members), Event.OTHER)


def _heard(raw: msgspec.Raw) -> tuple[Reception, ...]:
    return tuple(
        Reception(
            one.gateway_id.lower(),
            parts.decibels(one.rssi),
            parts.decibels(one.snr),
            parts.instant(one.time),
        )
        for one in parts.several(raw, Forwarder)
    )


def _address(given: str) -> str:
    """DevAddr: four bytes in base64, or eight hexadecimal digits; "" in documents without."""
    if len(given) == 8 and not given.endswith("="):
        return given.lower()
    return parts.octets(given, "devAddr").hex()


def _from_text(text: str | None) -> dict[str, Any]:
    """`objectJSON`: the object as a text, of the protobuf-like marshaler."""
    return _read_object(text.encode()) if text else {}


def _taken_in(document: Document) -> Instant | None:
    """When the server took it in: `publishedAt`, what the export that wrote the line added, or the first
    forwarder's clock.
    """
    at = parts.instant(document.published_at)
    if at is None:
        at = parts.instant(document.exported_at)
    if at is None:
        known = [reception.at for reception in _heard(document.rx_info)]
        at = min((one for one in known if one is not None), default=None)
    return at
