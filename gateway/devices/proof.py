"""Proves a kind's examples: decodes each as a payload would be, and says what differs."""

from typing import Any

import msgspec

from gateway.devices.decode import json_decoder
from gateway.devices.kind import DeviceKind, Document, Example
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId


def disproof(kind: DeviceKind, example: Example) -> str | None:
    """Why the example does not hold; None if it does."""
    try:
        document = decoded(kind, example)
    except PayloadError as error:
        if example.rejected == error.reason.value:
            return None
        return f"it is rejected, {error.reason}: {error.detail}."
    if example.rejected:
        return f"it is accepted, and should be rejected as {example.rejected}."
    said: dict[str, Any] = msgspec.structs.asdict(document)
    differing = [
        f"{name} is {_shown(said.get(name))}, and should be {_shown(wanted)}"
        for name, wanted in (example.values or {}).items()
        if said.get(name) != wanted
    ]
    return "; ".join(differing) + "." if differing else None


def decoded(kind: DeviceKind, example: Example) -> Document:
    """The document of an example.

    Raises:
        PayloadError: it is rejected.
    """
    device = Device(DeviceId("example"), kind.name, "", 0, attributes=example.attributes)
    if example.is_json:
        document: Document = json_decoder(kind)(example.payload.encode(), device)[0]
        return document
    document = kind.unpack(bytes.fromhex(example.payload))
    kind.check(document, device)
    return document


def _shown(value: object) -> str:
    return "absent" if value is None else f"{value}"
