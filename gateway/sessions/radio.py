"""LoRaWAN sessions on disk: sealed records of one size under keyed names, beside those of MQTT.

A record changes when its device joins, when an uplink was committed, and when downlink counters are reserved; so it is as often
written for an uplink of which nothing is kept as for one that is stored (decisions 6).
"""

from collections.abc import Callable, Iterable

from gateway.lorawan.session import Session
from gateway.model.identity import DeviceId
from gateway.sessions.file import DROP_RADIO, PUT_AIR, PUT_RADIO, Change, SessionFile
from gateway.sessions.names import Names
from gateway.sessions.scribe import Done, Pen
from gateway.wire.lorawan.identifiers import Eui


class RadioSessions:
    """Writes sessions down, and recalls them after a start."""

    def __init__(self, names: Names, pen: Pen) -> None:
        self._names = names
        self._pen = pen

    def load(self, file: SessionFile, devices: Iterable[DeviceId]) -> tuple[list[Session], int]:
        """The sessions of these devices; and how many records are of nobody, or unreadable.

        Those are dropped: a session without its device is over.
        """
        known = {self._name(device, slot): device for device in devices for slot in (b"0", b"1")}
        found: list[Session] = []
        lost: list[Change] = []
        for name, sealed in file.radio():
            device = known.get(name)
            record = None if device is None else self._names.unseal(sealed, name)
            try:
                if device is None or record is None:
                    raise ValueError("of nobody")
                found.append(Session.of(device, record))
            except ValueError:
                lost.append((DROP_RADIO, (name,)))
        if lost:
            self._pen.write(lost, _nobody_minds)
        return found, len(lost)

    def write(self, session: Session, done: Done) -> None:
        """Write a session as it stands; tell when it is on disk."""
        self._pen.write([self._put(session)], done)

    def reserve(self, session: Session, done: Callable[[bool], None]) -> None:
        """Reserve the next counters of its downlinks; they may be used once this is on disk, and never where none is left."""
        ahead = session.reserve()
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

    def end(self, sessions: Iterable[Session], done: Done) -> None:
        """Forget sessions."""
        self._pen.write([(DROP_RADIO, (self._name(s.device, _slot(s)),)) for s in sessions], done)

    def _put(self, session: Session) -> Change:
        name = self._name(session.device, _slot(session))
        return (PUT_RADIO, (name, self._names.seal(session.record(), name)))

    def _name(self, device: DeviceId, slot: bytes) -> bytes:
        return self._names.radio(device, slot)


def _slot(session: Session) -> bytes:
    """A device has two sessions between a join and the first uplink of the new one; joins take the slots in turn."""
    return b"%d" % (session.number % 2)


def _nobody_minds(_written: bool) -> None:
    """What is of nobody is tried again at the next start."""
