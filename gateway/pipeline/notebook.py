"""Who writes down what the network must not forget."""

from collections.abc import Callable, Iterable
from typing import Protocol

from gateway.lorawan.joining import Root
from gateway.lorawan.session import Session
from gateway.wire.lorawan.identifiers import Eui


class Notebook(Protocol):
    """What writes sessions down (`gateway.sessions.radio.RadioSessions`)."""

    def write(self, session: Session, done: Callable[[bool], None]) -> None:
        """Write a session as it stands; tell when it is on disk."""
        ...

    def reserve(self, session: Session, done: Callable[[bool], None]) -> None:
        """Reserve the next counters of its downlinks; tell when they may be used."""
        ...

    def end(self, sessions: Iterable[Session]) -> None:
        """Strike sessions out that are over; they are never written again, and none of them lives after a restart."""
        ...

    def keep_air(self, forwarder: Eui, record: bytes, done: Callable[[bool], None]) -> None:
        """Write down what a forwarder has sent and may send (`gateway.lorawan.air_kept`); tell when it may."""
        ...


Done = Callable[[bool], None]

RememberJoin = Callable[[Root, Done], None]
"""Writes a device's join down; tells whether it is on disk."""
