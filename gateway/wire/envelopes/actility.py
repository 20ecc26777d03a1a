"""Actility ThingPark, JSON: `{"DevEUI_uplink": {…}}`, payload in hexadecimal, numbers as texts.

Source: ThingPark Wireless, LRC-AS tunnel interface developer guide, uplink frame report. Reports of other
things (`DevEUI_location`, `DevEUI_downlink_Sent`, `DevEUI_notification`) are counted by name.
"""

from gateway.model.forwarded import Forwarded
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, Reception, unreadable

_REPORTS = {
    "DevEUI_uplink": Event.UPLINK,
    "DevEUI_location": Event.LOCATION,
    "DevEUI_downlink_Sent": Event.SENT,
    "DevEUI_notification": Event.OTHER,
}


def open_json(_topic: str, payload: bytes) -> Enclosed:
    """Open one report."""
    outer = parts.document(payload)
    name = next((name for name in _REPORTS if name in outer), None)
    if name is None:
        raise unreadable("DevEUI_uplink")
    report = parts.part(outer, name)
    dev_eui = parts.eui(report.get("DevEUI"), f"{name}.DevEUI")
    if _REPORTS[name] is not Event.UPLINK:
        return Enclosed(_REPORTS[name], dev_eui)
    uplink = Forwarded(
        parts.whole(report.get("FPort"), "FPort", 255),
        parts.whole(report.get("FCntUp"), "FCntUp", 0xFFFF_FFFF),
        str(report.get("DevAddr", "")).lower(),
        parts.hexadecimal(report.get("payload_hex"), "payload_hex"),
        parts.part(report, "payload") or None,
        parts.instant(report.get("Time")),
    )
    heard = parts.several(parts.part(report, "Lrrs"), "Lrr")
    receptions = tuple(
        Reception(
            str(one.get("Lrrid", "")).lower(),
            parts.decibels(one.get("LrrRSSI")),
            parts.decibels(one.get("LrrSNR")),
        )
        for one in heard
    )
    return Enclosed(Event.UPLINK, dev_eui, uplink, receptions)
