"""A broker of somebody else's as configured: where, as whom, what is subscribed, and how much may wait."""

from dataclasses import dataclass
from pathlib import Path

from gateway.wire.mqtt.filters import shared


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is asked of a broker.

    Attributes:
        topic: a topic filter.
        format: what its messages are: `gateway.wire.topics.OWN`, or a name in `FORMATS`.
        qos: the highest at which they are sent to us, 0 to 2.
        share: the group of clients among which they are divided; "" for all of them to us.
    """

    topic: str
    format: str
    qos: int = 1
    share: str = ""

    @property
    def filter(self) -> str:
        """As the broker is asked for it."""
        return shared(self.share, self.topic) if self.share else self.topic


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker, and how to live with it.

    Attributes:
        name: what the door is called.
        host, port: where it listens.
        tls: whether it is spoken to over TLS.
        version: 4 (MQTT 3.1.1) or 5.
        user, password_file: what it is told at CONNECT; the file is read each time.
        ca: authorities that its certificate is judged by; None for the system's.
        certificate, key: what we show of ourselves, where it asks.
        client_id: what it remembers us by; "" for one made of the state directory's id and the name.
        session_expiry_s: how long it is to keep our messages while we are away (MQTT 5).
        keep_alive_s: longest silence between us.
        packet_bytes: largest MQTT packet taken.
        pending: messages that may wait for their commit before reading stops.
        pending_bytes: the same in bytes.
        home_assistant: where Home Assistant looks for configurations; "" tells it nothing.
        plain_accepted: why what it is told and tells may cross the network unencrypted; "" where nobody said so.
        raw_on_broker_accepted: why uplinks of people may come this way in spite of all; "" refuses them.
    """

    name: str
    host: str
    port: int
    subscriptions: tuple[Subscription, ...]
    tls: bool = False
    version: int = 5
    user: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    client_id: str = ""
    session_expiry_s: int = 7 * 86_400
    keep_alive_s: float = 30.0
    packet_bytes: int = 1 << 20
    pending: int = 8192
    pending_bytes: int = 16 << 20
    plain_accepted: str = ""
    raw_on_broker_accepted: str = ""
    home_assistant: str = ""

    @property
    def url(self) -> str:
        """Where it is, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"
