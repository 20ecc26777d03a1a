"""Commands through the control socket: given, listed, cancelled by the gateway's owner (`sekisho command`).

→ {"ask": "command", "device": D, "payload": HEX, "expires_s": n, "wait_s": n or null}
← {"number": n, "outcome": TEXT or null, "expires": n, "heard": bool}   outcome null: it waits
→ {"ask": "command", "device": D, "list": true}      ← {"waiting": [{"number": n, …}, …]}
→ {"ask": "command", "device": D, "cancel": n or "all"}   ← {"cancelled": n}
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from gateway.app.checkpoint import Checkpoint
from gateway.clock import Clock
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import SECOND
from gateway.registry.words import nearest
from gateway.sessions.command import LARGEST, Command, Outcome
from gateway.sessions.commands import WAITING, Commands

_USUAL_WAIT_S = 5.0
"""How long a device that listens is waited for where nobody says how long."""

_LONGEST_S = 30 * 86_400


class Post:
    """Answers questions for `command`.

    Args:
        clock: the machine's own, by which commands expire.

    Attributes:
        verb: that asks.
        by_radio: whether what is given goes along with uplinks.
    """

    verb, by_radio = "command", False

    def __init__(self, checkpoint: Checkpoint, commands: Commands, clock: Clock) -> None:
        self._checkpoint = checkpoint
        self._commands = commands
        self._clock = clock

    async def answer(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do what is asked.

        Raises:
            Refusal: no such device, too much, too long, or the disk does not take it.
        """
        device = self.device(question.get("device"))
        if question.get("list"):
            return {"waiting": self._listed(device)}
        if "cancel" in question:
            return {"cancelled": self._cancel(device, question["cancel"])}
        return await self._give(device, question)

    def device(self, name: object) -> DeviceId:
        devices = self._checkpoint.directory.devices
        known = devices.get(DeviceId(str(name)))
        if known is None:
            hint = nearest(str(name), list(devices), unless=" sekisho devices list shows all.")
            raise Refusal(f'refused because no device is named "{name}".{hint}')
        if known.revoked:
            raise Refusal(f"refused because {name} is revoked, and may not hear anything any more.")
        return known.device

    def _listed(self, device: DeviceId) -> list[dict[str, Any]]:
        self._commands.forget_over()
        waiting = self._commands.waiting(device)
        return [
            {
                "number": command.number,
                "bytes": self._size(command),
                "given": command.made,
                "expires": command.expires,
                "state": "on its way" if on_its_way else "waiting",
            }
            for command, on_its_way in waiting
            if command.by_radio == self.by_radio and command.ready
        ]

    def _cancel(self, device: DeviceId, which: object) -> int:
        if which != "all" and (isinstance(which, bool) or not isinstance(which, int)):
            raise Refusal("refused because a command is cancelled by its number, or all of them.")
        ours = [one for one, _ in self._commands.waiting(device) if one.by_radio == self.by_radio]
        numbers = [one.number for one in ours if which in ("all", one.number)]
        cancelled = sum(self._commands.cancel(device, number) for number in numbers)
        if not cancelled:
            what = f"no {self.verb} waits" if which == "all" else f"no {self.verb} {which} waits"
            raise Refusal(f"refused because {what} for {device}.")
        return cancelled

    async def _give(self, device: DeviceId, question: Mapping[str, Any]) -> dict[str, Any]:
        payload = self._record(question)
        expires_s, wait_s = question.get("expires_s"), question.get("wait_s")
        if not isinstance(expires_s, (int, float)) or not 1 <= expires_s <= _LONGEST_S:
            raise Refusal("refused because a command expires after 1 s to 30 d.")
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()
        settled: asyncio.Future[Outcome] = loop.create_future()
        expires = self._clock.now() + int(expires_s * SECOND)
        command = self._commands.give(
            device, payload, expires, _told(written), _told(settled), by_radio=self.by_radio
        )
        if command is None:
            raise Refusal(
                f"refused because {WAITING} commands wait for {device} already. "
                f"sekisho {self.verb} {device} --list shows them, --cancel takes them back."
            )
        if not await written:
            raise Refusal("refused because the disk does not take it. Nothing was sent.")
        heard = self._commands.is_heard(device)
        usual = _USUAL_WAIT_S if heard else 0.0
        patience_s = float(wait_s) if isinstance(wait_s, (int, float)) else usual
        await asyncio.wait({settled}, timeout=patience_s)
        outcome = settled.result() if settled.done() else None
        return {
            "number": command.number,
            "outcome": outcome,
            "expires": command.expires,
            "heard": heard,
        }

    def _size(self, command: Command) -> int:
        """Bytes that the device gets."""
        return len(command.payload)

    def _record(self, question: Mapping[str, Any]) -> bytes:
        """What waits, as it is written down."""
        return payload_of(question.get("payload"))


def payload_of(text: object) -> bytes:
    """A command's bytes.

    Raises:
        Refusal: no hex digits, or too many.
    """
    try:
        payload = bytes.fromhex(str(text))
    except ValueError:
        raise Refusal("refused because the command is not given in hex digits.") from None
    if len(payload) > LARGEST:
        raise Refusal(
            f"refused because it has {len(payload)} bytes; a command has {LARGEST} at most."
        )
    return payload


def _told(future: "asyncio.Future[Any]") -> Any:
    """Hand a result on, once."""

    def told(result: object) -> None:
        if not future.done():
            future.set_result(result)

    return told
