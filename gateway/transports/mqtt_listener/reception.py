"""Who is let in by CONNECT, and for how long it may be silent (§3.1). No I/O."""

from ipaddress import ip_address
from typing import NamedTuple, Protocol

from gateway.model.device import Credential
from gateway.transports.mqtt_listener.guestbook import Guestbook
from gateway.transports.mqtt_listener.limits import Limits
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.fields import AUTH_METHOD
from gateway.wire.mqtt.packets import Connect


class Peer(NamedTuple):
    """What the transport knows of a client: its IP address, and its certificate's common name."""

    address: str | None
    subject: str | None


class Desk(Protocol):
    """What the reception knows of its house."""

    limits: Limits
    guestbook: Guestbook
    anonymous: bool

    def has_room(self) -> bool:
        """Whether one more may come in."""
        ...

    def holds(self, credential: str, client_id: str) -> bool:
        """Whether somebody is in as this client, whose place may be taken."""
        ...


def admit(hello: Connect, desk: Desk, peer: Peer) -> Credential | Code:
    """The credential that CONNECT proves, or the reason why it is refused.

    Args:
        peer: anonymous clients are let in from loopback alone.
    """
    if AUTH_METHOD in hello.properties:
        return Code.BAD_AUTH_METHOD
    if hello.version != V5 and not hello.client_id and not hello.clean_start:
        return Code.CLIENT_ID_NOT_VALID
    credential = _prove(hello, desk, peer)
    if credential is None:
        return Code.BAD_CREDENTIALS
    if not desk.has_room() and not desk.holds(credential.name, hello.client_id):
        return Code.QUOTA_EXCEEDED
    return credential


def _prove(hello: Connect, desk: Desk, peer: Peer) -> Credential | None:
    if peer.subject is not None:
        same = hello.username in (None, peer.subject)
        return desk.guestbook.named(peer.subject) if same else None
    if hello.username is None:
        may = desk.anonymous and peer.address is not None and ip_address(peer.address).is_loopback
        return desk.guestbook.anonymous() if may else None
    return desk.guestbook.credential(hello.username, hello.password or b"")


def keep_alive_s(hello: Connect, limits: Limits) -> int:
    """The keep-alive in force: what the client asked for, else the longest; MQTT 5 is held to that."""
    wanted = hello.keep_alive_s or limits.keep_alive_s
    return min(wanted, limits.keep_alive_s) if hello.version == V5 else wanted
