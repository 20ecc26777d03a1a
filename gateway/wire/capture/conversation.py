"""One captured connection, read as MQTT from both ends; also where the capture begins in the middle of it."""

from collections.abc import Iterable, Iterator

from gateway.wire.capture.frames import Segment
from gateway.wire.capture.stream import Stream
from gateway.wire.mqtt.bodies import V5, V311
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Connect, Publish, Violation

_ALIASES = 0xFFFF
_CONNECT = Type.CONNECT << 4
_TLS = (b"\x14\x03", b"\x15\x03", b"\x16\x03", b"\x17\x03")
"""How records of TLS begin (RFC 8446 §5.1); no MQTT packet begins so."""


class Conversation:
    """Made of its first segment, whoever sent that.

    Args:
        limit: largest packet, in bytes.

    Attributes:
        encrypted: its bytes are TLS.
        client: which end asked; where the capture has not the beginning, the one with the higher port.
    """

    def __init__(self, first: Segment, limit: int) -> None:
        ends = (first.source, first.target)
        asked = first.begins and first.acknowledged is None
        answered = first.begins and not asked
        higher = max(ends, key=lambda end: end[1])
        self.client = first.source if asked else first.target if answered else higher
        self.encrypted = False
        self._number = first.sequence if asked else None
        self._limit = limit
        self._versions = [V5, V311]
        self._streams = {end: Stream() for end in ends}
        self._framers: dict[tuple[bytes, int], list[Framer]] = {}
        self._whole = first.begins
        self._heard = False
        self._foreign = False

    def is_over(self, segment: Segment) -> bool:
        """Whether a segment asks for another connection between the same ends."""
        return segment.begins and segment.acknowledged is None and segment.sequence != self._number

    def take(self, segment: Segment) -> Iterator[tuple[bool, Publish]]:
        """The messages that a segment makes whole: whether the client sent it, and the message."""
        source, stream = segment.source, self._streams[segment.source]
        if segment.begins:
            stream.begin(segment.sequence)
        elif segment.data:
            yield from self._read(source, stream.take(segment.sequence, segment.data))
        if segment.acknowledged is not None:
            theirs = self._streams[segment.target].acknowledged(segment.acknowledged)
            yield from self._read(segment.target, theirs)

    def end(self) -> Iterator[tuple[bool, Publish]]:
        """Nothing more was captured of it."""
        for source, stream in self._streams.items():
            yield from self._read(source, stream.end())

    def _read(
        self, source: tuple[bytes, int], parts: Iterable[bytes | None]
    ) -> Iterator[tuple[bool, Publish]]:
        for data in parts:
            if data is None:  # bytes are missing: a packet begins somewhere behind them
                self._framers.pop(source, None)
            elif not self._other(source, data):
                for message in self._messages(source, data):
                    yield source == self.client, message

    def _other(self, source: tuple[bytes, int], data: bytes) -> bool:
        """Whether this is a connection of something else, by what it begins with: in MQTT the client speaks first."""
        if not self._heard:
            self.encrypted = data[:2] in _TLS
            greets = source == self.client and data[0] == _CONNECT
            self._foreign = self.encrypted or (self._whole and not greets)
            self._heard = True
        return self._foreign

    def _messages(self, source: tuple[bytes, int], data: bytes) -> list[Publish]:
        """Read on by every version that it may still be; where none fits, a later packet begins anew."""
        framers = self._framers.get(source) or [
            Framer(self._limit, version, _ALIASES) for version in self._versions
        ]
        fitting, broken = [], list[Publish]()
        for framer in framers:
            packets = framer.feed(data)
            said = [one for one in packets if type(one) is Publish and _sound(one.topic)]
            if packets and type(packets[-1]) is Violation:
                broken = broken or said
                continue
            fitting.append(framer)
            if said or any(type(one) is Connect for one in packets):
                self._versions = [framer.version]
                self._framers[source] = [framer]
                return said
        if fitting:
            self._framers[source] = fitting
            return []
        self._framers.pop(source, None)
        return broken


def _sound(topic: bytes) -> bool:
    """Whether anybody may publish there (§4.7); bytes that only look like a PUBLISH seldom say so."""
    try:
        return bool(topic) and not set(topic.decode()) & set("+#\0")
    except UnicodeDecodeError:
        return False
