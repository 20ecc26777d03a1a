"""A recording of what a network server said: a document a line, or a topic, a blank and a document."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.instant import Instant, from_datetime
from gateway.pipeline.sorting import Counted, Sorting
from gateway.transports.replay.door import Record
from gateway.wire.envelopes.event import Event, Open

_FIRST = 1000
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
    if first[:2].isdigit() and (at := _time(first)) is not None:
        return said_by(rest)._replace(at=at)
    return Said(None, first.decode("utf-8", "replace"), rest)


def _time(word: bytes) -> Instant | None:
    try:
        return from_datetime(datetime.fromisoformat(word.decode("ascii")))
    except (ValueError, OverflowError):
        return None


def beginning(lines: Iterable[bytes], open_: Open) -> Instant | None:
    """When the first dated uplink came; None where the first lines hold none of this format."""
    for line in islice((line for line in lines if line), _FIRST):
        at, topic, document = said_by(line)
        try:
            uplink = open_(topic, document).uplink
        except PayloadError:
            continue
        if uplink is not None and (came := uplink.network_at or at) is not None:
            return came
    return None


class Documents:
    """The records of a recording, in the order of its lines.

    A record comes when its network server took it in; where that does not say, at the time that its line begins
    with; without either, when the one before came.

    Attributes:
        uplinks: how many of the records were handed over as such, also those that nobody could open.
        events: what else happened, by name.
        early: uplinks older than `begun`: they are dated by the record before them.
    """

    def __init__(self, lines: Iterable[bytes], sorting: Sorting, begun: Instant) -> None:
        self._lines = lines
        self._sorting = sorting
        self._begun = begun
        self.uplinks = 0
        self.events: Counter[Event] = Counter()
        self.early = 0

    def __iter__(self) -> Iterator[Record]:
        at = begun = self._begun
        sort = self._sorting.sort
        for line in self._lines:
            if not line:
                continue
            written, topic, document = said_by(line)
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
