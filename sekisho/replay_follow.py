"""Moves the clock of a gateway along with a recording that reaches it by way of a broker (decisions 16)."""

import time
from pathlib import Path

from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from sekisho.destination import follow
from sekisho.window import ask

_PATIENCE_S = 30.0
"""How long nothing may arrive that the broker has acknowledged."""


class Follower:
    """A gateway in simulated time on a directory whose counts are exact.

    Its clock stands at most a step ahead of what is sent, and moves on only when all that was sent before is
    settled there: so no uplink meets a clock that is not its own.

    Args:
        state: the directory that the gateway runs on.
        step: how far the clock moves at once.

    Raises:
        Refusal: none runs there, or it lives on real time.
    """

    def __init__(self, state: Path, step: Instant) -> None:
        self._state = follow(state).state
        if not follow(state).simulated:
            raise Refusal(
                f"The gateway on {state} lives on real time, and a recording cannot move that. Start it "
                "with --clock sim://TIME, at the recording's beginning, on a directory marked REPLAY.",
                exit_code=2,
            )
        self._step = step
        self._until: Instant = 0
        self._before = self._taken_in()

    def due(self, at: Instant) -> bool:
        """Whether the clock must move before what came at this time is sent."""
        return at > self._until

    def advance(self, at: Instant, sent: int) -> None:
        """Move the clock for what came at `at`, once the gateway has settled `sent` records."""
        self.settle(sent)
        self._until = at + self._step
        list(ask(self._state, "clock", to_us=self._until))

    def settle(self, sent: int) -> None:
        """Wait until the gateway has settled so many records.

        Raises:
            Refusal: for a while it has taken in nothing more.
        """
        last, since = -1, time.perf_counter()
        while (known := self._taken_in() - self._before) < sent:
            if known > last:
                last, since = known, time.perf_counter()
            if time.perf_counter() - since > _PATIENCE_S:
                raise Refusal(
                    f"The broker has acknowledged {sent:,} records, and the gateway has taken in {known:,} of "
                    "them. Does a door of it (mqtt_client) subscribe to where they are published? Does the "
                    "broker keep as many (max_queued_messages)?"
                )
            time.sleep(0.002)

    def _taken_in(self) -> int:
        """Records that the gateway has settled since its start: uplinks, and events that it counted."""
        (said,) = ask(self._state, "terms")
        counts: list[int] = [term["count"] or 0 for term in said["terms"]]
        counts += [n for fact, n in said["facts"].items() if fact.startswith("forwarded ")]
        return sum(counts)
