"""From CONNECT to CONNACK: who comes in, and with which session it goes on (§3.1.4)."""

import logging
import secrets
from collections.abc import Iterable
from functools import partial
from typing import Protocol

from gateway.model.device import Credential
from gateway.registry.proven import subject_of
from gateway.sessions.session import Session
from gateway.transports.mqtt_listener.answers import greeting, session_wanted
from gateway.transports.mqtt_listener.guest import Guest, Host
from gateway.transports.mqtt_listener.guestbook import Routes
from gateway.transports.mqtt_listener.reception import Desk, Peer, admit, keep_alive_s
from gateway.transports.mqtt_listener.wire import House, Wire
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.fields import MAXIMUM_PACKET_SIZE, USER_PROPERTY
from gateway.wire.mqtt.packets import Connect, Packet


class Lobby(House, Desk, Host, Protocol):
    """What a client that comes in asks of the door."""


class Arrival(Wire):
    """A connection that learns who is on it.

    Its `_guest` is None until its CONNECT was accepted and its session, where it is to be remembered, is
    on disk; packets that come before that wait in `_early`.
    """

    __slots__ = ("_early", "_guest", "_lobby", "_routes")

    def __init__(self, lobby: Lobby) -> None:
        super().__init__(lobby)
        self._lobby = lobby
        self._guest: Guest | None = None
        self._routes: Routes = {}
        self._early: list[Packet] = []

    def _connect(self, hello: Connect) -> None:
        """CONNECT, §3.1.4: check, and find the session to go on with or begin one."""
        peer = self._peer()
        admitted = admit(hello, self._lobby, peer)
        if isinstance(admitted, Code):
            self._refuse(hello, admitted)
            return
        client_id = hello.client_id or f"guest-{secrets.token_hex(6)}"
        clean, expiry_s = session_wanted(hello, self._lobby.limits)
        self._pressure.greeting = True
        self._lobby.sessions.enter(
            self._lobby.sessions.names.owner(admitted.name),
            client_id,
            self,
            clean=clean,
            expiry_s=expiry_s,
            most=len(admitted.devices),
            begun=partial(self._begin, hello, admitted, client_id, peer.subject is not None),
        )
        self.throttle()

    def _peer(self) -> Peer:
        transport = self._transport
        if transport is None:
            return Peer(None, None)
        address = transport.get_extra_info("peername")
        subject = subject_of(transport.get_extra_info("peercert"))
        return Peer(address[0] if address else None, subject)

    def _refuse(self, hello: Connect, reason: Code) -> None:
        self._lobby.facts.note(
            "connect refused", f"A CONNECT was refused: {reason.name}", logging.WARNING
        )
        now = self._lobby.clock.now()
        self._lobby.facts.recent.turned_away(now, hello.username, reason.name)
        self.send(encode.connack(hello.version, reason, {}))
        self.shut()

    def _begin(
        self,
        hello: Connect,
        admitted: Credential,
        client_id: str,
        certified: bool,
        session: Session | None,
        present: bool,
    ) -> None:
        """Its session is on disk, where it is to be remembered: greet, learn the routes, take what came
        meanwhile.
        """
        lobby = self._lobby
        if session is None:
            self._refuse(hello, Code.SERVER_UNAVAILABLE)
            return
        credential = lobby.guestbook.again(admitted, certified=certified)
        if credential is None or not self.is_open():
            lobby.sessions.leave(session, self)
            if credential is None:
                self._refuse(hello, Code.NOT_AUTHORIZED)
            return
        self._guest = Guest(lobby, self, hello, credential, session, certified=certified)
        lobby.facts.recent.came_in(lobby.clock.now(), credential.name)
        self.last_heard = self._clock.monotonic()
        self._routes = lobby.guestbook.routes(credential)
        self.silence_s = 1.5 * keep_alive_s(hello, lobby.limits)
        self._greet(hello, client_id, session, present)
        self._guest.resume()
        self._pressure.greeting = False
        early, self._early = self._early, []
        if early:
            self._take(early)
        self.throttle()

    def _greet(self, hello: Connect, client_id: str, session: Session, present: bool) -> None:
        if hello.has_will:
            self._lobby.facts.note("will ignored", "A will was ignored")
        version = hello.version
        properties = greeting(hello, self._lobby.limits, client_id, session.expiry_s)
        welcome = encode.connack(version, Code.SUCCESS, properties, present=present)
        if len(welcome) > hello.properties.get(MAXIMUM_PACKET_SIZE, len(welcome)):
            del properties[USER_PROPERTY]  # §3.1.2.11.4: courtesies go first
            welcome = encode.connack(version, Code.SUCCESS, properties, present=present)
        self.send(welcome)

    def _take(self, packets: Iterable[Packet]) -> None:
        """Do what packets ask for."""
        raise NotImplementedError

    def give_way(self) -> None:
        if self._guest is not None:
            self._guest.leave(self)
        self.end(Code.SESSION_TAKEN_OVER)

    def answer_received(self, answers: bytes, ended: int) -> None:
        """Answers to publishes that came on an earlier connection."""
        raise NotImplementedError

    def complete(self) -> None:
        """One QoS 2 exchange is over."""
        raise NotImplementedError

    def break_off(self, reason: Code, sentence: str) -> None:
        """A rule was broken: say so and close."""
        raise NotImplementedError
