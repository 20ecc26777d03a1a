"""Who is let in by CONNECT, and for how long it may be silent (§3.1). No I/O."""

from ipaddress import ip_address
from typing import Protocol, TypeAlias

from gateway.model.device import Credential
from gateway.transports.mqtt_listener.guestbook import Guestbook
from gateway.transports.mqtt_listener.limits import Limits
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.fields import AUTH_METHOD
from gateway.wire.mqtt.packets import Connect

Claim: TypeAlias = tuple[str, bytes, str]
"""Credential name, its digest (a registered name may be that of the anonymous guest) and client id."""


class Desk(Protocol):
    """What the reception knows of its house."""

    limits: Limits
    guestbook: Guestbook
    anonymous: bool

    def has_room(self) -> bool:
        """Whether one more may come in."""
        ...

    def holds(self, who: Claim) -> bool:
        """Whether somebody is in as `who`, whose place may be taken."""
        ...


def claim_of(credential: Credential, hello: Connect) -> Claim | None:
    """What a client is known by while it is in; None for one without an id of its own."""
    if not hello.client_id:
        return None
    return credential.name, credential.digest, hello.client_id


def admit(hello: Connect, desk: Desk, peer: tuple[str, int] | None) -> Credential | Code:
    """The credential that CONNECT proves, or the reason why it is refused.

    Args:
        peer: the client's address; anonymous clients are let in from loopback alone.
    """
    if AUTH_METHOD in hello.properties:
        return Code.BAD_AUTH_METHOD
    if hello.version != V5 and not hello.client_id and not hello.clean_start:
        return Code.CLIENT_ID_NOT_VALID
    credential = _prove(hello, desk, peer)
    if credential is None:
        return Code.BAD_CREDENTIALS
    claim = claim_of(credential, hello)
    if not desk.has_room() and not (claim is not None and desk.holds(claim)):
        return Code.QUOTA_EXCEEDED
    return credential


def _prove(hello: Connect, desk: Desk, peer: tuple[str, int] | None) -> Credential | None:
    if hello.username is None:
        may = desk.anonymous and peer is not None and ip_address(peer[0]).is_loopback
        return desk.guestbook.anonymous() if may else None
    return desk.guestbook.credential(hello.username, hello.password or b"")


def keep_alive_s(hello: Connect, limits: Limits) -> int:
    """The keep-alive in force: what the client asked for, else the longest; MQTT 5 is held to that."""
    wanted = hello.keep_alive_s or limits.keep_alive_s
    return min(wanted, limits.keep_alive_s) if hello.version == V5 else wanted
