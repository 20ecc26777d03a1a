"""One client that was let in: everything it says but PUBLISH, and the commands that go to it."""

from typing import Protocol

from gateway.model.device import Credential
from gateway.model.identity import DeviceId
from gateway.sessions.command import Command
from gateway.sessions.commands import Commands
from gateway.sessions.session import Holder, Session
from gateway.sessions.sessions import Sessions
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener import exchange
from gateway.transports.mqtt_listener.answers import unheard
from gateway.transports.mqtt_listener.guestbook import Guestbook
from gateway.transports.mqtt_listener.limits import Limits
from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code, Type
from gateway.wire.mqtt.packets import (
    Ack,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    Subscribe,
    Unsubscribe,
)
from gateway.wire.topics import command_topic

_AT_ONCE = 16
"""Commands on their way to one connection, if its client does not ask for fewer."""


class Host(Protocol):
    """What a guest asks of the door."""

    limits: Limits
    guestbook: Guestbook
    facts: Facts
    sessions: Sessions
    commands: Commands


class Line(Holder, Protocol):
    """The connection that a guest is on."""

    def send(self, data: bytes) -> None:
        """Write, unless it is closed."""
        ...

    def complete(self) -> None:
        """One QoS 2 exchange is over."""
        ...

    def break_off(self, reason: Code, sentence: str) -> None:
        """The client broke a rule: say so and close."""
        ...

    def shut(self) -> None:
        """Close once what was written has left."""
        ...


class Guest:
    """Satisfies `gateway.sessions.commands.Listener`.

    Attributes:
        credential: as the registry has it now.
        certified: whether a client certificate proved it.
        kept: its session.
    """

    __slots__ = (
        *("_asked", "_hears", "_host", "_largest", "_line", "_most", "_on_their_way", "_version"),
        *("certified", "credential", "kept"),
    )

    def __init__(
        self,
        host: Host,
        line: Line,
        hello: Connect,
        credential: Credential,
        session: Session,
        *,
        certified: bool,
    ) -> None:
        said = hello.properties
        self._host = host
        self._line = line
        self._version = hello.version
        self._asked = said.get(fields.SESSION_EXPIRY, 0)
        self._largest: int | None = said.get(fields.MAXIMUM_PACKET_SIZE)
        self._most = min(_AT_ONCE, said.get(fields.RECEIVE_MAXIMUM, _AT_ONCE))
        self._hears: dict[DeviceId, int] = {}
        self._on_their_way: dict[int, Command] = {}
        self.credential = credential
        self.certified = certified
        self.kept = session

    def answer(self, packet: Packet) -> None:
        """Do what a packet asks for."""
        if type(packet) is PingReq:
            self._line.send(encode.PINGRESP)
        elif type(packet) is Ack and packet.type in (Type.PUBACK, Type.PUBREL):
            if packet.type is Type.PUBREL:
                self._released(packet.packet_id)
            else:
                self._acknowledged(packet)
        elif type(packet) is Subscribe:
            self._subscribe(packet)
        elif type(packet) is Unsubscribe:
            self._unsubscribe(packet)
        elif type(packet) is Disconnect:
            self._goodbye(packet)
        else:
            self._line.break_off(Code.PROTOCOL_ERROR, "a packet that has no place here")

    def resume(self) -> None:
        """Hear what its session subscribed to, as far as its credential may.

        A subscription is known by a keyed name alone, so a credential of many devices means many names to
        try: not where all is heard already, as at nearly every change of the registry.
        """
        known = self.kept.subscriptions
        if len(known) <= len(self._hears):
            return
        name, session = self._host.sessions.names.subscription, self.kept.name
        for device in sorted(d for d in self.credential.devices if name(session, d) in known):
            allowed = self._host.guestbook.hears(self.credential, command_topic(device))
            if allowed and device not in self._hears:
                self._hear(device, known[name(session, device)])

    def renew(self, credential: Credential) -> None:
        """The registry has changed: hear what it may hear now."""
        self.credential = credential
        for device in list(self._hears):
            if not self._host.guestbook.hears(credential, command_topic(device)):
                self._hear_no_more(device)
        self.resume()

    def leave(self, line: Line, expiry_s: int | None = None) -> None:
        """Its connection is over."""
        for device in list(self._hears):
            self._hear_no_more(device)
        self._on_their_way.clear()
        self._host.sessions.leave(self.kept, line, expiry_s)

    # -- what it says -----------------------------------------------------------------------

    def _released(self, packet_id: int) -> None:
        reason = exchange.release(self.kept, packet_id)
        if reason is Code.PROTOCOL_ERROR:
            self._line.break_off(reason, "a PUBREL before its PUBREC")
            return
        self._line.complete()
        self._line.send(encode.pubcomp(self._version, packet_id, reason))

    def _acknowledged(self, ack: Ack) -> None:
        full = len(self._on_their_way) >= self._most
        command = self._on_their_way.pop(ack.packet_id, None)
        if command is None:
            return
        self._host.commands.acknowledge(command, refused=ack.reason >= 0x80)
        if full:
            for device in list(self._hears):
                self._host.commands.go_on(device)

    def _subscribe(self, packet: Subscribe) -> None:
        if packet.identifier is not None:
            sentence = "a subscription identifier, though none were offered"
            self._line.break_off(Code.SUBSCRIPTION_IDS_NOT_SUPPORTED, sentence)
            return
        names = self._host.sessions.names
        asked = [
            (self._host.guestbook.hears(self.credential, text), min(options & 3, 1))
            for text, options in packet.filters
        ]
        granted = {device: qos for device, qos in asked if device is not None}
        if any(device is None for device, _ in asked):
            self._host.facts.note("subscribe refused", "A SUBSCRIBE was refused")
        reasons = [
            unheard(text) if device is None else Code(qos)
            for (device, qos), (text, _) in zip(asked, packet.filters, strict=True)
        ]
        wanted = [(names.subscription(self.kept.name, d), qos) for d, qos in granted.items()]

        def written(ok: bool) -> None:
            said = reasons if ok else [max(reason, Code.UNSPECIFIED) for reason in reasons]
            self._line.send(encode.suback(self._version, packet.packet_id, said))
            if ok and self.kept.holder is self._line:
                for device, qos in granted.items():
                    if self._subscribed(device):  # it may have thought better of it meanwhile
                        self._hear(device, qos)

        self._host.sessions.subscribe(self.kept, wanted, written)

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        names = self._host.sessions.names
        devices = [self._host.guestbook.hears(self.credential, text) for text in packet.filters]
        gone = [d for d in dict.fromkeys(devices) if d is not None and self._subscribed(d)]
        reasons = [Code.SUCCESS if d in gone else Code.NO_SUBSCRIPTION_EXISTED for d in devices]

        def written(ok: bool) -> None:
            said = reasons if ok else [Code.UNSPECIFIED] * len(reasons)
            self._line.send(encode.unsuback(self._version, packet.packet_id, said))

        for device in gone:
            if device in self._hears:
                self._hear_no_more(device)
        keyed = [names.subscription(self.kept.name, device) for device in gone]
        self._host.sessions.unsubscribe(self.kept, keyed, written)

    def _goodbye(self, packet: Disconnect) -> None:
        """DISCONNECT, §3.14.2.2.2: it may change how long it is remembered, but not from nothing."""
        expiry_s = packet.expiry_s
        if expiry_s and not self._asked:
            sentence = "a session expiry at DISCONNECT, though none was asked for at CONNECT"
            self._line.break_off(Code.PROTOCOL_ERROR, sentence)
            return
        if expiry_s is not None:
            expiry_s = min(expiry_s, self._host.limits.session_expiry_s)
        self.leave(self._line, expiry_s)
        self._line.shut()

    def _subscribed(self, device: DeviceId) -> bool:
        name = self._host.sessions.names.subscription(self.kept.name, device)
        return name in self.kept.subscriptions

    # -- commands ---------------------------------------------------------------------------

    def _hear(self, device: DeviceId, qos: int) -> None:
        self._hears[device] = qos
        self._host.commands.join(device, self)

    def _hear_no_more(self, device: DeviceId) -> None:
        del self._hears[device]
        self._host.commands.leave(device, self)

    @property
    def session(self) -> bytes:
        return self.kept.name

    @property
    def remembered(self) -> bool:
        return self.kept.expiry_s > 0

    def acknowledges(self, device: DeviceId) -> bool:
        return self._hears[device] > 0

    def fits(self, device: DeviceId, payload: bytes) -> bool:
        if self._largest is None:
            return True
        return len(self._packet(device, payload, 1, 1, 1, again=False)) <= self._largest

    def reserve(self, command: Command) -> bool:
        held = self._on_their_way
        if len(held) >= self._most or command.packet_id in held:
            return False
        held[command.packet_id] = command
        return True

    def release(self, command: Command) -> None:
        self._on_their_way.pop(command.packet_id, None)

    def send(self, device: DeviceId, command: Command, expires_s: int, *, again: bool) -> None:
        qos = self._hears.get(device, 0)
        packet_id = command.packet_id if qos else None
        data = self._packet(device, command.payload, qos, packet_id, expires_s, again=again)
        self._line.send(data)

    def _packet(
        self,
        device: DeviceId,
        payload: bytes,
        qos: int,
        packet_id: int | None,
        expires_s: int,
        *,
        again: bool,
    ) -> bytes:
        topic = command_topic(device).encode()
        properties = {fields.MESSAGE_EXPIRY: expires_s} if self._version == V5 else None
        return encode.publish(self._version, topic, payload, qos, packet_id, again, properties)
