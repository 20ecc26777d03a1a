"""Harm on purpose does what its name says, in every kind and form."""

from itertools import islice

import pytest

from gateway.devices.catalog import catalog
from gateway.devices.decode import binary_decoder, json_decoder
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId
from gateway.model.instant import HOUR
from simulators.damage import corrupt, out_of_range
from simulators.fleet import SimDevice
from simulators.scenario import DEFAULT_START, Scenario
from simulators.streams import stream
from simulators.uplink import SimUplink

SCENARIO = Scenario(seed=7, children=10, harm=0.0)
DEVICES = {device.device: device for device in SCENARIO.fleet()}


def one_of_each() -> list[SimUplink]:
    """For every kind and form one uplink that has something to harm."""
    found: dict[tuple[str, str], SimUplink] = {}
    for uplink in islice(SCENARIO.uplinks(), 4000):
        if uplink.values != {"reads": []}:
            found.setdefault((uplink.kind, uplink.form), uplink)
    return list(found.values())


def said(uplink: SimUplink) -> str:
    """What a receiver says to it: a reason, or nothing."""
    kind, device = catalog()[uplink.kind], DEVICES[uplink.device]
    decode = json_decoder(kind) if uplink.form == "json" else binary_decoder(kind)
    try:
        decode(uplink.payload, registered(device))
    except PayloadError as error:
        return str(error.reason)
    return ""


def registered(device: SimDevice) -> Device:
    """The registry's entry of a simulated device."""
    return Device(
        DeviceId(device.device), device.kind, device.owner, 0, attributes=device.attributes
    )


def test_every_kind_speaks_both_forms() -> None:
    """A morning brings every kind in JSON and in the compact binary, all of it decodable."""
    uplinks = one_of_each()

    assert len(uplinks) == 2 * len(catalog())
    assert {said(uplink) for uplink in uplinks} == {""}


@pytest.mark.parametrize("uplink", one_of_each(), ids=lambda u: f"{u.kind}-{u.form}")
def test_corrupt_is_undecodable(uplink: SimUplink) -> None:
    """A damaged payload cannot be decoded, whatever the dice."""
    for number in range(40):
        assert said(corrupt(uplink, stream(number, "test"))) == "undecodable"


@pytest.mark.parametrize("uplink", one_of_each(), ids=lambda u: f"{u.kind}-{u.form}")
def test_out_of_range_is_out_of_range(uplink: SimUplink) -> None:
    """The wrong value is refused as such; where a form has no bytes for it, nothing is harmed."""
    seen = set()
    for number in range(20):
        harmed = out_of_range(uplink, stream(number, "test"), DEVICES[uplink.device])
        seen.add(harmed.harm)
        assert said(harmed) == ("out of range" if harmed.harm else "")
    assert "out_of_range" in seen


def test_harm_never_moves_the_unharmed() -> None:
    """What is not harmed is sent as if there were no harm at all, and duplicates are copies."""
    until = DEFAULT_START + HOUR
    clean = {(u.device, u.seq): u for u in SCENARIO.uplinks(until)}
    harmed = list(Scenario(seed=7, children=10, harm=0.1).uplinks(until))

    assert {u.harm for u in harmed} == {
        None,
        "duplicate",
        "corrupt",
        "out_of_range",
        "unknown_device",
    }
    for uplink in harmed:
        if uplink.harm is None:
            assert uplink == clean[uplink.device, uplink.seq]
        elif uplink.harm == "duplicate":
            assert uplink.payload == clean[uplink.device, uplink.seq].payload
        elif uplink.harm == "unknown_device":
            assert uplink.device not in DEVICES
