"""A recording in lines: read, dated, sorted. Of a network server: a document a line, or a topic and a document."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple, Protocol

from gateway.clock import Clock
from gateway.model.device import Directory
from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.instant import CALENDAR_END, Instant, from_datetime
from gateway.pipeline.sorting import Counted, Sort, Sorting
from gateway.telemetry import Facts
from gateway.transports.replay.door import Record
from gateway.wire.envelopes.event import Event, Open

FIRST = 1000
"""Lines at the beginning in which one must be a dated uplink."""


class Said(NamedTuple):
    """One line: when, where that is written; topic, "" where the line has none; document."""

    at: Instant | None
    topic: str
    document: bytes


def said_by(line: bytes) -> Said:
    """A line as `mosquitto_sub -v` prints it, topic and document, or with `-F '%I %t %p'` the time before
    them; or a document alone.
    """
    if line[:1] == b"{":
        return Said(None, "", line)
    first, _, rest = line.partition(b" ")
    if first[:2].isdigit() and (at := time_written(first.decode("utf-8", "replace"))) is not None:
        return said_by(rest)._replace(at=at)
    return Said(None, first.decode("utf-8", "replace"), rest)


def time_written(word: str) -> Instant | None:
    """A time with its offset; None where it is none, or none of these centuries."""
    try:
        at = from_datetime(datetime.fromisoformat(word))
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at < CALENDAR_END else None


class Log(Protocol):
    """How one sort of recording is read.

    Attributes:
        open: opens its envelopes; None where there are none.
        registered_before: how long before the beginning its devices count as registered, µs.
    """

    @property
    def open(self) -> Open | None: ...

    @property
    def registered_before(self) -> Instant: ...

    def begun(self, lines: Iterable[bytes]) -> Instant | None:
        """When it begins; None where the first lines hold nothing of this sort with a time."""

    def read(self, line: bytes) -> Said:
        """A line that is not empty; the lines come in their order."""

    def sorting(self, directory: Directory, facts: Facts, clock: Clock) -> Sort:
        """What becomes of the documents."""


class ServerLog:
    """What a network server said, in one of `gateway.wire.envelopes.formats`."""

    registered_before: Instant = 0

    def __init__(self, open_: Open) -> None:
        self.open = open_

    def begun(self, lines: Iterable[bytes]) -> Instant | None:
        """When the first dated uplink came."""
        for line in islice((line for line in lines if line), FIRST):
            at, topic, document = said_by(line)
            try:
                uplink = self.open(topic, document).uplink
            except PayloadError:
                continue
            if uplink is not None and (came := uplink.network_at or at) is not None:
                return came
        return None

    def read(self, line: bytes) -> Said:
        """A line."""
        return said_by(line)

    def sorting(self, directory: Directory, facts: Facts, clock: Clock) -> Sort:
        """Envelopes opened and addressed."""
        return Sorting(self.open, directory, facts, clock, "a replay").sort


class Documents:
    """The records of a recording, in the order of its lines.

    A record comes when its network server took it in; where that does not say, at the time that its line begins
    with; without either, when the one before came.

    Attributes:
        uplinks: how many of the records were handed over as such, also those that nobody could open.
        events: what else happened, by name.
        early: uplinks older than `begun`: they are dated by the record before them.
    """

    def __init__(self, lines: Iterable[bytes], log: Log, sort: Sort, begun: Instant) -> None:
        self._lines = lines
        self._log = log
        self._sort = sort
        self._begun = begun
        self.uplinks = 0
        self.events: Counter[Event] = Counter()
        self.early = 0

    def __iter__(self) -> Iterator[Record]:
        at = begun = self._begun
        read, sort = self._log.read, self._sort
        for line in self._lines:
            if not line:
                continue
            written, topic, document = read(line)
            if written is not None:
                at = written
            item = sort(topic, document)
            if isinstance(item, Counted):
                self.events[item.event] += 1
                yield at, None
                continue
            self.uplinks += 1
            payload = item[1]
            if isinstance(payload, Forwarded) and payload.network_at is not None:
                at = payload.network_at
            self.early += at < begun
            yield at, item
