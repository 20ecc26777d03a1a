"""What one connection brings: uplinks to the intake, acknowledgements back after the commit, in order of arrival."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from gateway.interfaces import Scripts
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Receiver, Route, Uplinks, weight
from gateway.pipeline.scripting import Scripting
from gateway.pipeline.sorting import Item
from gateway.sessions.session import Session
from gateway.transports.mqtt_listener import exchange
from gateway.transports.mqtt_listener.arrival import Arrival, Lobby
from gateway.transports.mqtt_listener.guest import Guest
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.receipts import Receipt, Receipts

_OVERHEAD_BYTES = 150
"""What an uplink weighs in memory beside its payload, about."""

_CHUNK = 64
"""Uplinks handed over together; longer chunks are cut so that senders take turns."""


class Yard(Lobby, Protocol):
    """What is asked of the door about uplinks."""

    receiver: Receiver
    scripts: Scripts | None

    def weigh(self, size: int) -> None:
        """So many bytes more (or, below 0, fewer) wait for their commit."""


class Carrier(Arrival):
    """The uplinks of a connection, from its packets to their answers."""

    __slots__ = ("_framer", "_newest", "_receipts", "_scripting", "_unanswered", "_yard")

    def __init__(self, yard: Yard) -> None:
        super().__init__(yard)
        self._yard = yard
        self._framer = Framer(yard.limits.packet_bytes, aliases=yard.limits.topic_aliases)
        self._newest: list[int | None] = []
        self._receipts: Receipts | None = None  # from the first script on: who waits for whose turn
        self._scripting: Scripting | None = None
        self._unanswered = 0

    def _hand_over(self, items: list[Item], ids: list[int | None]) -> None:
        """Put uplinks into the intake, in chunks; stop reading when too many of ours wait."""
        if not items or self._guest is None:
            return
        for start in range(0, len(items), _CHUNK):
            end = start + _CHUNK
            some = items[start:end]
            self._newest = ids[start:end]
            settle = self._expect(self._guest, self._newest, len(some), _size(some))
            self._put(self._guest, some, settle)
        self._await_answers(len(ids) - ids.count(None))
        self.throttle()

    def _expect(
        self, guest: Guest, ids: list[int | None], uplinks: int, size: int
    ) -> Callable[[dict[int, Reason]], None]:
        """So many more weigh on us, and have their turn from here on; what is to be called after their commit."""
        self._weigh(uplinks, size)
        receipt = None if self._receipts is None else self._receipts.expect([])
        return partial(self._settle, guest.kept, ids, uplinks, size, receipt)

    def _put(
        self, guest: Guest, items: list[Item], settle: Callable[[dict[int, Reason]], None]
    ) -> None:
        now = self._yard.clock.now()
        self._yard.receiver.put(self, Uplinks(guest.credential.origin, now, items, settle))

    def _start_script(self, guest: Guest, route: Route, uplink: Payload, n: int | None) -> None:
        """A script runs beside everything else; only acknowledgements wait for their turn behind it."""
        if self._scripting is None:
            self._receipts = Receipts()
            self._scripting = Scripting(self._yard.scripts)
        size = _size([(route, uplink)])
        settle = self._expect(guest, [n], 1, size)
        self._await_answers(n is not None)
        self._scripting.start(
            *(route, uplink, lambda item: self._put(guest, [item], settle)),
            failed=partial(self._failed, size),
        )
        self.throttle()

    def _failed(self, size: int) -> None:
        """Not acknowledged, so it comes again."""
        self._weigh(-1, -size)
        self.break_off(Code.UNSPECIFIED, "a script's run ended in an error")

    def _weigh(self, uplinks: int, size: int) -> None:
        self._pressure.uplinks += uplinks
        self._pressure.payload_bytes += size
        self._yard.weigh(size)

    def _await_answers(self, publishes: int) -> None:
        """So many more publishes wait for their last answer; MQTT 5 has agreed to a bound (§3.3.4)."""
        self._unanswered += publishes
        if self._framer.version == V5 and self._unanswered > self._yard.limits.pending:
            sentence = "more publishes without an answer than the receive maximum"
            self.break_off(Code.RECEIVE_MAXIMUM_EXCEEDED, sentence)

    def _settle(
        self,
        session: Session,
        ids: list[int | None],
        uplinks: int,
        size: int,
        receipt: Receipt | None,
        refused: dict[int, Reason],
    ) -> None:
        """The commit is done: acknowledge in order of arrival, in one write."""
        self._weigh(-uplinks, -size)
        version = self._framer.version
        if not self.is_open():
            if session.receiving:
                self._settle_elsewhere(session, ids, refused)
            return
        if session.receiving:
            exchange.committed(session, ids, refused, version)
        data = exchange.settled(ids, refused, version)
        if data and version == V5:
            self._answered(exchange.ended(session, ids, refused))
        self._acknowledge(receipt, data)
        self.throttle()

    def _acknowledge(self, receipt: Receipt | None, data: bytes) -> None:
        """Send answers when it is their turn, with those that had to wait for them (§4.6)."""
        if receipt is not None and self._receipts is not None:
            receipt.packets = [data]
            data = self._receipts.settle(receipt)
        if data:
            self.send(data)

    def _settle_elsewhere(
        self, session: Session, ids: list[int | None], refused: dict[int, Reason]
    ) -> None:
        """What came here at QoS 2 is settled, and its client may be on another connection by now."""
        version = self._framer.version
        answers, ended = exchange.still_due(session, ids, refused, version)
        exchange.committed(session, ids, refused, version)
        if answers and session.holder not in (None, self):
            assert session.holder is not None
            session.holder.answer_received(answers, ended)

    def answer_received(self, answers: bytes, ended: int) -> None:
        if (
            self._guest is None
        ):  # nothing before CONNACK; what comes again after it is answered then
            return
        self._answered(ended)
        self.send(answers)

    def complete(self) -> None:
        self._answered(1)

    def _answered(self, publishes: int) -> None:
        """So many got their last answer, some of them perhaps of an earlier connection (§4.9)."""
        self._unanswered = max(0, self._unanswered - publishes)

    def end(self, reason: Code) -> None:
        """Say goodbye (MQTT 5) and close."""
        if self._framer.version == V5 and self._guest is not None:
            self.send(encode.disconnect(V5, reason))
        self.shut()

    def break_off(self, reason: Code, sentence: str) -> None:
        self._yard.facts.note(
            "protocol broken", f"A connection was ended: {sentence}", logging.WARNING
        )
        if self._guest is None and reason is Code.UNSUPPORTED_VERSION:
            self.send(encode.connack(4, reason, {}))
        self.end(reason)


def _size(items: list[Item]) -> int:
    """What uplinks weigh, in bytes."""
    return sum([weight(payload) for _, payload in items]) + _OVERHEAD_BYTES * len(items)
