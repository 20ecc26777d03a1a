"""Envelopes on their way to the intake: addressed, counted, and no word about who hears a child."""

import json
from dataclasses import replace

import pytest

from gateway.model.device import Device, Directory
from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.model.uplink import Route, weight
from gateway.pipeline.sorting import Counted, Sorting
from gateway.telemetry import Facts
from gateway.wire.envelopes.chirpstack_v4 import open_json
from gateway.wire.envelopes.event import Event
from tests.fakes.clock import ManualClock
from tests.fakes.readings import child, gauge

EUI = "0004a30b001c0530"


def sorted_by(device: Device, facts: Facts, **document: object) -> object:
    """What a door is to hand over of one document that names the device's EUI."""
    known = replace(device, attributes={**device.attributes, "dev_eui": EUI})
    sorting = Sorting(
        open_json, Directory({known.device: known}, {}), facts, ManualClock(), "chirpstack"
    )
    said = {"deviceInfo": {"devEui": EUI}, "fPort": 1, "data": "qg==", **document}
    return sorting.sort("application/a/device/b/event/up", json.dumps(said).encode())


HEARD = [{"gatewayId": "0016C001F153A14C", "rssi": -97, "snr": 7.5}]


def test_who_heard_a_thing_of_the_city_is_remembered_for_doctor() -> None:
    facts = Facts()
    found = sorted_by(gauge(), facts, rxInfo=HEARD)
    assert isinstance(found, tuple)
    assert isinstance(found[0], Route)
    assert isinstance(found[1], Forwarded)
    answer = facts.recent.of_device(gauge().device, 0, coarse=False)
    assert answer["radio"] == [["0016c001f153a14c", -97.0, 7.5]]


def test_who_heard_a_child_is_forgotten() -> None:
    """Forwarders with their signal strengths say where a tracker is."""
    facts = Facts()
    assert isinstance(sorted_by(child(), facts, rxInfo=HEARD), tuple)
    assert facts.recent.radio == {}


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        (replace(gauge(), revoked=True), Reason.UNKNOWN_DEVICE),
        (replace(gauge(), attributes={"datum_m": 4.2, "codec": "nobodys_box"}), Reason.NO_CODEC),
    ],
)
def test_an_uplink_that_leads_nowhere_says_why(device: Device, reason: Reason) -> None:
    """It is handed over all the same: what is rejected is counted in one place."""
    facts = Facts()
    found = sorted_by(device, facts)
    assert isinstance(found, tuple)
    assert found[0] is reason
    assert facts.recent.knocks[-1].why == reason.value
    assert ("codec unknown" in facts.counts) == (reason is Reason.NO_CODEC)


def test_what_is_no_uplink_is_counted_by_its_name() -> None:
    facts = Facts()
    sorting = Sorting(open_json, Directory({}, {}), facts, ManualClock(), "chirpstack")
    document = json.dumps({"deviceInfo": {"devEui": EUI}, "margin": 10}).encode()
    assert sorting.sort("application/a/device/b/event/status", document) == Counted(Event.STATUS)
    assert facts.counts["forwarded status"] == 1


@pytest.mark.parametrize("eui", ["\u00e91234567890=", "AAAAAAAAAA==", "zzzzzzzzzzzz", "", "0" * 17])
def test_an_eui_that_is_none_costs_its_own_document_alone(eui: str) -> None:
    """Whatever its letters: a broker would bring a message that stops the door again and again."""
    facts = Facts()
    sorting = Sorting(open_json, Directory({}, {}), facts, ManualClock(), "chirpstack")
    document = json.dumps({"deviceInfo": {"devEui": eui}, "fPort": 1}).encode()
    assert sorting.sort("application/a/device/b/event/up", document)[0] is Reason.UNDECODABLE
    assert facts.counts["envelope not opened"] == 1


def test_an_uplink_weighs_what_its_document_does() -> None:
    """Also where nearly all of it is the object that a server made."""
    facts = Facts()
    found = sorted_by(gauge(), facts, object={"x": "y" * 5000})
    assert isinstance(found, tuple)
    assert weight(found[1]) > 5000
