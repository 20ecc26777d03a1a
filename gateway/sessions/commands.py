"""Commands on their way to a device: on disk until the device acknowledges, or their time is over."""

from collections.abc import Callable, Collection
from typing import NamedTuple, TypeAlias

from gateway.clock import Clock
from gateway.model.identity import DeviceId
from gateway.model.instant import SECOND, Instant
from gateway.sessions.command import ASKED_BY_RADIO, BY_RADIO, NOBODY, Command, Listener, Outcome
from gateway.sessions.file import DROP_COMMAND, Change, SessionFile
from gateway.sessions.names import Names
from gateway.sessions.scribe import Done, Pen

WAITING = 16
"""Commands that may wait for one device."""


class _Ear(NamedTuple):
    listener: Listener
    name: DeviceId


Shown: TypeAlias = tuple[Command, bool]
"""A command that waits, and whether it is on its way to a device."""


class Commands:
    """Commands of every device, oldest first.

    A command goes to the connection that subscribed last; where that one leaves, to the one before it.
    """

    def __init__(self, names: Names, pen: Pen, clock: Clock) -> None:
        self._names = names
        self._pen = pen
        self._clock = clock
        self._waiting: dict[bytes, dict[int, Command]] = {}
        self._ears: dict[bytes, list[_Ear]] = {}
        self._sent: dict[bytes, dict[int, Command]] = {}  # by session, so that its end is no search
        self._last = 0

    def load(self, file: SessionFile) -> int:
        """Recall what waits; how many records were unreadable and are dropped."""
        lost: list[Change] = []
        for number, sealed in file.commands():
            self._last = number
            command = Command.unsealed(self._names, number, sealed)
            if command is None:
                lost.append((DROP_COMMAND, (number,)))
            else:
                self._waiting.setdefault(command.device, {})[number] = command
                self._address(command, command.sent_to)
        if lost:
            self._pen.write(lost, _nobody_minds)
        return len(lost)

    # -- for whoever gives commands ---------------------------------------------------------

    def waiting(self, device: DeviceId) -> list[Shown]:
        """What waits for a device."""
        commands = self._waiting.get(self._names.device(device), {})
        return [
            (command, command.listener is not None or command.sent_to == ASKED_BY_RADIO)
            for command in commands.values()
        ]

    def is_heard(self, device: DeviceId) -> bool:
        """Whether the device is connected and has subscribed."""
        return bool(self._ears.get(self._names.device(device)))

    def give(
        self,
        device: DeviceId,
        payload: bytes,
        expires: Instant,
        done: Done,
        told: Callable[[Outcome], None],
        *,
        by_radio: bool = False,
    ) -> Command | None:
        """Take a command: written first, then sent to whoever listens. None if too many wait already.

        Args:
            payload: at most `LARGEST` bytes.
            done: told whether it is on disk; where not, there is no such command.
            told: what becomes of it in this life of the gateway.
            by_radio: it waits for an uplink over LoRaWAN (`gateway.sessions.airmail`), and goes to no connection.
        """
        tag = self._names.device(device)
        self._drop_expired(self._waiting.get(tag, {}))
        commands = self._waiting.setdefault(tag, {})
        if len(commands) >= WAITING:
            return None
        self._last += 1
        sent_to = BY_RADIO if by_radio else NOBODY
        command = Command(self._last, tag, self._clock.now(), expires, payload, sent_to)
        command.settled.append(told)
        commands[command.number] = command

        def written(ok: bool) -> None:
            command.ready = ok
            if not ok:
                self._take_away(command)
            done(ok)
            self._deliver(tag)

        self._pen.write([command.put(self._names)], written)
        return command

    def cancel(self, device: DeviceId, number: int | None) -> int:
        """Cancel one command of a device, or all; how many there were."""
        commands = self._waiting.get(self._names.device(device), {})
        gone = [c for c in commands.values() if number in (None, c.number)]
        self._settle(gone, Outcome.CANCELLED)
        return len(gone)

    # -- for connections --------------------------------------------------------------------

    def join(self, device: DeviceId, listener: Listener) -> None:
        """From now on `listener` hears the commands of a device, those that wait first."""
        tag = self._names.device(device)
        ears = self._ears.setdefault(tag, [])
        ears[:] = [ear for ear in ears if ear.listener is not listener]
        ears.append(_Ear(listener, device))
        self._deliver(tag)

    def leave(self, device: DeviceId, listener: Listener) -> None:
        """It hears them no more; what it did not acknowledge waits on."""
        tag = self._names.device(device)
        ears = [ear for ear in self._ears.get(tag, ()) if ear.listener is not listener]
        if ears:
            self._ears[tag] = ears
        else:
            self._ears.pop(tag, None)
        for command in self._waiting.get(tag, {}).values():
            if command.listener is listener:
                command.listener = None
        self._deliver(tag)

    def acknowledge(self, command: Command, *, refused: bool) -> None:
        """The device has it (PUBACK)."""
        self._settle([command], Outcome.REFUSED if refused else Outcome.ACKNOWLEDGED)
        self._deliver(command.device)

    def forget_session(self, session: bytes) -> list[Change]:
        """A session ended: what was sent to it was sent to nobody."""
        sent = list(self._sent.get(session, {}).values())
        for command in sent:
            self._address(command, NOBODY)
        return [command.put(self._names) for command in sent]

    # -- time and the registry --------------------------------------------------------------

    def forget_over(self) -> None:
        """Drop what expired."""
        for commands in list(self._waiting.values()):
            self._drop_expired(commands)

    def keep_for(self, devices: Collection[DeviceId]) -> None:
        """Drop what waits for devices that are none of these."""
        if self._waiting:
            tags = {self._names.device(device) for device in devices}
            gone = [tag for tag in self._waiting if tag not in tags]
            for tag in gone:
                self._settle(list(self._waiting[tag].values()), Outcome.CANCELLED)

    def go_on(self, device: DeviceId) -> None:
        """There is room again on the connection that listens."""
        self._deliver(self._names.device(device))

    # -- inside -----------------------------------------------------------------------------

    def _deliver(self, tag: bytes) -> None:
        commands = self._waiting.get(tag)
        ears = self._ears.get(tag)
        if not commands or not ears:
            return
        self._drop_expired(commands)
        listener, device = ears[-1]
        for command in list(commands.values()):
            if command.listener is not None or not command.ready or command.by_radio:
                continue
            if not listener.fits(device, command.payload):
                self._settle([command], Outcome.TOO_LARGE)
            elif not listener.acknowledges(device):
                self._hand_out(command, device, listener)
            elif listener.reserve(command):
                self._send(command, device, listener)
            else:
                break

    def _send(self, command: Command, device: DeviceId, listener: Listener) -> None:
        """At QoS 1: that it was sent to a session is on disk before it leaves, for the sake of DUP."""
        command.listener = listener
        again = command.sent_to == listener.session
        if again or not listener.remembered:
            listener.send(device, command, self._left_s(command), again=again)
            return
        self._address(command, listener.session)

        def written(ok: bool) -> None:
            if command.listener is not listener:
                return
            if ok:
                listener.send(device, command, self._left_s(command), again=False)
            else:
                listener.release(command)
                command.listener = None
                self._address(command, NOBODY)

        self._pen.write([command.put(self._names)], written)

    def _hand_out(self, command: Command, device: DeviceId, listener: Listener) -> None:
        """At QoS 0: at most once, so it leaves the disk before it leaves us."""

        def written(ok: bool) -> None:
            if ok:
                listener.send(device, command, self._left_s(command), again=False)
                self.tell(command, Outcome.SENT)

        self.take(command, written)

    def take(self, command: Command, done: Done) -> None:
        """Take one off the disk before it leaves, so that it leaves once at most; it waits on where the disk refuses."""

        def written(ok: bool) -> None:
            if not ok:
                self._waiting.setdefault(command.device, {})[command.number] = command
            done(ok)

        sent_to = command.sent_to
        self._take_away(command)
        command.sent_to = sent_to
        self._pen.write([(DROP_COMMAND, (command.number,))], written)

    def put(self, command: Command, sent_to: bytes, done: Done) -> None:
        """Write one down as sent to somebody else, or one that was taken and did not leave."""
        commands = {**self._waiting.get(command.device, {}), command.number: command}
        self._waiting[command.device] = dict(sorted(commands.items()))
        command.sent_to = sent_to
        self._pen.write([command.put(self._names)], done)

    def _drop_expired(self, commands: dict[int, Command]) -> None:
        now = self._clock.now()
        over = [c for c in commands.values() if c.expires <= now and c.listener is None]
        self._settle(over, Outcome.EXPIRED)

    def _settle(self, commands: list[Command], outcome: Outcome) -> None:
        for command in commands:
            self._take_away(command)
        if commands:
            gone: list[Change] = [(DROP_COMMAND, (command.number,)) for command in commands]
            self._pen.write(gone, _nobody_minds)
        for command in commands:
            self.tell(command, outcome)

    def tell(self, command: Command, outcome: Outcome) -> None:
        """Say what became of one that waits no more to whoever gave it."""
        for told in command.settled:
            told(outcome)
        command.settled.clear()

    def _address(self, command: Command, session: bytes) -> None:
        """It was sent to that session; zeros = to none."""
        before = self._sent.get(command.sent_to, {})
        if before.pop(command.number, None) is not None and not before:
            del self._sent[command.sent_to]
        command.sent_to = session
        if session != NOBODY:
            self._sent.setdefault(session, {})[command.number] = command

    def _take_away(self, command: Command) -> None:
        self._address(command, NOBODY)
        command.listener = None
        commands = self._waiting.get(command.device, {})
        commands.pop(command.number, None)
        if not commands:
            self._waiting.pop(command.device, None)

    def _left_s(self, command: Command) -> int:
        return max(1, -(-(command.expires - self._clock.now()) // SECOND))


def _nobody_minds(_ok: bool) -> None:
    """For what is dropped: where that fails, it is found again at the next start."""
