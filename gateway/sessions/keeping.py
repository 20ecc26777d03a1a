"""`sessions.db` and all that lives by it, opened and closed together."""

import logging
from collections.abc import Iterable
from typing import Self

from gateway.clock import Clock
from gateway.lorawan.session import Session
from gateway.model.device import Directory
from gateway.model.identity import DeviceId
from gateway.sessions.airmail import Airmail
from gateway.sessions.commands import Commands
from gateway.sessions.file import SessionFile
from gateway.sessions.names import Names
from gateway.sessions.radio import RadioSessions
from gateway.sessions.scribe import Scribe
from gateway.sessions.sessions import Sessions
from gateway.statedir import StateDir
from gateway.telemetry import Facts
from gateway.wire.lorawan.identifiers import Eui


class Keeping:
    """What a gateway keeps for its clients beyond their connections.

    Attributes:
        sessions, commands, radio: the three kinds of it.
        airmail: commands of LoRaWAN devices.
    """

    def __init__(
        self, file: SessionFile, names: Names, scribe: Scribe, clock: Clock, facts: Facts
    ) -> None:
        self._clock = clock
        self._scribe = scribe
        self._file = file
        self.commands = Commands(names, scribe, clock)
        self.radio = RadioSessions(names, scribe)
        self.airmail = Airmail(self.commands)
        self.sessions = Sessions(names, scribe, clock, self.commands.forget_session)
        unreadable = self.sessions.load(file) + self.commands.load(file)
        if unreadable:
            facts.note(
                "session records unreadable",
                f"{unreadable} records of sessions.db were made under another key and are dropped",
                logging.WARNING,
            )

    @classmethod
    def open(cls, state: StateDir, key: bytes, clock: Clock, facts: Facts) -> Self:
        """Open the file of a state directory, from inside the event loop.

        Args:
            key: `KeyRing.session_key()`.
            clock: the machine's own.

        Raises:
            Refusal: the file cannot be used.
        """
        file = SessionFile(state.sessions_db)
        return cls(file, Names(key), Scribe(file, facts), clock, facts)

    def renew(self, directory: Directory) -> None:
        """The registry has changed: what was taken away loses its sessions and its commands."""
        self.sessions.keep_of(directory.credentials)
        self.commands.keep_for([d for d, known in directory.devices.items() if not known.revoked])

    @property
    def file_id(self) -> bytes:
        """Which `sessions.db` this is."""
        return self._file.id

    def recall_radio(self, devices: Iterable[DeviceId]) -> list[Session] | None:
        """The LoRaWAN sessions of these devices, as they were written down last; None where one cannot be read."""
        found, unreadable = self.radio.load(self._file, devices)
        return None if unreadable else found

    def recall_air(self, forwarders: Iterable[Eui]) -> dict[Eui, bytes]:
        """What these forwarders were said to have sent."""
        return self.radio.air(self._file, forwarders)

    def forget_radio(self) -> None:
        """Forget every LoRaWAN session at once, before anything else is written.

        Raises:
            Refusal: the disk does not take it.
        """
        self._file.forget_radio()

    def look_after(self) -> None:
        """Forget what is over; to be asked now and then, while the clock is trusted."""
        self.sessions.refresh()
        self.sessions.forget_over(self._clock.now())
        self.commands.forget_over()

    async def close(self) -> None:
        """Write what was asked for, and close the file."""
        await self._scribe.finish()
