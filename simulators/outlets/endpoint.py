"""Where an MQTT outlet publishes, and as whom."""

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to publish, and as whom.

    Attributes:
        host, port: of the listener.
        username, password: credential; None for an anonymous broker.
        tls: context for `mqtts://`, None for plain TCP.
        client_id: MQTT client identifier.
        version: 4 (MQTT 3.1.1) or 5.
        qos: 0 or 1.
        window: most uplinks sent and not yet acknowledged.
        keep_alive_s: wall seconds between signs of life.
        patience_s: give up after so many wall seconds without a connection; None = never.
        just_issued: the credential was registered this moment, and a running gateway may need a
            second to hear of it: being refused at first is no reason to give up.
    """

    host: str
    port: int
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    client_id: str = "sekisho-sim"
    version: int = 5
    qos: int = 1
    window: int = 64
    keep_alive_s: int = 30
    patience_s: float | None = 60.0
    just_issued: bool = False
