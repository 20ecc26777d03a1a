"""Counters that earlier runs left: what the rules in force can go on with, and what stands in the way of a start.

A counter in which nothing was ever counted stands in nobody's way. Whether somebody was counted must not be told either, so
it is looked into only where no device that its rule counts is registered.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from gateway.counting.lane import KINDS, Plan
from gateway.counting.period import HEAD_BYTES, PeriodCounter, nothing_in, room_in
from gateway.keys.periods import PeriodKeys
from gateway.stores.counters import CounterFiles

TAGS = 16_384
"""Tags of one service day that there is room for."""
WAYS_OUT = (
    "Counters of open periods cannot be gone on with. Start with the rules, files and keys that they were begun with, or "
    "give each of these periods up, for good:\n"
)
_NO_LANE = "belongs to no lane of the rules in force"


def plan_of(full: str, plans: Iterable[Plan]) -> Plan | None:
    """Which count rule a counter is of, by its name."""
    name, _, period = full.partition("-")
    for plan in plans:
        if name == plan.name:
            with suppress(ValueError):
                plan.calendar.span(period)
                return plan
    return None


class Begun:
    """Those of one state directory, for the rules in force.

    Args:
        plans: what is counted.
        kinds: of the devices that are registered.
    """

    def __init__(
        self, plans: Sequence[Plan], files: CounterFiles, keys: PeriodKeys, kinds: Collection[str]
    ) -> None:
        self._plans = plans
        self._files = files
        self._keys = keys
        self._kinds = kinds

    def take_up(self, full: str, room: int) -> PeriodCounter | str | None:
        """Go on with what was written down; else why not, as a sentence's end. None where nothing was ever counted.

        Args:
            room: for how many subjects there must be room.

        Raises:
            OSError: it cannot be read.
            KeysUnavailable: nobody can tell just now whether its key is there.
        """
        plan = plan_of(full, self._plans)
        key = self._keys.there(full)
        if key is None:
            return _NO_LANE if plan is None else "has no key any more"
        there = full in self._files.there()
        content = self._files.read(full, key) if there else None
        idle = content is not None and self._is_idle(full, content)
        if plan is None:
            return None if idle else _NO_LANE
        span = plan.calendar.span(full.partition("-")[2])
        if not there:  # killed before its first checkpoint
            anew = PeriodCounter(span, key, plan.basis, room, plan.cap)
            anew.lose()
            return anew
        if content is None:
            return "cannot be opened by its key"
        try:
            return PeriodCounter.from_bytes(content, span, key, plan.basis, room, plan.cap)
        except ValueError as error:
            return None if idle else f"cannot be gone on with: {error.args[0].rstrip('.')}"

    def in_the_way(self, closed: Collection[str]) -> list[str]:
        """Each counter that the next start would refuse, with its way out; reads and changes nothing.

        Args:
            closed: name and period of those that are closed.

        Raises:
            OSError: they cannot be read.
            KeysUnavailable: their keys cannot be read.
        """
        found = []
        for full in self._files.there():
            fault = None if full in closed else self.take_up(full, 0)
            if isinstance(fault, str):
                found.append(give_up(full, fault))
        return found

    def _is_idle(self, full: str, content: bytes) -> bool:
        """Whether nothing was counted for certain, and saying so tells of nobody."""
        if len(content) < HEAD_BYTES:
            return False
        said_by = KINDS["tag"] if room_in(content) == TAGS else KINDS["household"]
        return said_by.isdisjoint(self._kinds) and nothing_in(content, self._keys.number(full))


def give_up(full: str, what: str) -> str:
    """The line of one counter that cannot be gone on with: what it is, and the command that gives it up."""
    name, _, period = full.partition("-")
    return f"  {full} {what}: sekisho release withhold {name} {period} --because TEXT"
