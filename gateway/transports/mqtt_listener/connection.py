"""One device's connection: packets in, uplinks to the intake, acknowledgements out after the commit."""

import asyncio
from collections.abc import Iterable
from typing import Protocol, cast

from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Route
from gateway.pipeline.sorting import Counted, Item
from gateway.sessions.session import Session
from gateway.transports.mqtt_listener import exchange
from gateway.transports.mqtt_listener.carrier import Carrier, Yard
from gateway.transports.mqtt_listener.forwarding import Forwarding, elsewhere
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Connect, Packet, Publish, Violation


class Keeper(Yard, Protocol):
    """What a connection asks of the door that let it in."""

    forwarding: Forwarding

    def arrived(self, connection: "Connection") -> None:
        """It is connected."""

    def left(self, connection: "Connection") -> None:
        """It is gone."""


class Connection(Carrier):
    """Server side of one MQTT connection."""

    __slots__ = ("_keeper",)

    def __init__(self, keeper: Keeper) -> None:
        super().__init__(keeper)
        self._keeper = keeper

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
                if uplink is not payload and isinstance(found, Route) and found.script:
                    self._hand_over(items, ids)
                    items, ids = [], []
                    self._start_script(guest, found, uplink, packet_id)
                    continue
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
            if self._pressure.uplinks and self._receipts is None:
                self._newest.append(
                    packet_id
                )  # in order of arrival: behind what still waits (§4.6)
            else:
                exchange.committed(session, [packet_id], {}, self._framer.version)
                self._answered(exchange.ended(session, [packet_id], {}))
                receipt = None if self._receipts is None else self._receipts.expect([])
                self._acknowledge(receipt, exchange.answer(packet_id))
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
