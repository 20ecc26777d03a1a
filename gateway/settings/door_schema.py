"""The settings of every kind of door."""

from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from gateway.model.quantity import DURATION, SIZE
from gateway.registry.words import nearest
from gateway.settings.forms import Address, Name, Port, Strict, fault, quantity
from gateway.wire.envelopes.formats import FORMATS
from gateway.wire.mqtt import filters
from gateway.wire.topics import OWN


def _filter(given: str) -> str:
    if (sentence := filters.fault(given)) is not None:
        raise fault(sentence)
    if given.startswith(("$share/", "$queue/")):
        raise fault("a shared subscription is written with its setting share, and the bare topic.")
    return given


def _format(given: str) -> str:
    known = [OWN, *FORMATS]
    if given not in known:
        hint = nearest(given, known, unless=f" There are {', '.join(known)}.")
        raise fault(f"no format of this name.{hint}")
    return given


def _server_format(given: str) -> str:
    if given == OWN:
        raise fault("our own topics are taken anyway: name a network server's format.")
    return _format(given)


def _url(given: str) -> str:
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        raise fault("an address is needed here: mqtt://host:1883 or mqtts://host:8883.") from None
    if parts.username is not None or parts.password is not None:
        raise fault("no credentials in an address: write user, and password_file.")
    bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0 or not bare:
        raise fault("an address is needed here: mqtt://host:1883 or mqtts://host:8883.")
    return given


def _reason(given: str) -> str:
    if len(given.split()) < 2:
        raise fault("a reason in words is needed here: who may see it, and why that is all right.")
    return given


def _prefix(given: str) -> str:
    if not given or any(character in given for character in "#+$ ") or given != given.strip("/"):
        raise fault("where Home Assistant looks is needed here, as a rule homeassistant.")
    return given


Accepted: TypeAlias = Annotated[str, AfterValidator(_reason)] | None
"""Why something is meant that looks like a mistake."""


class TlsFile(Strict):
    """`tls:` of a door."""

    port: Port
    certificate: str
    key: str
    client_ca: str | None = None
    client_certificate: Literal["offered", "required"] | None = None


class ServerTopicFile(Strict):
    """One of `server_topics:`, where a network server publishes at our own door."""

    topic: Annotated[str, AfterValidator(_filter)]
    format: Annotated[str, AfterValidator(_server_format)]


class MqttListenerFile(Strict):
    """A door of kind `mqtt_listener`."""

    kind: Literal["mqtt_listener"]
    name: Name
    bind: Address = "127.0.0.1"
    port: Port | None = 1883
    tls: TlsFile | None = None
    plain_accepted: Accepted = None
    anonymous: bool = False
    connections: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    packet_bytes: Annotated[
        int, quantity(SIZE, "256 B", "16 MiB", in_wholes=True), Field(alias="packet")
    ] = 65_536
    pending: Annotated[int, Field(ge=1, le=65_535)] = 1024
    topic_aliases: Annotated[int, Field(ge=0, le=1000)] = 64
    session_expiry_s: Annotated[
        float, quantity(DURATION, "0 s", "366 d"), Field(alias="session_expiry")
    ] = 604_800.0
    keep_alive_s: Annotated[float, quantity(DURATION, "1 s", "18 h"), Field(alias="keep_alive")] = (
        3600.0
    )
    server_topics: list[ServerTopicFile] = Field(default_factory=list)


class HttpPushFile(Strict):
    """A door of kind `http_push`."""

    kind: Literal["http_push"]
    name: Name
    bind: Address = "127.0.0.1"
    port: Port | None = 8080
    tls: TlsFile | None = None
    plain_accepted: Accepted = None
    body_bytes: Annotated[
        int, quantity(SIZE, "1 KiB", "16 MiB", in_wholes=True), Field(alias="body")
    ] = 262_144
    pending: Annotated[int, Field(ge=1, le=65_535)] = 1024


class SubscriptionFile(Strict):
    """One of `subscriptions:`, what is asked of a broker."""

    topic: Annotated[str, AfterValidator(_filter)]
    format: Annotated[str, AfterValidator(_format)]
    qos: Literal[0, 1, 2] = 1
    share: Name | None = None


class MqttClientFile(Strict):
    """A door of kind `mqtt_client`."""

    kind: Literal["mqtt_client"]
    name: Name
    url: Annotated[str, AfterValidator(_url)]
    version: Literal[5, "3.1.1"] = 5
    user: str | None = None
    password_file: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    session_expiry_s: Annotated[
        float, quantity(DURATION, "1 min", "366 d"), Field(alias="session_expiry")
    ] = 604_800.0
    keep_alive_s: Annotated[float, quantity(DURATION, "2 s", "1 h"), Field(alias="keep_alive")] = (
        30.0
    )
    packet_bytes: Annotated[
        int, quantity(SIZE, "4 KiB", "16 MiB", in_wholes=True), Field(alias="packet")
    ] = 1_048_576
    pending: Annotated[int, Field(ge=1, le=65_535)] = 8192
    subscriptions: Annotated[list[SubscriptionFile], Field(min_length=1)]
    plain_accepted: Accepted = None
    raw_on_broker_accepted: Accepted = None
    home_assistant: Annotated[str, AfterValidator(_prefix)] | None = None


class LorawanUdpFile(Strict):
    """A door of kind `lorawan_udp`, for forwarders that speak Semtech's UDP protocol."""

    kind: Literal["lorawan_udp"]
    name: Name
    bind: Address = "127.0.0.1"
    port: Port = 1700


class BasicsStationFile(Strict):
    """A door of kind `basics_station`, for forwarders that speak LoRa Basics Station's protocol."""

    kind: Literal["basics_station"]
    name: Name
    bind: Address = "127.0.0.1"
    port: Port | None = 8887
    tls: TlsFile | None = None
    plain_accepted: Accepted = None


AnyDoor = MqttListenerFile | HttpPushFile | MqttClientFile | LorawanUdpFile | BasicsStationFile

DoorFile = Annotated[AnyDoor, Field(discriminator="kind")]
"""Any door; which one it is, its `kind` says."""
