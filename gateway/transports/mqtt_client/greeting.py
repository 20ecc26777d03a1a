"""What is said at the beginning of a connection to a broker: TLS, CONNECT, SUBSCRIBE, and what its answers mean."""

import ssl

from gateway.transports.mqtt_client.broker import Broker
from gateway.transports.mqtt_client.connection import DROPPED
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import CONNACK_311, Code
from gateway.wire.mqtt.fields import (
    MAXIMUM_PACKET_SIZE,
    RECEIVE_MAXIMUM,
    SERVER_KEEP_ALIVE,
    SESSION_EXPIRY,
)
from gateway.wire.mqtt.packets import ConnAck

_NO_RETAINED = 0x20
"""Subscription option of MQTT 5: nothing that was kept before is sent (§3.8.3.1)."""

_MEANING = {
    Code.UNSUPPORTED_VERSION: "it does not speak this version of MQTT: change version",
    Code.CLIENT_ID_NOT_VALID: "it does not take our client identifier: change client_id",
    Code.BAD_CREDENTIALS: "user or password is wrong: user, password_file",
    Code.NOT_AUTHORIZED: "we may not connect: user, password_file, certificate",
    Code.SERVER_UNAVAILABLE: "it is not available",
    Code.SERVER_BUSY: "it is busy",
    Code.QUOTA_EXCEEDED: "it has too many clients",
}
_IN_311 = {CONNACK_311[code]: code for code in reversed(_MEANING)}


def connect(broker: Broker, client_id: str) -> bytes:
    """CONNECT to a session that outlives the connection.

    Raises:
        OSError: the password cannot be read.
    """
    password = None
    if broker.password_file is not None:
        password = broker.password_file.read_bytes().rstrip(b"\r\n")
    return encode.connect(
        broker.version,
        client_id,
        broker.user,
        password,
        int(broker.keep_alive_s),
        clean=False,
        properties={
            SESSION_EXPIRY: broker.session_expiry_s,
            RECEIVE_MAXIMUM: broker.pending,
            MAXIMUM_PACKET_SIZE: broker.packet_bytes,
        },
    )


def subscribe(broker: Broker, *, losses: bool) -> bytes:
    """SUBSCRIBE to everything.

    Args:
        losses: also to what Mosquitto says of messages that it lost.
    """
    more = _NO_RETAINED if broker.version == V5 else 0
    asked = [(one.filter, one.qos | more) for one in broker.subscriptions]
    return encode.subscribe_each(broker.version, 1, [*asked, *([(DROPPED, 0)] if losses else [])])


def context(broker: Broker) -> ssl.SSLContext | None:
    """Client side TLS, 1.2 at least; None for plain TCP. Files are read each time, so that they can be renewed.

    Raises:
        OSError: a file cannot be read or used.
    """
    if not broker.tls:
        return None
    made = ssl.create_default_context(cafile=None if broker.ca is None else str(broker.ca))
    if broker.certificate is not None and broker.key is not None:
        made.load_cert_chain(str(broker.certificate), str(broker.key), password=lambda: b"")
    return made


def keep_alive_s(broker: Broker, answer: ConnAck) -> float:
    """The keep-alive in force: a broker that speaks MQTT 5 may choose another (§3.2.2.3.14)."""
    wanted: float = answer.properties.get(SERVER_KEEP_ALIVE, broker.keep_alive_s)
    return wanted or broker.keep_alive_s


def refusal(broker: Broker, reason: int) -> str:
    """Why CONNECT was refused, and which setting may change that."""
    try:
        code = Code(reason) if broker.version == V5 else _IN_311[reason]
        what = _MEANING[code]
    except (ValueError, KeyError):
        what = f"reason 0x{reason:02X}"
    return f"it refuses us ({what})"
