"""LoRaWAN sessions on disk: sealed records of one size under keyed names, beside those of MQTT.

A record changes when its device joins, when an uplink was committed, and when downlink counters are reserved; so it is as often
written for an uplink of which nothing is kept as for one that is stored (decisions 6).
"""

from collections.abc import Callable, Iterable

from gateway.lorawan.session import Session
from gateway.model.identity import DeviceId
from gateway.sessions.file import DROP_RADIO, PUT_AIR, PUT_RADIO, Change, SessionFile
from gateway.sessions.names import SIZE, Names
from gateway.sessions.scribe import Done, Pen
from gateway.wire.lorawan.identifiers import Eui


class RadioSessions:
    """Writes sessions down, and recalls them after a start."""

    def __init__(self, names: Names, pen: Pen) -> None:
        self._names = names
        self._pen = pen

    def load(self, file: SessionFile, devices: Iterable[DeviceId]) -> tuple[list[Session], int]:
        """The sessions of these devices; and how many records cannot be read, or are of another form.

        What is of nobody is dropped: a session without its device is over.
        """
        known = {self._names.device(device): device for device in devices}
        found: list[Session] = []
        lost: list[Change] = []
        unreadable = 0
        for name, sealed in file.radio():
            record = self._names.unseal(sealed, name)
            device = None if record is None else known.get(record[:SIZE])
            try:
                if record is None:
                    raise ValueError("sealed with another key")
                session = Session.of(device or DeviceId(""), record[SIZE:])
            except ValueError:
                unreadable += 1
                continue
            if device is None:
                lost.append((DROP_RADIO, (name,)))
            else:
                found.append(session)
        if lost:
            self._pen.write(lost, _nobody_minds)
        return found, unreadable

    def write(self, session: Session, done: Done) -> None:
        """Write a session as it stands; tell when it is on disk. One that is over is not written any more."""
        if session.over:
            done(False)
            return
        self._pen.write([self._put(session)], done)

    def reserve(self, session: Session, done: Callable[[bool], None]) -> None:
        """Reserve the next counters of its downlinks; they may be used once this is on disk, and never where none is left."""
        ahead = None if session.over else session.reserve()
        if ahead is None:
            done(False)
            return

        def written(ok: bool) -> None:
            if ok:
                session.reserved = max(session.reserved, ahead[0])
                session.app_reserved = max(session.app_reserved, ahead[1])
            done(ok)

        self._pen.write([self._put(session)], written)

    def keep_air(self, forwarder: Eui, record: bytes, done: Done) -> None:
        """Write down what a forwarder has sent and may send; tell when it is on disk."""
        name = self._names.transmitter(forwarder)
        self._pen.write([(PUT_AIR, (name, self._names.seal(record, name)))], done)

    def air(self, file: SessionFile, forwarders: Iterable[Eui]) -> dict[Eui, bytes]:
        """What these forwarders were said to have sent."""
        known = {self._names.transmitter(eui): eui for eui in forwarders}
        found = {}
        for name, sealed in file.air():
            record = self._names.unseal(sealed, name)
            if name in known and record is not None:
                found[known[name]] = record
        return found

    def end(self, sessions: Iterable[Session]) -> None:
        """Strike sessions out that are over: none of them lives after a restart."""
        changes: list[Change] = []
        for session in sessions:
            session.over = True
            changes.append((DROP_RADIO, (self._name(session),)))
        if changes:
            self._pen.write(changes, _nobody_minds)

    def _put(self, session: Session) -> Change:
        name = self._name(session)
        whole = self._names.device(session.device) + session.record()
        return (PUT_RADIO, (name, self._names.seal(whole, name)))

    def _name(self, session: Session) -> bytes:
        return self._names.radio(session.device, session.number)


def _nobody_minds(_written: bool) -> None:
    """What stays there for now is looked at again at the next start."""
