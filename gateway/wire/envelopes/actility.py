"""Actility ThingPark, JSON: `{"DevEUI_uplink": {…}}`, payload in hexadecimal, numbers as texts.

Source: ThingPark Wireless, LRC-AS tunnel interface developer guide, uplink frame report. Reports of other
things (`DevEUI_location`, `DevEUI_downlink_Sent`, `DevEUI_notification`) are counted by name.
"""

from functools import partial
from typing import Any

import msgspec

from gateway.model.forwarded import Forwarded
from gateway.wire.envelopes import parts
from gateway.wire.envelopes.event import Enclosed, Event, Reception, unreadable


class _Receivers(msgspec.Struct):
    some: msgspec.Raw = msgspec.field(name="Lrr", default=msgspec.Raw())


class _Report(msgspec.Struct, rename="pascal"):
    """What is read of an uplink's report."""

    dev_eui: str | None = msgspec.field(name="DevEUI", default=None)
    dev_addr: str = ""
    f_port: parts.Number = None
    f_cnt: parts.Number = msgspec.field(name="FCntUp", default=None)
    data: str | None = msgspec.field(name="payload_hex", default=None)
    object: dict[str, Any] | None = msgspec.field(name="payload", default=None)
    time: str | None = None
    lrrs: _Receivers = msgspec.field(default_factory=_Receivers)


class _About(msgspec.Struct):
    """What is read of any other report: who it is about."""

    dev_eui: str | None = msgspec.field(name="DevEUI", default=None)


class Document(msgspec.Struct):
    uplink: _Report | None = msgspec.field(name="DevEUI_uplink", default=None)
    location: _About | None = msgspec.field(name="DevEUI_location", default=None)
    sent: _About | None = msgspec.field(name="DevEUI_downlink_Sent", default=None)
    other: _About | None = msgspec.field(name="DevEUI_notification", default=None)


class Forwarder(msgspec.Struct, rename="pascal"):
    lrrid: str = ""
    rssi: parts.Number = msgspec.field(name="LrrRSSI", default=None)
    snr: parts.Number = msgspec.field(name="LrrSNR", default=None)


_read = parts.reader(Document)


def open_json(_topic: str, payload: bytes) -> Enclosed:
    """Open one report."""
    document = _read(payload)
    report = document.uplink
    if report is None:
        return _no_uplink(document)
    dev_eui = parts.eui(report.dev_eui, "DevEUI_uplink.DevEUI")
    uplink = Forwarded(
        parts.whole(report.f_port, "FPort", 255),
        parts.whole(report.f_cnt, "FCntUp", 0xFFFF_FFFF),
        report.dev_addr.lower(),
        parts.hexadecimal(report.data, "payload_hex"),
        report.object or None,
        parts.instant(report.time),
    )
    return Enclosed(Event.UPLINK, dev_eui, uplink, partial(_heard, report.lrrs.some))


def _no_uplink(document: Document) -> Enclosed:
    for event, report in (
        (Event.LOCATION, document.location),
        (Event.SENT, document.sent),
        (Event.OTHER, document.other),
    ):
        if report is not None:
            return Enclosed(event, parts.eui(report.dev_eui, "DevEUI"))
    raise unreadable("DevEUI_uplink")


def _heard(raw: msgspec.Raw) -> tuple[Reception, ...]:
    return tuple(
        Reception(one.lrrid.lower(), parts.decibels(one.rssi), parts.decibels(one.snr))
        for one in parts.several(raw, Forwarder)
    )
