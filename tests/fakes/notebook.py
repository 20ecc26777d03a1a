"""A disk that never waits, for what the network must not forget."""

from collections.abc import Callable, Iterable

from gateway.lorawan.session import RESERVED, Session
from gateway.wire.lorawan.identifiers import Eui


class Notebook:
    """Everything is on disk at once.

    Attributes:
        air: what each forwarder was said to have sent, the last of it.
        works: whether it takes anything.
    """

    def __init__(self) -> None:
        self.air: dict[Eui, bytes] = {}
        self.works = True

    def write(self, _session: Session, done: Callable[[bool], None]) -> None:
        done(self.works)

    def reserve(self, session: Session, done: Callable[[bool], None]) -> None:
        session.reserved, session.app_reserved = session.down + RESERVED, session.app_down + RESERVED  # fmt: skip
        done(self.works)

    def end(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            session.over = True

    def keep_air(self, forwarder: Eui, record: bytes, done: Callable[[bool], None]) -> None:
        if self.works:
            self.air[forwarder] = record
        done(self.works)
