"""After a change of the registry: lets the gateway that runs there take it in, before the verb ends."""

from contextlib import suppress
from typing import Any, NamedTuple

from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from sekisho.window import ask, is_answered

PATIENCE_S = 2.0
"""How long a verb waits; the change is made, and a gateway that is busy finds it by itself."""


class Followed(NamedTuple):
    """What became of a change.

    Attributes:
        sentence: for the person who made it.
        kinds: those that the running gateway knows; None where none answered.
    """

    sentence: str
    kinds: frozenset[str] | None = None


def follow(state: StateDir) -> Followed:
    """Ask the running gateway, if there is one, to take in what changed; never fails."""
    said: dict[str, Any] = {}
    with suppress(Refusal, OSError, ValueError):
        if not is_answered(state):
            return Followed("No gateway runs on this directory now.")
        said = next(ask(state, "follow", PATIENCE_S), {})
    kinds = said.get("kinds")
    if kinds is None:
        return Followed("A running gateway follows within a second.")
    if not said["in_force"]:
        return Followed(
            "The running gateway cannot read the registry just now, and tries again; its log says why.",
            frozenset(kinds),
        )
    return Followed("It is in force at the running gateway.", frozenset(kinds))
