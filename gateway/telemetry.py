"""What the gateway reports about itself: the conservation law's book, and facts for the log.

No fact names a device, a position, a tag or a payload.
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

from gateway.model.reason import Fate, Reason
from gateway.recent import Recent

log = logging.getLogger("sekisho")


Term: TypeAlias = tuple[str, str, Fate, Reason | None]
"""One line of the conservation law: origin ("own" or "simulated": whose credential handed the uplink
over), device kind ("unknown" for senders that are none of ours), fate, and why where it was rejected or
suppressed. A plain tuple: one is made per uplink."""


class Tally:
    """Counts per term since this process started, in memory only (decisions 3)."""

    def __init__(self) -> None:
        self.terms: Counter[Term] = Counter()
        self.handed_over: Counter[str] = Counter()

    def in_flight(self) -> int:
        """Uplinks handed over whose fate is not settled yet."""
        return self.handed_over.total() - self.terms.total()


class Facts:
    """Named facts: each is a counter, and a log line with a level by consequence where it is noted.

    Attributes:
        recent: what `sekisho doctor` may ask about the last knocks and faults.
        standing: facts that are so just now; what is over is counted all the same.
    """

    def __init__(self, recent: Recent | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.recent = Recent() if recent is None else recent
        self.standing: set[str] = set()
        self._about: Counter[tuple[str, str]] = Counter()

    def count(self, fact: str) -> None:
        """Count `fact` and write nothing: for what happens to people, whose hour no log may tell."""
        self.counts[fact] += 1

    def note(self, fact: str, sentence: str, level: int = logging.INFO, about: str = "") -> None:
        """Count `fact`; log its sentence the first time and then at every power of two.

        It stands until somebody says that it is over; of most facts nobody asks.

        Args:
            about: which of a few configured things it is a fact of, so that one hides no other's sentence.
        """
        self.standing.add(fact)
        self.counts[fact] += 1
        self._about[fact, about] += 1
        n = self._about[fact, about]
        if n & (n - 1) == 0:
            log.log(level, "%s (%s ×%d)", sentence, fact, n)

    def over(self, fact: str) -> None:
        """What `fact` says is not so any more."""
        self.standing.discard(fact)


class _Ear(logging.Handler):
    """Hears that something was said, and not what."""

    def __init__(self, called: Callable[[], None]) -> None:
        super().__init__()
        self._called = called

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self._called()


def muted(name: str, called: Callable[[], None]) -> logging.Logger:
    """A logger for a server whose own words quote the bytes that it got: they go nowhere.

    Args:
        called: instead of writing them.
    """
    logger = logging.getLogger(f"sekisho.{name}")
    logger.propagate = False
    logger.handlers = [_Ear(called)]
    return logger
