"""One device's connection: packets in, uplinks to the intake, acknowledgements out after the commit."""

import asyncio
import logging
import secrets
from functools import partial
from typing import Protocol, cast

from gateway.clock import Clock
from gateway.model.device import Credential
from gateway.model.reason import Reason
from gateway.model.uplink import Receiver, Route, Uplinks
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.answers import REFUSED, greeting
from gateway.transports.mqtt_listener.guestbook import Routes
from gateway.transports.mqtt_listener.pressure import Pressure
from gateway.transports.mqtt_listener.reception import Claim, Desk, admit, claim_of, keep_alive_s
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.fields import MAXIMUM_PACKET_SIZE, USER_PROPERTY
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import (
    Connect,
    Disconnect,
    Packet,
    PingReq,
    Publish,
    Subscribe,
    Unsubscribe,
    Violation,
)

_PUBACK = [encode.puback(V5, n) for n in range(0x1_0000)]
"""Every successful PUBACK there is: four bytes each, the same in both versions."""

_OVERHEAD_BYTES = 150
"""What an uplink weighs in memory beside its payload, about."""

_CHUNK = 256
"""Uplinks handed over together; longer chunks are cut so that senders take turns."""


class Keeper(Desk, Protocol):
    """What a connection asks of the door that let it in."""

    receiver: Receiver
    clock: Clock
    facts: Facts

    def arrived(self, connection: "Connection") -> None:
        """It is connected."""

    def left(self, connection: "Connection") -> None:
        """It is gone."""

    def claim(self, who: Claim, connection: "Connection") -> None:
        """It speaks as `who` from now on; whoever did before is ended."""

    def weigh(self, size: int) -> None:
        """So many bytes more (or, below 0, fewer) wait for their commit."""

    @property
    def crowded(self) -> bool:
        """Whether so much waits in all that nobody is to be read."""
        ...


class Connection(asyncio.Protocol):
    """Server side of one MQTT connection. `last_heard` is on the door's monotonic clock, seconds."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._framer = Framer(keeper.limits.packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._credential: Credential | None = None
        self._routes: Routes = {}
        self._pressure = Pressure(keeper.limits)
        self.last_heard = keeper.clock.monotonic()
        self.silence_s = keeper.limits.connect_s
        self.claimed: Claim | None = None

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._keeper.arrived(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._keeper.left(self)

    def pause_writing(self) -> None:
        self._pressure.writable = False
        self.throttle()

    def resume_writing(self) -> None:
        self._pressure.writable = True
        self.throttle()

    def data_received(self, data: bytes) -> None:
        if self._credential is not None:  # a CONNECT that trickles in wins no time
            self.last_heard = self._keeper.clock.monotonic()
        packets = self._framer.feed(data)
        items: list[tuple[Route | Reason, bytes]] = []
        ids: list[int | None] = []
        routes = self._routes
        for packet in packets:
            if type(packet) is Publish and self._credential is not None:
                topic, payload, qos, packet_id, _dup, retain = packet
                route = routes.get(topic) or self._lost(topic)
                if route is None or qos > 1 or retain:
                    self._hand_over(items, ids)
                    items, ids = [], []
                    if not self._unusual(packet, route):
                        return
                items.append((cast("Route | Reason", route), payload))
                ids.append(packet_id)
            else:
                self._hand_over(items, ids)
                items, ids = [], []
                self._other(packet)
                routes = self._routes
                if self._transport is None or self._transport.is_closing():
                    return
        self._hand_over(items, ids)

    # -- uplinks

    def _hand_over(self, items: list[tuple[Route | Reason, bytes]], ids: list[int | None]) -> None:
        """Put uplinks into the intake, in chunks; stop reading when too many of ours wait."""
        if not items or self._credential is None:
            return
        now = self._keeper.clock.now()
        for start in range(0, len(items), _CHUNK):
            end = start + _CHUNK
            some = items[start:end]
            size = sum([len(payload) for _, payload in some]) + _OVERHEAD_BYTES * len(some)
            settle = partial(self._settle, ids[start:end], size)
            self._keeper.receiver.put(self, Uplinks(self._credential.origin, now, some, settle))
            self._weigh(len(some), size)
        self.throttle()

    def _weigh(self, uplinks: int, size: int) -> None:
        self._pressure.uplinks += uplinks
        self._pressure.payload_bytes += size
        self._keeper.weigh(size)

    def _settle(self, ids: list[int | None], size: int, refused: dict[int, Reason]) -> None:
        """The commit is done: acknowledge in order of arrival, in one write."""
        self._weigh(-len(ids), -size)
        if self._transport is None or self._transport.is_closing():
            return
        if refused and self._framer.version == V5:
            data = b"".join(
                encode.puback(V5, n, REFUSED.get(refused[at], Code.PAYLOAD_FORMAT_INVALID))
                if at in refused
                else _PUBACK[n]
                for at, n in enumerate(ids)
                if n is not None
            )
        else:
            data = b"".join([_PUBACK[n] for n in ids if n is not None])
        if data:
            self._transport.write(data)
        self.throttle()

    def throttle(self) -> None:
        """Read, or stop reading, this connection alone, by what weighs on it."""
        pressure = self._pressure
        wanted = pressure.may_read(self._keeper.crowded)
        if wanted is pressure.reading or self._transport is None or self._transport.is_closing():
            return
        pressure.reading = wanted
        if wanted:
            self.last_heard = self._keeper.clock.monotonic()  # it could not be heard meanwhile
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def expire(self, now: float) -> None:
        """End it if it was silent too long (§3.1.2.10), unless it is we who do not read.

        A peer that does not read its answers is not read either; its silence is its own.
        """
        ours = self._pressure.is_ours(self._keeper.crowded)
        if ours or now - self.last_heard <= self.silence_s:
            return
        if self._pressure.writable:
            self.end(Code.KEEP_ALIVE_TIMEOUT)
        elif self._transport is not None:
            self._transport.abort()

    def _lost(self, topic: bytes) -> Reason | None:
        """The reason for a topic without a route; None if it is no topic name at all (§4.7)."""
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            return None
        if not text or any(character in text for character in "+#\0"):
            return None
        refusal = self._keeper.guestbook.refusal(text)
        if self._credential is not None:
            name = self._credential.name
            self._keeper.facts.recent.turned_away(
                self._keeper.clock.now(), name, refusal.value, text
            )
        return refusal

    def _unusual(self, publish: Publish, route: Route | Reason | None) -> bool:
        """A PUBLISH that breaks a rule ends the connection (False); retain is ignored, said so."""
        if route is None:
            self._break_off(Code.TOPIC_NAME_INVALID, "a topic name that is none")
        elif publish.qos > 1:
            self._break_off(Code.QOS_NOT_SUPPORTED, "QoS 2, though QoS 1 is the most offered")
        else:
            self._keeper.facts.note("retain ignored", "A retained publish was taken as a plain one")
            return True
        return False

    # -- everything else

    def _other(self, packet: Packet) -> None:
        if type(packet) is Violation:
            self._break_off(packet.reason, packet.sentence)
        elif self._credential is None:
            if type(packet) is Connect:
                self._connect(packet)
            else:
                self._break_off(Code.PROTOCOL_ERROR, "something else before CONNECT")
        elif type(packet) is PingReq:
            self._send(encode.PINGRESP)
        elif type(packet) is Subscribe:
            self._keeper.facts.note("subscribe refused", "A SUBSCRIBE was refused")
            reasons = [Code.NOT_AUTHORIZED] * len(packet.filters)
            self._send(encode.suback(self._framer.version, packet.packet_id, reasons))
        elif type(packet) is Unsubscribe:
            reasons = [Code.NO_SUBSCRIPTION_EXISTED] * len(packet.filters)
            self._send(encode.unsuback(self._framer.version, packet.packet_id, reasons))
        elif type(packet) is Disconnect:
            self.shut()
        else:
            self._break_off(Code.PROTOCOL_ERROR, "a packet that has no place here")

    def _connect(self, hello: Connect) -> None:
        """CONNECT, §3.1.4: check, answer, learn the routes."""
        keeper = self._keeper
        peer = None if self._transport is None else self._transport.get_extra_info("peername")
        admitted = admit(hello, keeper, peer)
        if isinstance(admitted, Code):
            keeper.facts.note(
                "connect refused", f"A CONNECT was refused: {admitted.name}", logging.WARNING
            )
            keeper.facts.recent.turned_away(keeper.clock.now(), hello.username, admitted.name)
            self._send(encode.connack(hello.version, admitted, {}))
            self.shut()
            return
        self._credential = admitted
        keeper.facts.recent.came_in(keeper.clock.now(), admitted.name)
        if (claim := claim_of(admitted, hello)) is not None:
            keeper.claim(claim, self)
        self.last_heard = keeper.clock.monotonic()
        self._routes = keeper.guestbook.routes(admitted)
        self.silence_s = 1.5 * keep_alive_s(hello, keeper.limits)
        if hello.has_will:
            keeper.facts.note("will ignored", "A will was ignored")
        properties = greeting(hello, keeper.limits, f"guest-{secrets.token_hex(6)}")
        welcome = encode.connack(hello.version, Code.SUCCESS, properties)
        if len(welcome) > hello.properties.get(MAXIMUM_PACKET_SIZE, len(welcome)):
            del properties[USER_PROPERTY]  # §3.1.2.11.4: courtesies go first
            welcome = encode.connack(hello.version, Code.SUCCESS, properties)
        self._send(welcome)

    def renew(self) -> None:
        """The registry has changed: learn the routes anew, or leave if the credential is gone."""
        if self._credential is None:
            return
        self._credential = self._keeper.guestbook.again(self._credential)
        if self._credential is None:
            self.end(Code.NOT_AUTHORIZED)
        else:
            self._routes = self._keeper.guestbook.routes(self._credential)

    def hush(self) -> None:
        """Read nothing more; what was read is still acknowledged."""
        self._pressure.hushed = True
        self.throttle()

    def end(self, reason: Code) -> None:
        """Say goodbye (MQTT 5) and close."""
        if self._framer.version == V5:
            self._send(encode.disconnect(V5, reason))
        self.shut()

    def _break_off(self, reason: Code, sentence: str) -> None:
        self._keeper.facts.note(
            "protocol broken", f"A connection was ended: {sentence}", logging.WARNING
        )
        if self._credential is None and reason is Code.UNSUPPORTED_VERSION:
            self._send(encode.connack(4, reason, {}))
            self.shut()
        elif self._credential is None:
            self.shut()
        else:
            self.end(reason)

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def shut(self) -> None:
        """Close once what was written has left."""
        if self._transport is not None:
            self._transport.close()
