"""What one connection, and the door as a whole, may ask of us."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the MQTT door.

    Attributes:
        connections: at once; further ones are told "quota exceeded".
        packet_bytes: largest MQTT packet; announced to MQTT 5 clients.
        pending: uplinks of one connection that may wait for their commit before its reading stops;
            also the receive maximum that MQTT 5 clients are held to.
        pending_bytes: the same in bytes: payload and what an uplink weighs beside it.
        door_bytes: bytes of all connections that may wait; beyond it nobody is read.
        connect_s: time from TCP accept to CONNECT.
        topic_aliases: how many a connection may give (MQTT 5); 0 = none.
        session_expiry_s: longest that a client is remembered after its connection.
        keep_alive_s: longest keep-alive granted; also used where a client asks for none.
    """

    connections: int = 10_000
    packet_bytes: int = 65_536
    pending: int = 1024
    pending_bytes: int = 1 << 20
    door_bytes: int = 256 << 20
    connect_s: float = 10.0
    topic_aliases: int = 64
    session_expiry_s: int = 7 * 86_400
    keep_alive_s: int = 3600
