"""A recording of what a network server said: a document a line, or a topic, a blank and a document."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.instant import Instant
from gateway.pipeline.sorting import Counted, Sorting
from gateway.transports.replay.door import Record
from gateway.wire.envelopes.event import Event, Open

_FIRST = 1000
"""Lines at the beginning in which one must be a dated uplink."""


def document_of(line: bytes) -> tuple[str, bytes]:
    """Topic ("" where the line has none) and document: `mosquitto_sub -v` puts a blank between them."""
    if line[:1] == b"{":
        return "", line
    topic, _, document = line.partition(b" ")
    return topic.decode("utf-8", "replace"), document


def beginning(lines: Iterable[bytes], open_: Open) -> Instant | None:
    """When the first dated uplink came; None where the first lines hold none of this format."""
    for line in islice((line for line in lines if line), _FIRST):
        try:
            enclosed = open_(*document_of(line))
        except PayloadError:
            continue
        if enclosed.uplink is not None and enclosed.uplink.network_at is not None:
            return enclosed.uplink.network_at
    return None


class Documents:
    """The records of a recording, in the order of its lines.

    A record comes when its network server took it in; one that does not say, when the one before came.

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
            item = sort(*document_of(line))
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
