"""Every session there is: begun, gone on with, taken over, remembered, forgotten (MQTT 5, §3.1.2.4, §4.1)."""

import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from gateway.clock import Clock
from gateway.model.instant import DAY, SECOND, Instant
from gateway.sessions.file import (
    DROP_SESSION,
    DROP_SUBSCRIPTION,
    DROP_SUBSCRIPTIONS,
    PUT_SESSION,
    PUT_SUBSCRIPTION,
    Change,
    SessionFile,
)
from gateway.sessions.names import SIZE, Names
from gateway.sessions.scribe import Done, Pen
from gateway.sessions.session import Holder, Session

LEAST = 64
"""Sessions that are remembered for one credential, or as many as it speaks for devices if that is more."""

EXCHANGES = 1024
"""QoS 2 publishes without their PUBREL that are kept for a client that is away; of more, none."""

_UNKNOWN = -1
"""A day on disk that nobody knows, since the last write failed."""

_RECORD = struct.Struct(f">{SIZE}sI")
"""Owner, day: what a session's sealed record says."""

Begun: TypeAlias = Callable[[Session | None, bool], None]
"""The session and whether it was there before; None where the disk refuses to remember it."""

Forgotten: TypeAlias = Callable[[bytes], list[Change]]
"""Told the name of a session that ends; what else must change on disk with it."""


def nobody_minds(_ok: bool) -> None:
    """For writes on which no answer waits: where one fails, a later one says the same."""


class Sessions:
    """The sessions of all doors of one gateway.

    Args:
        clock: the machine's own: sessions last in real time, whatever time it is in town.
        forgotten: told of every session that ends.
    """

    def __init__(self, names: Names, pen: Pen, clock: Clock, forgotten: Forgotten) -> None:
        self.names = names
        self._pen = pen
        self._clock = clock
        self._forgotten = forgotten
        self._known: dict[bytes, Session] = {}
        self._of: dict[bytes, dict[bytes, Session]] = {}

    def load(self, file: SessionFile) -> int:
        """Recall what was remembered; how many records were unreadable and are dropped."""
        lost: list[Change] = []
        for name, sealed in file.sessions():
            record = self.names.unseal(sealed, name)
            if record is None:
                lost += [(DROP_SESSION, (name,)), (DROP_SUBSCRIPTIONS, (name,))]
            else:
                self._add(Session(name, *_RECORD.unpack(record)))
        for name, subscription, qos in file.subscriptions():
            if name in self._known:
                self._known[name].subscriptions[subscription] = qos
        if lost:
            self._pen.write(lost, nobody_minds)
        return len(lost) // 2

    # -- connections come and go -----------------------------------------------------------

    def held(self, owner: bytes, client_id: str) -> bool:
        """Whether somebody is in as this client, whose place may be taken."""
        session = self._known.get(self.names.session(owner, client_id))
        return session is not None and session.holder is not None

    def enter(
        self,
        owner: bytes,
        client_id: str,
        holder: Holder,
        *,
        clean: bool,
        expiry_s: int,
        most: int,
        begun: Begun,
    ) -> None:
        """A client connects: go on with its session or begin one; whoever held it is ended, and with its
        connection a session that was not to outlive it (§3.1.2.11.2).

        Args:
            most: devices of its credential.
            begun: called once what is to be remembered is on disk, often at once.
        """
        name = self.names.session(owner, client_id)
        known = self._known.get(name)
        changes: list[Change] = []
        unsure = known is not None and known.unsure
        before = None if known is None else known.holder
        if known is not None and (clean or self._is_over(known)):
            changes += self._forget(known)
            known = None
        stays_s = None if known is None else max(expiry_s, self._left_s(known))
        session = Session(name, owner) if known is None else known
        session.holder, session.until, session.expiry_s = holder, None, expiry_s
        if before is not None and before is not holder:
            before.give_way()
        if known is None:
            changes += self._make_room(session, most)
            self._add(session)
        changes += self._dated(session)
        if changes or unsure:
            session.unsure += 1
            written = partial(self._written, session, holder, stays_s, begun)
            self._pen.write(changes, written)
        else:
            begun(session, known is not None)

    def _written(
        self, session: Session, holder: Holder, stays_s: int | None, begun: Begun, ok: bool
    ) -> None:
        """The disk has answered; where it refuses, a session that was there stays, for `stays_s` seconds."""
        session.unsure -= 1
        if not ok:
            session.day = _UNKNOWN
            if stays_s is None:
                self._drop(session)
            elif session.holder is holder:
                session.holder, session.expiry_s = None, stays_s
                session.until = self._clock.monotonic() + stays_s
        still = session.day != _UNKNOWN and self._known.get(session.name) is session
        begun(session if still else None, stays_s is not None)

    def leave(self, session: Session, holder: Holder, expiry_s: int | None = None) -> None:
        """A connection is over; `expiry_s`: how long its client now wants to be remembered (§3.14.2.2.2)."""
        if session.holder is not holder:
            return
        session.holder = None
        if expiry_s is not None and session.expiry_s:
            session.expiry_s = expiry_s
        if not session.expiry_s:
            changes = self._forget(session)
        else:
            session.until = self._clock.monotonic() + session.expiry_s
            changes = self._dated(session)
            siblings = self._of[session.owner]
            siblings[session.name] = siblings.pop(session.name)  # the last to go yields last
        if len(session.receiving) > EXCHANGES:
            session.receiving.clear()
        self._note(changes, [session])

    # -- subscriptions ---------------------------------------------------------------------

    def subscribe(self, session: Session, wanted: Iterable[tuple[bytes, int]], done: Done) -> None:
        """Add subscriptions (keyed name, QoS), or change their QoS."""
        changes: list[Change] = []
        new = []
        for name, qos in wanted:
            if session.subscriptions.get(name) != qos:
                new.append(name)
                session.subscriptions[name] = qos
                if session.day:
                    changes.append((PUT_SUBSCRIPTION, (session.name, name, qos)))

        def written(ok: bool) -> None:
            if not ok:
                for name in new:
                    session.subscriptions.pop(name, None)
            done(ok)

        self._change(changes, written)

    def unsubscribe(self, session: Session, names: Iterable[bytes], done: Done) -> None:
        """Take subscriptions away."""
        gone = [name for name in names if session.subscriptions.pop(name, None) is not None]
        changes: list[Change] = [(DROP_SUBSCRIPTION, (name,)) for name in gone if session.day]
        self._change(changes, done)

    def _change(self, changes: list[Change], done: Done) -> None:
        if changes:
            self._pen.write(changes, done)
        else:
            done(True)

    # -- time and the registry -------------------------------------------------------------

    def refresh(self) -> None:
        """Move the day of every session that is held: a kill may end its connection at any time."""
        held = [session for session in self._known.values() if session.holder is not None]
        self._note([change for session in held for change in self._dated(session)], held)

    def forget_over(self, now: Instant) -> None:
        """Forget every session whose time is over; to be asked while the clock is trusted."""
        self._end(
            session
            for session in self._known.values()
            if session.holder is None
            and (self._is_over(session) or (not session.until and session.day * DAY <= now))
        )

    def keep_of(self, credentials: Collection[str]) -> None:
        """Forget the sessions of every credential that is none of these."""
        owners = {self.names.owner(name) for name in (*credentials, "")}
        gone = [owner for owner in self._of if owner not in owners]
        self._end(session for owner in gone for session in self._of[owner].values())

    def _end(self, sessions: Iterable[Session]) -> None:
        changes = [change for session in list(sessions) for change in self._forget(session)]
        if changes:
            self._pen.write(changes, nobody_minds)

    # -- inside ----------------------------------------------------------------------------

    def _note(self, changes: list[Change], about: Sequence[Session]) -> None:
        """Write what no answer waits for; where that fails, it is written anew the next time."""
        if changes:
            self._pen.write(changes, partial(self._noted, about))

    def _noted(self, about: Sequence[Session], ok: bool) -> None:
        if not ok:
            for session in about:
                session.day = _UNKNOWN

    def _is_over(self, session: Session) -> bool:
        if session.holder is not None:
            return not session.expiry_s
        return session.until is not None and session.until <= self._clock.monotonic()

    def _left_s(self, session: Session) -> int:
        """How many seconds it would last if nobody came any more."""
        if session.holder is not None:
            return session.expiry_s
        if session.until is not None:
            return int(session.until - self._clock.monotonic()) + 1
        return (session.day * DAY - self._clock.now()) // SECOND

    def _make_room(self, session: Session, most: int) -> list[Change]:
        """Where a credential has as many as it may, the one that nobody held for longest goes."""
        if not session.expiry_s:
            return []
        siblings = self._of.get(session.owner, {})
        if len(siblings) < max(LEAST, most):
            return []
        remembered = [one for one in siblings.values() if one.expiry_s or one.holder is None]
        if len(remembered) < max(LEAST, most):
            return []
        oldest = next((other for other in remembered if other.holder is None), None)
        if oldest is None:
            session.expiry_s = 0
            return []
        return self._forget(oldest)

    def _dated(self, session: Session) -> list[Change]:
        """What must change on disk so that the session is remembered as long as it shall be."""
        if not session.expiry_s:
            day = 0
        else:
            end = self._clock.now() + session.expiry_s * SECOND
            day = -(-end // DAY)
        if day == session.day:
            return []
        before, session.day = session.day, day
        if not day:
            return [(DROP_SESSION, (session.name,)), (DROP_SUBSCRIPTIONS, (session.name,))]
        record = self.names.seal(_RECORD.pack(session.owner, day), session.name)
        changes: list[Change] = [(PUT_SESSION, (session.name, record))]
        if before <= 0:
            changes += [(DROP_SUBSCRIPTIONS, (session.name,))]
            changes += [
                (PUT_SUBSCRIPTION, (session.name, *kept)) for kept in session.subscriptions.items()
            ]
        return changes

    def _forget(self, session: Session) -> list[Change]:
        self._drop(session)
        changes = self._forgotten(session.name)
        if session.day:
            changes += [(DROP_SESSION, (session.name,)), (DROP_SUBSCRIPTIONS, (session.name,))]
        return changes

    def _add(self, session: Session) -> None:
        self._known[session.name] = session
        self._of.setdefault(session.owner, {})[session.name] = session

    def _drop(self, session: Session) -> None:
        session.holder = None
        if self._known.get(session.name) is session:
            del self._known[session.name]
            siblings = self._of[session.owner]
            del siblings[session.name]
            if not siblings:
                del self._of[session.owner]
