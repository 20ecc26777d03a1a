"""The doors of a run as they were configured."""

from dataclasses import dataclass
from pathlib import Path

from gateway.app.radio import RadioPlan
from gateway.transports.mqtt_client.broker import Broker
from gateway.transports.mqtt_listener.forwarding import ServerTopic
from gateway.transports.mqtt_listener.limits import Limits


@dataclass(frozen=True, slots=True)
class Side:
    """Where a door listens; port None = that side is shut, 0 = any free one.

    Attributes:
        ca: authority to hand to clients, where one lies beside the certificate.
        client_ca: authorities whose client certificates are believed.
    """

    name: str
    host: str
    port: int | None
    tls_port: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    client_ca: Path | None = None
    clients_required: bool = False


@dataclass(frozen=True, slots=True)
class DoorPlan:
    """One MQTT door as configured."""

    side: Side
    anonymous: bool = False
    limits: Limits = Limits()
    server_topics: tuple[ServerTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class PushPlan:
    """One HTTP door as configured.

    Attributes:
        body_bytes, pending: see `gateway.transports.http_push.door.PushLimits`.
    """

    side: Side
    body_bytes: int = 262_144
    pending: int = 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """All doors as configured.

    Attributes:
        radio: the network behind the doors of forwarders; None where there are none.
        udp: where those listen that speak Semtech's protocol.
        stations: where those listen that speak LoRa Basics Station's.
    """

    mqtt: tuple[DoorPlan, ...]
    pushes: tuple[PushPlan, ...] = ()
    brokers: tuple[Broker, ...] = ()
    radio: RadioPlan | None = None
    udp: tuple[Side, ...] = ()
    stations: tuple[Side, ...] = ()
