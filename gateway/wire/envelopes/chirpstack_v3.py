"""ChirpStack v3, JSON marshaler v3 or v4 of that server: flat documents, EUIs in hexadecimal or base64.

Source: ChirpStack Application Server v3 documentation, Integrations, Events. Topics were free there, so
what a document tells of is seen by its members. `data` is base64; some exports carry it in hexadecimal,
which the configuration says (`chirpstack_v3_hex`): both are alphabets of the other too often to guess.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from gateway.model.forwarded import Forwarded
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


def _open(octets: Callable[[object, str], bytes], _topic: str, payload: bytes) -> Enclosed:
    outer = parts.document(payload)
    dev_eui = parts.eui(outer.get("devEUI", outer.get("devEui")), "devEUI")
    event = _event(outer)
    if event is not Event.UPLINK:
        return Enclosed(event, dev_eui)
    uplink = Forwarded(
        parts.whole(outer.get("fPort"), "fPort", 255),
        parts.whole(outer.get("fCnt"), "fCnt", 0xFFFF_FFFF),
        _address(outer),
        octets(outer.get("data"), "data"),
        parts.part(outer, "object") or _from_text(outer) or None,
        _taken_in(outer),
    )
    receptions = tuple(
        Reception(
            str(one.get("gatewayID", "")).lower(),
            parts.decibels(one.get("rssi", 0)),
            parts.decibels(one.get("loRaSNR", 0)),
            parts.instant(one.get("time")),
        )
        for one in parts.several(outer, "rxInfo")
    )
    return Enclosed(event, dev_eui, uplink, receptions)


open_json: Open = partial(_open, parts.octets)
open_hex: Open = partial(_open, parts.hexadecimal)


def _event(outer: dict[str, Any]) -> Event:
    if "rxInfo" in outer and ("fCnt" in outer or "data" in outer or "txInfo" in outer):
        return Event.UPLINK
    return next((event for name, event in _BY_MEMBER if name in outer), Event.OTHER)


def _address(outer: dict[str, Any]) -> str:
    """DevAddr: four bytes in base64, or eight hexadecimal digits; "" in documents without."""
    given = outer.get("devAddr")
    if not isinstance(given, str):
        return ""
    return given.lower() if len(given) == 8 and not given.endswith("=") else parts.octets(given, "devAddr").hex()  # fmt: skip


def _from_text(outer: dict[str, Any]) -> dict[str, Any]:
    """`objectJSON`: the object as a text, of the protobuf-like marshaler."""
    text = outer.get("objectJSON")
    return parts.document(text.encode()) if isinstance(text, str) and text else {}


def _taken_in(outer: dict[str, Any]) -> int | None:
    """When the server took it in: `publishedAt`, or what the export that wrote the line added."""
    for name in ("publishedAt", "_date"):
        if (at := parts.instant(outer.get(name))) is not None:
            return at
    known = [parts.instant(one.get("time")) for one in parts.several(outer, "rxInfo")]
    return min((at for at in known if at is not None), default=None)
