"""One device's connection: packets in, uplinks to the intake, acknowledgements out after the commit."""

import asyncio
import logging
import secrets
import ssl
from functools import partial
from typing import Protocol, cast

from gateway.clock import Clock
from gateway.model.device import Credential
from gateway.model.reason import Reason
from gateway.model.uplink import Receiver, Route, Uplinks
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.answers import REFUSED, greeting
from gateway.transports.mqtt_listener.guestbook import Routes
from gateway.transports.mqtt_listener.reception import Desk, admit, keep_alive_s
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
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


class Connection(asyncio.Protocol):
    """Server side of one MQTT connection. `last_heard` is on the door's monotonic clock, seconds."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._framer = Framer(keeper.limits.packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._credential: Credential | None = None
        self._routes: Routes = {}
        self._pending = 0
        self._reading = True
        self._writable = True
        self._hushed = False
        self.last_heard = keeper.clock.monotonic()
        self.silence_s = keeper.limits.connect_s

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._keeper.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if isinstance(exc, ssl.SSLError):
            self._keeper.facts.note("tls failed", "A TLS connection broke", logging.WARNING)
        self._keeper.left(self)

    def pause_writing(self) -> None:
        self._writable = False
        self._throttle()

    def resume_writing(self) -> None:
        self._writable = True
        self._throttle()

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
            settle = partial(self._settle, ids[start:end])
            uplinks = Uplinks(self._credential.origin, now, items[start:end], settle)
            self._keeper.receiver.put(self, uplinks)
        self._pending += len(items)
        self._throttle()

    def _settle(self, ids: list[int | None], refused: dict[int, Reason]) -> None:
        """The commit is done: acknowledge in order of arrival, in one write."""
        self._pending -= len(ids)
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
        self._throttle()

    def _throttle(self) -> None:
        """Back-pressure by not reading, for this connection alone."""
        limit = self._keeper.limits.pending
        room = self._pending < (limit if self._reading else limit // 2)
        wanted = room and self._writable and not self._hushed
        if wanted is self._reading or self._transport is None or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self.last_heard = self._keeper.clock.monotonic()  # it could not be heard meanwhile
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    @property
    def paused(self) -> bool:
        """Whether we are the ones who do not read: its silence is not its fault."""
        return not self._reading

    def _lost(self, topic: bytes) -> Reason | None:
        """The reason for a topic without a route; None if it is no topic name at all (§4.7)."""
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            return None
        if not text or any(character in text for character in "+#\0"):
            return None
        return self._keeper.guestbook.refusal(text)

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
            self._send(encode.connack(hello.version, admitted, {}))
            self.shut()
            return
        self._credential = admitted
        self.last_heard = keeper.clock.monotonic()
        self._routes = keeper.guestbook.routes(admitted)
        self.silence_s = 1.5 * keep_alive_s(hello, keeper.limits)
        if hello.has_will:
            keeper.facts.note("will ignored", "A will was ignored")
        properties = greeting(hello, keeper.limits, f"guest-{secrets.token_hex(6)}")
        self._send(encode.connack(hello.version, Code.SUCCESS, properties))

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
        self._hushed = True
        self._throttle()

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
