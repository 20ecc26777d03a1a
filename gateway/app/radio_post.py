"""Downlinks through the control socket (`sekisho downlink`): as commands are, and along with a LoRaWAN device's uplinks.

→ {"ask": "downlink", "device": D, "payload": HEX, "port": n, "confirmed": bool, "expires_s": n, "wait_s": n or null}
and else as `command` (`gateway.app.post`)
"""

from collections.abc import Mapping
from typing import Any

from gateway.app.checkpoint import Checkpoint
from gateway.app.post import Post, payload_of
from gateway.clock import Clock
from gateway.lorawan.answers import Waiting
from gateway.lorawan.plan import Plan
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.registry.radio_rows import Radio
from gateway.sessions.command import Command
from gateway.sessions.commands import Commands

_LAST_PORT = 223


class RadioPost(Post):
    """Answers questions for `downlink`.

    Args:
        plan: the region, whose fastest data rate limits the size.
        known: who speaks LoRaWAN.
    """

    verb, by_radio = "downlink", True

    def __init__(
        self, checkpoint: Checkpoint, commands: Commands, clock: Clock, plan: Plan, known: Radio
    ) -> None:
        super().__init__(checkpoint, commands, clock)
        self._largest = max(plan.max_payload.values())
        self.renew(known)

    def renew(self, known: Radio) -> None:
        """The registry has changed."""
        joining = {root.device for root in known.roots.values()}
        self._speaking = joining | {session.device for session in known.sessions}

    def device(self, name: object) -> DeviceId:
        found = super().device(name)
        if found not in self._speaking:
            raise Refusal(
                f"refused because {found} has no LoRaWAN keys here. sekisho devices import-keys brings them in."
            )
        return found

    def _size(self, command: Command) -> int:
        return len(Waiting.of(command.payload, more=False).payload)

    def _record(self, question: Mapping[str, Any]) -> bytes:
        port, payload = question.get("port"), payload_of(question.get("payload"))
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= _LAST_PORT:
            raise Refusal(f"refused because a downlink has a port of 1 to {_LAST_PORT}.")
        if len(payload) > self._largest:
            raise Refusal(
                f"refused because it has {len(payload)} bytes; the fastest data rate of this region carries {self._largest}."
            )
        return Waiting(port, payload, question.get("confirmed") is True).record()
