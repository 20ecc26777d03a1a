"""One device's connection: packets in, uplinks to the intake, acknowledgements out after the commit."""

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from typing import Protocol, cast

from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Receiver, Route, Uplinks, weight
from gateway.pipeline.sorting import Counted, Item
from gateway.sessions.session import Session
from gateway.transports.mqtt_listener import exchange
from gateway.transports.mqtt_listener.arrival import Arrival, Lobby
from gateway.transports.mqtt_listener.forwarding import Forwarding, elsewhere
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Connect, Packet, Publish, Violation

_OVERHEAD_BYTES = 150
"""What an uplink weighs in memory beside its payload, about."""

_CHUNK = 64
"""Uplinks handed over together; longer chunks are cut so that senders take turns."""


class Keeper(Lobby, Protocol):
    """What a connection asks of the door that let it in."""

    receiver: Receiver
    forwarding: Forwarding

    def arrived(self, connection: "Connection") -> None:
        """It is connected."""

    def left(self, connection: "Connection") -> None:
        """It is gone."""

    def weigh(self, size: int) -> None:
        """So many bytes more (or, below 0, fewer) wait for their commit."""


class Connection(Arrival):
    """Server side of one MQTT connection."""

    __slots__ = ("_framer", "_keeper", "_newest", "_unanswered")

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._framer = Framer(keeper.limits.packet_bytes, aliases=keeper.limits.topic_aliases)
        self._newest: list[int | None] = []
        self._unanswered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._keeper.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._guest is not None:
            self._guest.leave(self)
        self._keeper.left(self)

    def data_received(self, data: bytes) -> None:
        packets = self._framer.feed(data)
        if self._guest is not None:  # a CONNECT that trickles in wins no time
            self.last_heard = self._clock.monotonic()
        elif self._pressure.greeting:
            self._early += packets
            return
        self._take(packets)

    def _take(self, packets: Iterable[Packet]) -> None:
        items: list[Item] = []
        ids: list[int | None] = []
        routes = self._routes
        guest = self._guest
        rest = iter(packets)
        for packet in rest:
            if type(packet) is Publish and guest is not None:
                topic, payload, qos, packet_id, _dup, retain = packet
                found: Route | Reason | Counted | None = routes.get(topic)
                uplink: Payload = payload
                if found is None:
                    found, uplink = elsewhere(self._keeper, topic, payload, guest.credential)
                if not isinstance(found, (Route, Reason)) or qos > 1 or retain:
                    if not self._may_take(packet, found, guest.kept):
                        self._hand_over(items, ids)
                        items, ids = [], []
                        if not self._take_not(packet, found, guest.kept):
                            return
                        continue
                    packet_id = -packet_id if qos > 1 and packet_id else packet_id
                items.append((cast("Route | Reason", found), uplink))
                ids.append(packet_id)
            else:
                self._hand_over(items, ids)
                items, ids = [], []
                self._other(packet)
                routes, guest = self._routes, self._guest
                if self._pressure.greeting:
                    self._early = list(rest)
                if not self.is_open():
                    return
        self._hand_over(items, ids)

    # -- uplinks

    def _hand_over(self, items: list[Item], ids: list[int | None]) -> None:
        """Put uplinks into the intake, in chunks; stop reading when too many of ours wait."""
        if not items or self._guest is None:
            return
        now = self._keeper.clock.now()
        for start in range(0, len(items), _CHUNK):
            end = start + _CHUNK
            some = items[start:end]
            size = sum([weight(payload) for _, payload in some]) + _OVERHEAD_BYTES * len(some)
            self._newest = ids[start:end]
            settle = partial(self._settle, self._guest.kept, self._newest, len(some), size)
            origin = self._guest.credential.origin
            self._keeper.receiver.put(self, Uplinks(origin, now, some, settle))
            self._weigh(len(some), size)
        self._await_answers(len(ids) - ids.count(None))
        self.throttle()

    def _weigh(self, uplinks: int, size: int) -> None:
        self._pressure.uplinks += uplinks
        self._pressure.payload_bytes += size
        self._keeper.weigh(size)

    def _await_answers(self, publishes: int) -> None:
        """So many more publishes wait for their last answer; MQTT 5 has agreed to a bound (§3.3.4)."""
        self._unanswered += publishes
        if self._framer.version == V5 and self._unanswered > self._keeper.limits.pending:
            sentence = "more publishes without an answer than the receive maximum"
            self.break_off(Code.RECEIVE_MAXIMUM_EXCEEDED, sentence)

    def _settle(
        self,
        session: Session,
        ids: list[int | None],
        uplinks: int,
        size: int,
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
        if refused and version == V5:
            data = b"".join(
                [
                    exchange.refusal(n, refused[at]) if at in refused else exchange.answer(n)
                    for at, n in enumerate(ids)
                    if n is not None
                ]
            )
        else:
            data = exchange.answers(ids)
        if data:
            if version == V5:
                self._answered(exchange.ended(session, ids, refused))
            self.send(data)
        self.throttle()

    def _settle_elsewhere(
        self, session: Session, ids: list[int | None], refused: dict[int, Reason]
    ) -> None:
        """What came here at QoS 2 is settled, and its client may be on another connection by now."""
        version = self._framer.version
        due = [
            (exchange.refusal(n, refused[at]), 1)
            if at in refused and version == V5
            else (exchange.answer(n), 0)
            for at, n in enumerate(ids)
            if n is not None and n < 0 and -n in session.receiving
        ]
        exchange.committed(session, ids, refused, version)
        if due and session.holder not in (None, self):
            assert session.holder is not None
            answers = b"".join([answer for answer, _ in due])
            session.holder.answer_received(answers, sum(ended for _, ended in due))

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

    def _may_take(
        self, publish: Publish, found: Route | Reason | Counted | None, session: Session
    ) -> bool:
        """Whether an unusual PUBLISH is an uplink all the same; retain is ignored, said so."""
        if not isinstance(found, (Route, Reason)):
            return False
        if publish.retain:
            self._keeper.facts.note("retain ignored", "A retained publish was taken as a plain one")
        packet_id = cast(int, publish.packet_id)
        if publish.qos == 2 and len(session.receiving) >= exchange.MOST and not publish.dup:
            self.break_off(Code.QUOTA_EXCEEDED, "too many QoS 2 publishes without their PUBREL")
            return False
        return publish.qos < 2 or exchange.begin(session, packet_id, dup=publish.dup)

    def _take_not(
        self, publish: Publish, found: Route | Reason | Counted | None, session: Session
    ) -> bool:
        """No uplink: a topic that is none, a server's word of something else, or a QoS 2 publish that came
        before; whether to go on.
        """
        if found is None:
            nothing = self._framer.version == V5 and not publish.topic
            reason = Code.PROTOCOL_ERROR if nothing else Code.TOPIC_NAME_INVALID
            self.break_off(reason, "a topic name that is none")
            return False
        if publish.packet_id is None:
            return True
        packet_id = publish.packet_id if publish.qos == 1 else -publish.packet_id
        self._await_answers(1)
        if publish.qos == 1 or self._again(publish, found, session):
            if self._pressure.uplinks:  # in order of arrival: behind what still waits (§4.6)
                self._newest.append(packet_id)
            else:
                exchange.committed(session, [packet_id], {}, self._framer.version)
                self._answered(exchange.ended(session, [packet_id], {}))
                self.send(exchange.answer(packet_id))
        return self.is_open()

    def _again(self, publish: Publish, found: object, session: Session) -> bool:
        """Whether the PUBREC of a QoS 2 publish is due that carries no uplink, or came before."""
        packet_id = cast(int, publish.packet_id)
        if isinstance(found, Counted):
            return exchange.begin(session, packet_id, dup=publish.dup) or exchange.due(session, packet_id)  # fmt: skip
        return exchange.due(session, packet_id)

    # -- everything else

    def _other(self, packet: Packet) -> None:
        if type(packet) is Violation:
            self.break_off(packet.reason, packet.sentence)
        elif self._guest is not None:
            self._guest.answer(packet)
        elif type(packet) is Connect:
            self._connect(packet)
        else:
            self.break_off(Code.PROTOCOL_ERROR, "something else before CONNECT")

    def renew(self) -> None:
        """The registry has changed: learn the routes anew, or leave if the credential is gone."""
        guest = self._guest
        if guest is None:
            return
        guestbook = self._keeper.guestbook
        credential = guestbook.again(guest.credential, certified=guest.certified)
        if credential is None:
            self.end(Code.NOT_AUTHORIZED)
        else:
            guest.renew(credential)
            self._routes = guestbook.routes(credential)

    def end(self, reason: Code) -> None:
        """Say goodbye (MQTT 5) and close."""
        if self._framer.version == V5 and self._guest is not None:
            self.send(encode.disconnect(V5, reason))
        self.shut()

    def break_off(self, reason: Code, sentence: str) -> None:
        self._keeper.facts.note(
            "protocol broken", f"A connection was ended: {sentence}", logging.WARNING
        )
        if self._guest is None and reason is Code.UNSUPPORTED_VERSION:
            self.send(encode.connack(4, reason, {}))
        self.end(reason)
