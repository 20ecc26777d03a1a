"""One connection without a socket: what it asks of its transport, and that it outlives it."""

import asyncio
from typing import Any

from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.model.uplink import Receiver as UplinkReceiver
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.connection import Connection
from gateway.transports.mqtt_listener.forwarding import Forwarding
from gateway.transports.mqtt_listener.guestbook import Guestbook
from gateway.transports.mqtt_listener.limits import Limits
from tests.fakes.clock import ManualClock
from tests.fakes.mqtt_door import connect, digest, directory, publish, remembered
from tests.fakes.receiver import Receiver
from tests.fakes.sessions import Desk


class Keeper:
    """A door with nobody behind it."""

    def __init__(self, **limits: Any) -> None:
        self.worker = Receiver()
        self.receiver: UplinkReceiver = self.worker
        self.hands = ManualClock()
        self.clock: Clock = self.hands
        self.facts = Facts()
        self.limits = Limits(**limits)
        self.guestbook = Guestbook(directory(), digest)
        self.forwarding = Forwarding((), directory(), self.facts, self.clock)
        self.scripts: Scripts | None = None
        self.anonymous = False
        self.crowded = False
        self.waiting_bytes = 0
        self.kept = Desk(self.clock)
        self.sessions, self.commands = self.kept.sessions, self.kept.commands
        self.inside: set[Connection] = set()

    def has_room(self) -> bool:
        return True

    def arrived(self, connection: Connection) -> None:
        self.inside.add(connection)

    def left(self, connection: Connection) -> None:
        self.inside.remove(connection)

    def holds(self, credential: str, client_id: str) -> bool:
        return not credential and not client_id

    def weigh(self, size: int) -> None:
        self.waiting_bytes += size


class Wire(asyncio.Transport):
    """A transport that writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.said.append("pause")

    def resume_reading(self) -> None:
        self.said.append("resume")

    def close(self) -> None:
        self.said.append("close")

    def abort(self) -> None:
        self.said.append("abort")

    def is_closing(self) -> bool:
        return "close" in self.said


def guest(**limits: Any) -> tuple[Connection, Keeper, Wire]:
    """A connection whose CONNECT was accepted."""
    keeper, wire = Keeper(**limits), Wire()
    connection = Connection(keeper)
    connection.connection_made(wire)
    connection.data_received(connect())
    wire.written = b""
    return connection, keeper, wire


def test_a_client_that_reads_no_answers_is_not_read_either() -> None:
    """Its acknowledgements would pile up in memory."""
    connection, _, wire = guest()
    connection.pause_writing()
    connection.resume_writing()
    assert wire.said == ["pause", "resume"]


def test_a_client_that_takes_no_goodbye_is_cut_off() -> None:
    """Closing waits until what was written has left; a peer that never reads would keep its place."""
    connection, keeper, wire = guest()
    keeper.hands.advance(3600)
    connection.expire()
    assert wire.said == ["close"]
    connection.expire()
    assert wire.said == ["close", "abort"]


def test_reading_resumes_only_when_nothing_stands_against_it() -> None:
    """A full intake, an unread answer and a stop each hold it back for themselves."""
    connection, keeper, wire = guest(pending=2)
    connection.data_received(publish(1) + publish(2))
    connection.pause_writing()
    keeper.worker.settle()
    assert wire.said == ["pause"]
    connection.hush()
    connection.resume_writing()
    assert wire.said == ["pause"]


def test_an_acknowledgement_for_a_lost_connection_goes_nowhere() -> None:
    connection, keeper, wire = guest()
    connection.data_received(publish(1))
    connection.connection_lost(None)

    keeper.worker.settle()

    assert wire.written == b""
    assert keeper.inside == set()


def test_a_packet_may_come_byte_by_byte() -> None:
    connection, keeper, _wire = guest()
    for byte in publish(1, b"slowly"):
        connection.data_received(bytes([byte]))
    assert keeper.worker.payloads == [b"slowly"]


def test_nothing_that_is_logged_says_who_or_what() -> None:
    """The facts count kinds of events; no topic, name or payload is in them."""
    connection, keeper, _wire = guest()
    connection.data_received(publish(1, b"secret", b"sekisho/v1/child-1/+"))
    assert keeper.facts.counts == {"protocol broken": 1}


def test_uplinks_carry_the_time_of_their_arrival_and_their_origin() -> None:
    connection, keeper, _wire = guest()
    keeper.hands.advance(5)
    connection.data_received(publish(1))
    (_, uplinks), *_ = keeper.worker.waiting
    assert (uplinks.received_at, uplinks.origin) == (keeper.clock.now(), "own")


def test_who_is_lost_before_the_disk_answers_leaves_its_session_alone() -> None:
    """Nothing that came behind its CONNECT is taken, nothing is written to it, and nobody holds its
    session."""
    keeper, wire = Keeper(), Wire()
    keeper.kept.pen.slow = True
    connection = Connection(keeper)
    connection.connection_made(wire)
    connection.data_received(remembered() + publish(1))
    connection.data_received(publish(2))
    connection.connection_lost(None)
    keeper.kept.pen.slow = False
    keeper.kept.pen.catch_up()

    assert (keeper.worker.payloads, wire.written) == ([], b"")
    owner = keeper.sessions.names.owner("meter")
    assert not keeper.sessions.held(owner, "c")
