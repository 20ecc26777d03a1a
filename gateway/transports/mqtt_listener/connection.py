"""One device's connection: packets in, uplinks to the intake, acknowledgements out after the commit."""

import asyncio
import logging
import ssl
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

from gateway.model.device import Credential
from gateway.model.reason import Reason
from gateway.model.uplink import Route, Uplinks
from gateway.transports.mqtt_listener.answers import REFUSED, greeting
from gateway.transports.mqtt_listener.guestbook import Routes
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.fields import AUTH_METHOD
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

if TYPE_CHECKING:
    from gateway.transports.mqtt_listener.door import Door

_PUBACK = [encode.puback(V5, n) for n in range(0x1_0000)]
"""Every successful PUBACK there is: four bytes each, the same in both versions."""

_CHUNK = 256
"""Uplinks handed over together; longer chunks are cut so that senders take turns."""


class Connection(asyncio.Protocol):
    """Server side of one MQTT connection. `last_heard` is on the door's monotonic clock, seconds."""

    def __init__(self, door: "Door") -> None:
        self._door = door
        self._framer = Framer(door.limits.packet_bytes)
        self._transport: asyncio.Transport | None = None
        self._credential: Credential | None = None
        self._routes: Routes = {}
        self._pending = 0
        self._reading = True
        self._writable = True
        self._hushed = False
        self.last_heard = door.clock.monotonic()
        self.silence_s = door.limits.connect_s

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._door.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if isinstance(exc, ssl.SSLError):
            self._door.facts.note("tls failed", "A TLS connection broke", logging.WARNING)
        self._door.left(self)

    def pause_writing(self) -> None:
        self._writable = False
        self._throttle()

    def resume_writing(self) -> None:
        self._writable = True
        self._throttle()

    def data_received(self, data: bytes) -> None:
        self.last_heard = self._door.clock.monotonic()
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
        now = self._door.clock.now()
        for start in range(0, len(items), _CHUNK):
            end = start + _CHUNK
            settle = partial(self._settle, ids[start:end])
            uplinks = Uplinks(self._credential.origin, now, items[start:end], settle)
            self._door.receiver.put(self, uplinks)
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
        limit = self._door.limits.pending
        room = self._pending < (limit if self._reading else limit // 2)
        wanted = room and self._writable and not self._hushed
        if wanted is self._reading or self._transport is None or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
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
        return self._door.guestbook.refusal(text)

    def _unusual(self, publish: Publish, route: Route | Reason | None) -> bool:
        """A PUBLISH that breaks a rule ends the connection (False); retain is ignored, said so."""
        if route is None:
            self._break_off(Code.TOPIC_NAME_INVALID, "a topic name that is none")
        elif publish.qos > 1:
            self._break_off(Code.QOS_NOT_SUPPORTED, "QoS 2, though QoS 1 is the most offered")
        else:
            self._door.facts.note("retain ignored", "A retained publish was taken as a plain one")
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
            self._door.facts.note("subscribe refused", "A SUBSCRIBE was refused")
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
        door = self._door
        reason = Code.SUCCESS
        if AUTH_METHOD in hello.properties:
            reason = Code.BAD_AUTH_METHOD
        elif not door.has_room():
            reason = Code.QUOTA_EXCEEDED
        elif hello.version != V5 and not hello.client_id and not hello.clean_start:
            reason = Code.CLIENT_ID_NOT_VALID
        else:
            self._credential = self._prove(hello)
            if self._credential is None:
                reason = Code.BAD_CREDENTIALS
        if self._credential is None:
            door.facts.note(
                "connect refused", f"A CONNECT was refused: {reason.name}", logging.WARNING
            )
            self._send(encode.connack(hello.version, reason, {}))
            self.shut()
            return
        self._routes = door.guestbook.routes(self._credential)
        keep_alive_s = hello.keep_alive_s
        if hello.version == V5:
            keep_alive_s = min(keep_alive_s or door.limits.keep_alive_s, door.limits.keep_alive_s)
        self.silence_s = 1.5 * keep_alive_s if keep_alive_s else 1.5 * door.limits.keep_alive_s
        if hello.has_will:
            door.facts.note("will ignored", "A will was ignored")
        properties = greeting(hello, door.limits, f"guest-{id(self):x}")
        self._send(encode.connack(hello.version, Code.SUCCESS, properties))

    def _prove(self, hello: Connect) -> Credential | None:
        if hello.username is None:
            may = self._door.anonymous and self._from_loopback()
            return self._door.guestbook.anonymous() if may else None
        return self._door.guestbook.credential(hello.username, hello.password or b"")

    def _from_loopback(self) -> bool:
        peer = self._transport.get_extra_info("peername") if self._transport else None
        return peer is not None and ip_address(peer[0]).is_loopback

    def renew(self) -> None:
        """The registry has changed: learn the routes anew, or leave if the credential is gone."""
        if self._credential is None:
            return
        self._credential = self._door.guestbook.again(self._credential)
        if self._credential is None:
            self.end(Code.NOT_AUTHORIZED)
        else:
            self._routes = self._door.guestbook.routes(self._credential)

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
        self._door.facts.note(
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
