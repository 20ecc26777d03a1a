"""Downlinks of applications that wait for a LoRaWAN device: commands that go along with its next uplink.

One that the device is not asked to confirm leaves the disk before it leaves us, as commands at QoS 0 do: it is sent once at most.
It waits again only where its forwarder said that it was not sent. One that is to be confirmed stays on disk, goes along with every
uplink, each time with a new counter, and is over with the device's acknowledgement.
"""

from typing import NamedTuple

from gateway.lorawan.answers import Waiting
from gateway.lorawan.reception import UNTOLD
from gateway.model.identity import DeviceId
from gateway.sessions.command import ASKED_BY_RADIO, BY_RADIO, Command, Outcome
from gateway.sessions.commands import Commands
from gateway.sessions.scribe import Done


class Letter(NamedTuple):
    """A downlink that waits, and the command that it is."""

    waiting: Waiting
    command: Command


class Airmail:
    """Those of every device."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def oldest(self, device: DeviceId) -> Letter | None:
        """What a device is to hear next."""
        commands = self._of(device)
        if not commands:
            return None
        first = commands[0]
        return Letter(Waiting.of(first.payload, more=len(commands) > 1), first)

    def leave(self, letter: Letter, done: Done) -> None:
        """It is about to be sent; not before `done` is told that the disk knows."""
        if letter.waiting.confirmed:
            self._commands.put(letter.command, ASKED_BY_RADIO, done)
        else:
            self._commands.take(letter.command, done)

    def went(self, letter: Letter, fault: str | None) -> None:
        """What the forwarder said of it."""
        if letter.waiting.confirmed:
            return
        if fault is None:
            self._commands.tell(letter.command, Outcome.BROADCAST)
        elif fault == UNTOLD:
            self._commands.tell(letter.command, Outcome.UNTOLD)
        else:
            self._commands.put(letter.command, BY_RADIO, lambda _written: None)

    def acknowledged(self, device: DeviceId) -> None:
        """The device confirms what it was asked to confirm last."""
        for command in self._of(device):
            if command.sent_to == ASKED_BY_RADIO:
                self._commands.acknowledge(command, refused=False)
                return

    def _of(self, device: DeviceId) -> list[Command]:
        self._commands.forget_over()
        waiting = self._commands.waiting(device)
        return [command for command, _ in waiting if command.by_radio and command.ready]
