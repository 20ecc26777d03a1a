"""What a configuration comes to: typed, in SI units, with every file found and every name resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.counting.lane import Plan as Counted
from gateway.devices.kind import DeviceKind
from gateway.devices.mapping import Mapped
from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.plan import Plan
from gateway.privacy.policy import Policy
from gateway.registry.imports import Entries
from gateway.rules.model import RuleSet
from gateway.transports.mqtt_client.broker import Broker
from gateway.transports.mqtt_listener.forwarding import ServerTopic
from gateway.wire.lorawan.identifiers import Eui


@dataclass(frozen=True, slots=True)
class Tls:
    """The encrypted side of a door; port 0 takes a free one.

    Attributes:
        client_ca: authorities whose client certificates are believed; None asks for none.
        clients_required: whether nobody comes in without one.
    """

    port: int
    certificate: Path
    key: Path
    client_ca: Path | None = None
    clients_required: bool = False


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a door listens.

    Attributes:
        bind: IP address to listen on.
        port: plain TCP port, 0 for a free one; None for no plain side.
        tls: the encrypted side, if any.
        plain_accepted: why the plain side may be reached from elsewhere; "" where nobody said so.
    """

    name: str
    bind: str
    port: int | None
    tls: Tls | None
    plain_accepted: str


@dataclass(frozen=True, slots=True)
class MqttListener(Listening):
    """A door of kind `mqtt_listener`.

    Attributes:
        anonymous: whether a client may connect without a token; loopback only.
        connections: how many at a time.
        packet_bytes: largest MQTT packet taken.
        pending: uplinks of one connection in flight before reading from it stops.
        topic_aliases: how many a connection may give (MQTT 5).
        session_expiry_s: longest that a client is remembered after its connection.
        keep_alive_s: the longest granted; clients that ask for none are held to it.
        server_topics: where network servers publish, and in which format.
    """

    anonymous: bool
    connections: int
    packet_bytes: int
    pending: int
    topic_aliases: int
    session_expiry_s: float
    keep_alive_s: float
    server_topics: tuple[ServerTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpPush(Listening):
    """A door of kind `http_push`.

    Attributes:
        body_bytes: largest document taken.
        pending: documents that wait for their commit before senders are told to come again.
    """

    body_bytes: int
    pending: int


@dataclass(frozen=True, slots=True)
class LorawanUdp:
    """A door of kind `lorawan_udp`: where it listens."""

    name: str
    bind: str
    port: int


@dataclass(frozen=True, slots=True)
class Lorawan:
    """What all doors for forwarders share.

    Attributes:
        window_s: how long receptions of one frame are waited for.
        forwarders: those that may speak to us.
        adr_margin_db: what is kept above the need of a data rate where devices are set; None where they are not.
    """

    plan: Plan
    window_s: float
    forwarders: Mapping[Eui, Forwarder]
    adr_margin_db: float | None = None


@dataclass(frozen=True, slots=True)
class DeclaredKind:
    """A kind that a file declares, and the file."""

    kind: DeviceKind
    file: Path


@dataclass(frozen=True, slots=True)
class DeclaredCodec:
    """A codec that a file declares, the file, and the vendor's JavaScript that it names."""

    codec: Mapped
    file: Path
    script: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration without faults.

    Attributes:
        file: the `gateway.yaml` it came from.
        state: the state directory.
        keys: the keys root; None for the default place (`gateway.keys.place.default_root`).
        owner: municipality code of devices that name none.
        zone: local time zone.
        doors: the ways in for devices.
        pushes: the ways in for network servers that post their documents.
        brokers: those of others that this gateway is a client of: ways in too.
        tick_s, batch: the intake's tick in seconds, and the most uplinks of one commit.
        policy: the rules in force, compiled, generation 1; complete it by `dataclasses.replace` with what
            `Registry.ruleset(policy.ruleset, now)` answers.
        rules: the same as they are written: every lane with its purpose.
        entries: what `devices.yaml` says.
        kinds: what the configuration declares beside the shipped kinds.
        codecs: what it declares beside the products on the shelf.
        udp: the ways in for forwarders that speak Semtech's protocol.
        stations: those for forwarders that speak LoRa Basics Station's.
        lorawan: what both share; None where there are none.
        counted: the lanes of `rules` that count, ready to.
    """

    file: Path
    state: Path
    keys: Path | None
    owner: str
    zone: ZoneInfo
    doors: tuple[MqttListener, ...]
    tick_s: float
    batch: int
    policy: Policy
    rules: RuleSet
    entries: Entries
    kinds: tuple[DeclaredKind, ...] = ()
    codecs: tuple[DeclaredCodec, ...] = ()
    pushes: tuple[HttpPush, ...] = ()
    brokers: tuple[Broker, ...] = ()
    udp: tuple[LorawanUdp, ...] = ()
    stations: tuple[Listening, ...] = ()
    lorawan: Lorawan | None = None
    counted: tuple[Counted, ...] = ()
