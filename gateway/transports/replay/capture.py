"""A capture (pcap, pcapng) of MQTT over TCP as a recording: each message a line, as a subscriber would write it down."""

import gzip
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.model.errors import Refusal
from gateway.model.instant import SECOND, Instant, to_rfc3339
from gateway.transports.replay.file import Lines
from gateway.wire.capture.conversation import Conversation
from gateway.wire.capture.frames import Segment, segment
from gateway.wire.capture.once import Once
from gateway.wire.mqtt.packets import Publish

_MAGIC = frozenset(
    {b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a"}
)  # fmt: skip
"""How files begin: pcap in µs and ns, in either order of bytes, and pcapng."""

_HEAD, _EACH = 24, 16
"""Bytes of a file and of each frame beside the frames themselves, about."""

_PACKET = 1 << 20
"""Bytes of the largest MQTT packet that is read."""

_CONNECTIONS = 4096
"""Connections followed at a time; the one that was silent for longest goes first."""


def lines_of(path: Path) -> "Lines | Capture":
    """What to read a recording with, by how it begins.

    Raises:
        Refusal: it cannot be read, or is a capture that is packed, or what reads those is not installed.
    """
    lines = Lines(path)
    with path.open("rb") as file:
        if file.read(4) in _MAGIC:
            return Capture(path, lines.size)
    with suppress(OSError, EOFError, zlib.error), gzip.open(path) as file:
        if file.read(4) in _MAGIC:
            raise Refusal(f"{path} is a capture that is packed: gunzip it first.", exit_code=2)
    return lines


class Capture:
    """The messages of a capture as lines, as often as they are asked for: time, topic, payload.

    Attributes:
        size: of the file, in bytes.
        position: how many of them were read, about.
        encrypted: connections of which nothing could be read, once all was.
    """

    def __init__(self, path: Path, size: int) -> None:
        """Look at a file.

        Raises:
            Refusal: what reads captures is not installed.
        """
        self._path = path
        self._open = _reader()
        self.size = size
        self.position = 0
        self.encrypted = 0

    def __iter__(self) -> Iterator[bytes]:
        """Every message once, when it was whole.

        Raises:
            Refusal: the file is no capture, or is damaged; or no message can be read in it.
        """
        once, found, number = Once(), 0, 0
        talks: dict[frozenset[tuple[bytes, int]], tuple[int, Conversation]] = {}
        over: list[tuple[int, Conversation]] = []
        self.encrypted = 0
        at: Instant = 0
        for at, part in self._segments():
            ends = frozenset((part.source, part.target))
            known = talks.pop(ends, None)
            if known is None or known[1].is_over(part):
                over += [] if known is None else [known]
                number += 1
                known = number, Conversation(part, _PACKET)
            talks[ends] = known  # behind all that were silent for longer
            if len(talks) > _CONNECTIONS:
                over.append(talks.pop(next(iter(talks))))
            for line in self._lines(once, at, known[0], known[1].take(part)):
                found += 1
                yield line
            while over:
                found += yield from self._last(once, at, *over.pop())
        for which, talk in talks.values():
            found += yield from self._last(once, at, which, talk)
        if not found:
            raise Refusal(self._nothing(), exit_code=2)

    def _last(
        self, once: Once, at: Instant, number: int, talk: Conversation
    ) -> Generator[bytes, None, int]:
        """What is left of a connection of which nothing more will come; how many messages."""
        self.encrypted += talk.encrypted
        lines = [*self._lines(once, at, number, talk.end())]
        yield from lines
        return len(lines)

    def _lines(
        self, once: Once, at: Instant, number: int, said: Iterable[tuple[bool, Publish]]
    ) -> Iterator[bytes]:
        for published, message in said:
            if once.first(message, number, at, published=published):
                yield _line(at, message)

    def _segments(self) -> Iterator[tuple[Instant, Segment]]:
        try:
            reader = self._open(str(self._path))
            link = reader.datalink()
            self.position = _HEAD
            while True:
                header, frame = reader.next()
                if header is None:
                    return
                self.position = min(self.position + _EACH + len(frame), self.size)
                seconds, micros = header.getts()
                part = segment(link, frame)
                if part is not None:
                    yield seconds * SECOND + micros, part
        except Exception as error:
            if type(error).__name__ != "PcapError":
                raise
            raise Refusal(
                f"{self._path} cannot be read as a capture ({error}). What stood before that place was "
                "read; capture once more, or repair it with editcap.",
                exit_code=2,
            ) from None

    def _nothing(self) -> str:
        if self.encrypted:
            return (
                f"{self._path} holds TLS: what passed by is encrypted and cannot be read. Record at the broker "
                "instead: mosquitto_sub -v, or a capture of its plain listener."
            )
        return (
            f"{self._path} holds no message of MQTT 3.1.1 or 5 over TCP. Captures of other protocols, such as "
            "the packet forwarder's UDP, are not read; capture the broker's port: tcpdump -w FILE port 1883."
        )


def _line(at: Instant, message: Publish) -> bytes:
    return b"%b %b %b" % (to_rfc3339(at).encode(), message.topic, message.payload)


def _reader() -> Callable[[str], Any]:
    try:
        from pcapy import open_offline
    except ImportError:
        raise Refusal(
            "Captures need a reader that is not installed: pip install 'sekisho[pcap]'", exit_code=2
        ) from None
    found: Callable[[str], Any] = open_offline
    return found
