"""The end of a counting period: released or withheld, its key destroyed, and in time its release taken away.

The ledger's line is what closes a period. Everything before it can be done again after a kill, and so can everything
behind it.
"""

import logging
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from gateway.counting.lane import Plan
from gateway.counting.period import PeriodCounter
from gateway.counting.release import release
from gateway.keys.periods import PeriodKeys
from gateway.model.errors import Refusal
from gateway.model.instant import DAY
from gateway.privacy.keysource import KeysUnavailable
from gateway.stores.counters import CounterFiles
from gateway.stores.releases import Releases
from gateway.telemetry import Facts

FAULTS = (OSError, Refusal, KeysUnavailable)
"""What a disk, a mount or a file comes to: nothing of it ends a gateway that can go on as before."""


class Closing:
    """That of one run; blocks on the disk.

    Args:
        rules: the digest of the rule set in force.
    """

    def __init__(
        self, rules: str, releases: Releases, files: CounterFiles, keys: PeriodKeys, facts: Facts
    ) -> None:
        self._rules = rules
        self._releases = releases
        self._files = files
        self._keys = keys
        self._facts = facts

    @property
    def has_been(self) -> bool:
        """Whether any period was closed here."""
        return self._releases.ledger_file.exists()

    def closed(self) -> set[str]:
        """Name and period of every counter that is closed.

        Raises:
            Refusal: the ledger was changed.
            OSError: it cannot be read.
        """
        return {f"{name}-{period}" for name, period in self._releases.standings()}

    def release(self, plan: Plan, period: PeriodCounter) -> bool:
        """Whether a period that is over has been released or withheld, and nothing of its counter is left."""
        try:
            if (plan.name, period.span.name) not in self._releases.standings():
                self._tell(plan, period)
            self.forget(full_name(plan, period))
        except FAULTS as error:
            self._facts.note(
                "release waits",
                f"A period that is over cannot be released ({type(error).__name__}): it is tried again",
                logging.ERROR,
            )
            return False
        return True

    def forget(self, full: str) -> None:
        """Destroy the key of a closed period, then what it sealed.

        Raises:
            OSError: one of them cannot be reached.
        """
        self._keys.destroy(full)
        self._files.remove(full)

    def remove(self, today: date) -> None:
        """Take releases away that had their time."""
        try:
            for (name, period), standing in self._releases.standings().items():
                until = standing.facts.get("until")
                if not standing.removed and until and date.fromisoformat(until) < today:
                    self._releases.remove(name, period)
        except FAULTS as error:
            self._facts.note(
                "release waits",
                f"A release that had its time cannot be removed ({type(error).__name__}): it is tried again",
                logging.ERROR,
            )

    def _tell(self, plan: Plan, period: PeriodCounter) -> None:
        lane = plan.lane
        review = 0 if lane.release is None else lane.release.review
        retain = lane.retain_us
        until = None if retain is None else period.span.last + timedelta(days=retain // DAY)
        document = release(plan, self._rules, period, self._before(plan, period))
        why = self._releases.publish(document, review, until, lane.agreement)
        if why is None:
            self._facts.note(
                "period closed",
                "The numbers of a period are ready to be looked at; none has left: sekisho release list"
                if review
                else "The numbers of a period may leave, and nobody has to look first: sekisho release list",
            )
            return
        self._releases.withhold(plan.name, period.span.name, why)
        self._facts.note(
            "period withheld",
            f"The numbers of a period were not released, for good: {why}",
            logging.WARNING,
        )

    def _before(self, plan: Plan, period: PeriodCounter) -> dict[str, Any] | None:
        """The release of the period before this one; None where it is there no more, or was changed."""
        name = plan.calendar.moment(period.span.begins - 1).span.name
        with suppress(Refusal):
            return self._releases.document(plan.name, name)
        return None


def full_name(plan: Plan, period: PeriodCounter) -> str:
    """Name and period of a counter, as its file and its key are named."""
    return f"{plan.name}-{period.span.name}"
