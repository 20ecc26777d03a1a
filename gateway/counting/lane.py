"""A lane that counts: readings in, at most one presence a subject, unit and slice out. Nothing else is kept."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.counting.calendar import Calendar, Span
from gateway.counting.period import PeriodCounter
from gateway.counting.units import Units
from gateway.model.instant import Instant
from gateway.model.reading import Reading
from gateway.rules.counts import USUAL_CAP, Count
from gateway.rules.model import Lane

KINDS = {"household": frozenset({"child_tracker"}), "tag": frozenset({"bus_stop_reader"})}
"""What is distinct → the device kinds that say it."""
MOST_OPEN = 3
"""Periods of one lane at a time: the one that runs, the one before, and one that a clock ahead begins."""


class Plan(NamedTuple):
    """One count rule, ready to be counted.

    Attributes:
        name: of its files: the lane's, and with several rules the unit's.
        rules: the rule set that it stands in: its id and its digest.
    """

    name: str
    lane: Lane
    rule: Count
    calendar: Calendar
    units: Units
    rules: str

    @property
    def basis(self) -> str:
        """Rule, protection and units as text: numbers counted on another basis are other numbers."""
        return f"{self.rule!r} {self.lane.protect!r} {self.units.pin}"

    @property
    def cap(self) -> int:
        """Units of one subject."""
        return self.rule.cap or USUAL_CAP


class Counter:
    """The open periods of one count rule; satisfies `gateway.privacy.counting.CountingLane`.

    Attributes:
        plan: what it counts.
        open: name of a period → its counter.
        since: since when this run could count.
    """

    def __init__(
        self,
        plan: Plan,
        key: Callable[[str], bytes],
        is_closed: Callable[[str], bool],
        room: Callable[[], int],
    ) -> None:
        """Begin with no period open.

        Args:
            key: name of a period → its key, made at first use; may raise KeysUnavailable.
            is_closed: whether a period has been closed for good.
            room: for how many subjects a new period keeps room.
        """
        self.plan = plan
        self.open: dict[str, PeriodCounter] = {}
        self.since: Instant = 0
        self.kinds = KINDS[plan.rule.distinct]
        self.purpose = plan.lane.name
        self._key = key
        self._is_closed = is_closed
        self._room = room
        self._moment = plan.calendar.moment
        self._unit = plan.units.of

    def __repr__(self) -> str:
        return f"<counter of {self.plan.name}>"

    def take(self, reading: Reading) -> bool:
        """Whether a reading entered a counter: its period is open, and it was made in a unit.

        Raises:
            KeysUnavailable: nothing was counted.
        """
        unit = self._unit(reading)
        if unit is None:
            return False
        span, slice_ = self._moment(reading.observed_at)
        counter = self.open.get(span.name)
        if counter is None:
            counter = self.begin(span, reading.received_at)
            if counter is None:
                return False
        elif counter.stands or reading.received_at >= span.closes:
            return False
        if self.plan.rule.distinct == "tag":
            for read in reading.values.reads:
                counter.add(counter.subject(read.epc), unit, slice_)
            return True
        household = reading.device.household
        if household is None:
            return False
        counter.add(counter.subject(household.household), unit, slice_)
        return True

    def begin(self, span: Span, now: Instant) -> PeriodCounter | None:
        """Open a period, where it is neither over nor closed, ends within its agreement, and not too many are open.

        Raises:
            KeysUnavailable: its key can be neither read nor made just now.
        """
        plan = self.plan
        signed = plan.lane.agreement
        if signed is not None and span.last.isoformat() > signed.ends:
            return None
        if now >= span.closes or len(self.open) >= MOST_OPEN or self._is_closed(span.name):
            return None
        key = self._key(span.name)
        counter = PeriodCounter(span, key, plan.basis, self._room(), plan.cap)
        counter.go_on(
            self.since
        )  # its key is on disk: from now on a kill is known to have cost something
        self.open[span.name] = counter
        return counter

    def over(self, now: Instant) -> list[PeriodCounter]:
        """The open periods whose time is over, the oldest first."""
        found = [one for one in self.open.values() if now >= one.span.closes]
        return sorted(found, key=lambda one: one.span.begins)
