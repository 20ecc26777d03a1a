"""A payload that another kind would take tells of a device under the wrong kind."""

import pytest

from gateway.devices.catalog import catalog
from gateway.devices.decode import likeness
from gateway.model.device import Device
from gateway.model.identity import DeviceId

CASES = [
    (kind.name, example.payload)
    for kind in catalog().values()
    for example in kind.examples
    if example.is_json and example.values is not None
]


def registered(kind: str) -> Device:
    return Device(DeviceId("box-1"), kind, "16201", 0)


@pytest.mark.parametrize(("kind", "payload"), CASES)
def test_no_json_example_of_a_kind_is_taken_for_another_one(kind: str, payload: str) -> None:
    """Whatever it was registered as, a kind's own example is like that kind or like none for certain."""
    others = [name for name in catalog() if name != kind]
    found = {likeness(payload.encode(), True, registered(o), catalog().values()) for o in others}

    assert found <= {kind, None}


def test_a_camera_registered_as_a_gauge_shows() -> None:
    body = b'{"species": "bear", "count": 1, "confidence": 0.9}'
    assert likeness(body, True, registered("river_gauge"), catalog().values()) == "wildlife_camera"


def test_nonsense_is_like_nothing() -> None:
    for body in (b"", b"{}", b'{"seq": 4}', b"\x00\x01"):
        assert likeness(body, True, registered("river_gauge"), catalog().values()) is None
