"""The formats by the names that configurations and commands give them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.wire.envelopes import actility, chirpstack_v3, chirpstack_v4, flat, things_stack_v3
from gateway.wire.envelopes import chirpstack_v4_protobuf as protobuf
from gateway.wire.envelopes.event import Open


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of envelope.

    Attributes:
        summary: one line for lists.
        opener: makes the function that opens it; ImportError where an extra is missing.
        extra: name of that extra, "" if none is needed.
        topics: what to subscribe to, of a server that was left as it came; "" where that is free.
    """

    summary: str
    opener: Callable[[], Open]
    extra: str = ""
    topics: str = ""


FORMATS: Mapping[str, Format] = {
    "chirpstack_v4": Format(
        "ChirpStack v4, JSON (Helium's console too)", lambda: chirpstack_v4.open_json,
        topics="application/+/device/+/event/+",
    ),
    "chirpstack_v4_protobuf": Format(
        "ChirpStack v4, protobuf", protobuf.opener, extra="chirpstack",
        topics="application/+/device/+/event/+",
    ),
    "chirpstack_v3": Format(
        "ChirpStack v3, JSON, data in base64", lambda: chirpstack_v3.open_json,
        topics="application/+/device/+/event/+",
    ),
    "chirpstack_v3_hex": Format(
        "ChirpStack v3, JSON, data in hexadecimal", lambda: chirpstack_v3.open_hex,
        topics="application/#",
    ),
    "things_stack_v3": Format(
        "The Things Stack v3, JSON", lambda: things_stack_v3.open_json, topics="v3/+/devices/+/#"
    ),
    "flat_json": Format(
        "flat JSON of a bridge (Zigbee2MQTT), the device in the topic", lambda: flat.open_json,
        topics="zigbee2mqtt/#",
    ),
    "actility": Format("Actility ThingPark, JSON", lambda: actility.open_json),
}  # fmt: skip
"""Name → format. Helium forwards ChirpStack's documents and takes `chirpstack_v4`."""
