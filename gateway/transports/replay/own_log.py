"""A recording of our own topics: what a subscriber of some broker wrote down, or `sekisho simulate` did.

A line is a topic, a blank and a payload, with or without the time before them; or a JSON object with a topic, as
`mosquitto_sub -F %j` and `simulate --to file:` write it. A payload that consists of hexadecimal digits is meant so
(`mosquitto_sub -F '%t %x'`), which no payload of ours does by itself: JSON begins with a brace, the binary form with 1.
"""

import binascii
from collections.abc import Iterable
from itertools import islice, pairwise
from typing import Annotated

import msgspec

from gateway.clock import Clock
from gateway.devices.decode import time_of
from gateway.model.device import Directory
from gateway.model.instant import CALENDAR_END, DAY, Instant
from gateway.pipeline.own_topics import OwnTopics
from gateway.pipeline.sorting import Sort
from gateway.telemetry import Facts
from gateway.transports.replay.documents import FIRST, Said, said_by, time_written

_HEX = b"0123456789abcdefABCDEF"


class _Line(msgspec.Struct):
    """A line that is a JSON object: ours (at, text or hex), or mosquitto_sub's (tst, payload)."""

    topic: str
    at: Annotated[Instant, msgspec.Meta(ge=0, lt=CALENDAR_END)] | None = None
    tst: str = ""
    text: str | None = None
    hex: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"")


_line = msgspec.json.Decoder(_Line).decode
_text = msgspec.json.Decoder(str).decode


class OwnLog:
    """Reads such a recording, and dates what has no time: by the device's own clock, where that can be believed.

    One that leads more than a day ahead is believed only if the next one agrees: a single wrong clock would
    make all that follows late.
    """

    open = None
    registered_before: Instant = DAY
    """A device's first words may be older than the line that comes first."""

    def __init__(self) -> None:
        self._at: Instant | None = None
        self._last: Instant | None = None

    def begun(self, lines: Iterable[bytes]) -> Instant | None:
        """The first time that the next one agrees with; None where the first lines say none."""
        said = map(own_line, islice((line for line in lines if line), FIRST))
        times = [at for one in said if (at := one.at or time_of(one.document)) is not None]
        agreed = (at for at, following in pairwise(times) if abs(following - at) <= DAY)
        self._at = next(agreed, times[0] if times else None)
        return self._at

    def read(self, line: bytes) -> Said:
        """A line, dated."""
        said = own_line(line)
        if said.at is not None:
            return said
        return said._replace(at=self._believed(time_of(said.document)))

    def sorting(self, directory: Directory, facts: Facts, clock: Clock) -> Sort:
        """Whose uplinks these are."""
        return OwnTopics(directory, facts, clock, "a replay").sort

    def _believed(self, at: Instant | None) -> Instant | None:
        if at is not None:
            now, last = self._at, self._last
            if now is None or at <= now + DAY or (last is not None and abs(at - last) <= DAY):
                self._at = at if now is None else max(now, at)
            self._last = at
        return self._at


def own_line(line: bytes) -> Said:
    """When, where that is written; topic, "" where there is none; and the payload's own bytes."""
    if line[:1] != b"{":
        said = said_by(line)
        return said._replace(document=_unhexed(said.document))
    try:
        said_json = _line(line)
        document = _payload(said_json)
    except (msgspec.DecodeError, ValueError):
        return Said(None, "", line)
    at = time_written(said_json.tst.replace("Z+", "+").replace("Z-", "-"))
    return Said(said_json.at if at is None else at, said_json.topic, document)


def _payload(line: _Line) -> bytes:
    if line.hex is not None:
        return bytes.fromhex(line.hex)
    if line.text is not None:
        return line.text.encode()
    raw = bytes(line.payload)
    return _unhexed(_text(raw).encode()) if raw[:1] == b'"' else raw


def _unhexed(payload: bytes) -> bytes:
    if payload[:1] in _HEX:
        try:
            return binascii.unhexlify(payload)
        except binascii.Error:
            pass
    return payload
