"""One connection to a broker: its messages to the intake, acknowledgements back after the commit, in order."""

import asyncio
from functools import partial
from typing import Protocol, cast

from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Receiver, Route, Uplinks, weight
from gateway.pipeline.scripting import Scripting
from gateway.pipeline.sorting import Counted, Item
from gateway.telemetry import Facts
from gateway.transports.mqtt_client.broker import Broker
from gateway.transports.mqtt_client.haste import reassure
from gateway.transports.mqtt_client.sorter import Sorter
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code, Type
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import (
    Ack,
    ConnAck,
    Disconnect,
    Packet,
    Publish,
    SubAck,
    Violation,
)
from gateway.wire.mqtt.receipts import Receipt, Receipts

DROPPED = "$SYS/broker/publish/messages/dropped"
"""Where Mosquitto says how many messages it has thrown away, of all its clients."""

_DROPPED = DROPPED.encode()
_CHUNK = 64
"""Messages handed over together; longer chunks are cut so that senders take turns."""

_OVERHEAD_BYTES = 150
"""What an uplink weighs in memory beside its payload, about."""

_RECEIPT = {1: b"\x40\x02", 2: b"\x50\x02"}
"""PUBACK and PUBREC, which say success in two bytes more (§3.4.2.1, §3.5.2.1)."""


class House(Protocol):
    """What a connection asks of its door."""

    broker: Broker
    receiver: Receiver
    clock: Clock
    facts: Facts
    sorter: Sorter
    scripts: Scripts | None

    def greeted(self, connection: "Connection", answer: ConnAck) -> None:
        """The broker has answered CONNECT."""

    def granted(self, answer: SubAck) -> None:
        """The broker has answered SUBSCRIBE."""

    def dropped(self, total: int) -> None:
        """The broker says how many messages it has thrown away since it started."""


class Connection(asyncio.Protocol):
    """Client side of one MQTT connection.

    Attributes:
        ended: set when it is gone.
        why: what ended it, in words; "" for nothing that anybody said.
        last_heard: on the door's monotonic clock, seconds.
    """

    def __init__(self, house: House, hello: bytes) -> None:
        self._house = house
        self._hello = hello
        self._framer = Framer(house.broker.packet_bytes, version=house.broker.version)
        self._transport: asyncio.Transport | None = None
        self._receipts = Receipts()
        self._items: list[Item] = []
        self._due: list[bytes] = []
        self._scripting = Scripting(house.scripts)
        self._uplinks = 0
        self._bytes = 0
        self._greeted = False
        self._hushed = False
        self.reading = True
        self.ended = asyncio.Event()
        self.why = ""
        self.last_heard = house.clock.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._scripting.cancel()  # what is not acknowledged comes again
        if exc is not None and not self.why:
            self.why = getattr(exc, "strerror", None) or type(exc).__name__
        self.ended.set()

    def data_received(self, data: bytes) -> None:
        self.last_heard = self._house.clock.monotonic()
        for packet in self._framer.feed(data):
            if type(packet) is Publish and self._greeted:
                self._collect(packet)
            else:
                self._hand_over()
                self._other(packet)
                if not self.is_open():
                    return
        self._hand_over()
        self._throttle()
        if self._scripting.busy and self._transport is not None:
            reassure(self._transport)

    # -- messages

    def _collect(self, packet: Publish) -> None:
        topic, payload, qos, packet_id, _dup, retain = packet
        if topic == _DROPPED:
            self._say_dropped(payload)
            found: Item | Counted | None = None
        elif retain:  # what somebody kept there once: nothing that happens now
            self._house.facts.count("retained message passed over")
            found = None
        else:
            found = self._house.sorter.sort(topic, payload)
        receipt = b"" if packet_id is None else _RECEIPT[qos] + packet_id.to_bytes(2, "big")
        if found is not None and not isinstance(found, Counted):
            route, uplink = found
            if isinstance(route, Route) and route.script:
                self._hand_over()
                self._start_script(route, uplink, receipt)
                return
            self._items.append((route, uplink))
        if receipt:
            self._due.append(receipt)
        if len(self._items) >= _CHUNK:
            self._hand_over()

    def _hand_over(self) -> None:
        """Put what was collected into the intake; what is no uplink is due as soon as all before it is."""
        items, due = self._items, self._due
        if not items and not due:
            return
        self._items, self._due = [], []
        receipt = self._receipts.expect(due)
        if not items:
            self.send(self._receipts.settle(receipt))
            return
        size = self._weigh(items)
        self._put(items, receipt, size)

    def _put(self, items: list[Item], receipt: Receipt, size: int) -> None:
        now = self._house.clock.now()
        settle = partial(self._settle, receipt, len(items), size)
        self._house.receiver.put(self, Uplinks("own", now, items, settle))

    def _weigh(self, items: list[Item]) -> int:
        size = sum(_OVERHEAD_BYTES + weight(payload) for _, payload in items)
        self._uplinks += len(items)
        self._bytes += size
        return size

    def _settle(
        self, receipt: Receipt, uplinks: int, size: int, _refused: dict[int, Reason]
    ) -> None:
        """The commit is done. To a broker everything is a success: it is not the device, and sends nothing
        again for a reason code.
        """
        self._uplinks -= uplinks
        self._bytes -= size
        self.send(self._receipts.settle(receipt))
        self._throttle()

    def _start_script(self, route: Route, uplink: Payload, packet: bytes) -> None:
        """A script runs beside everything else; only acknowledgements wait for their turn behind it."""
        receipt = self._receipts.expect([packet] if packet else [])
        size = self._weigh([(route, uplink)])
        self._scripting.start(
            route, uplink, lambda item: self._put([item], receipt, size), self._failed
        )

    def _failed(self) -> None:
        """What is not acknowledged comes again."""
        self.abort("a script's run ended in an error")

    # -- everything else

    def _other(self, packet: Packet) -> None:
        match packet:
            case ConnAck():
                self._greeted = packet.reason == 0
                self._house.greeted(self, packet)
            case SubAck():
                self._house.granted(packet)
            case Ack(type=Type.PUBREL):
                self.send(encode.pubcomp(self._framer.version, packet.packet_id))
            case Disconnect():
                self.end(f"the broker said {_named(packet.reason)}")
            case Violation():
                too_large = packet.reason is Code.PACKET_TOO_LARGE
                hint = ": raise packet of this door" if too_large else ""
                self.end(f"it broke MQTT ({packet.sentence}{hint})")
            case Publish():
                self.end("it sent a message before its CONNACK")
            case _:
                pass  # PINGRESP: it was heard, and that is all

    def _say_dropped(self, payload: bytes) -> None:
        if payload.isdigit() and len(payload) < 20:
            self._house.dropped(int(payload))

    # -- the wire

    def _throttle(self) -> None:
        """Read, or stop reading, by what waits; once too much waited, half of it must have gone."""
        limits, part = self._house.broker, 1 if self.reading else 2
        wanted = (
            not self._hushed
            and self._uplinks < max(1, limits.pending // part)
            and self._bytes < limits.pending_bytes // part
        )
        if wanted is self.reading or self._transport is None or self._transport.is_closing():
            return
        self.reading = wanted
        if wanted:
            self.last_heard = self._house.clock.monotonic()  # it could not be heard meanwhile
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def hush(self) -> None:
        """Read nothing more; what was read is still acknowledged."""
        self._hushed = True
        self._throttle()

    def send(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    @property
    def unsent(self) -> int:
        """Bytes that the broker has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def is_open(self) -> bool:
        """Whether anything that is written still leaves."""
        return self._transport is not None and not self._transport.is_closing()

    def end(self, why: str) -> None:
        """Close once what was written has left."""
        self.why = self.why or why
        if self._transport is not None:
            self._transport.close()

    def abort(self, why: str) -> None:
        """Close at once: nobody is at the other end."""
        self.why = self.why or why
        if self._transport is not None:
            self._transport.abort()


def _named(reason: int) -> str:
    try:
        return Code(reason).name.lower().replace("_", " ")
    except ValueError:
        return f"0x{reason:02X}"
