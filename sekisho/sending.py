"""A recording sent to any MQTT broker, document by document, as whoever wrote it might have sent it."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from gateway.model.errors import PayloadError, Refusal
from gateway.model.instant import Instant
from gateway.transports.replay.capture import Capture
from gateway.transports.replay.documents import Log, said_by
from gateway.transports.replay.file import Lines
from sekisho import destination
from sekisho.file_bar import FileBar
from sekisho.replay_follow import Follower
from simulators.outlets.mqtt import MqttOutlet

_PLACES, _KNOWN = re.compile(r"\{[^{}]*\}"), {"{dev_eui}", "{event}"}
_OFTEN = 256
"""Messages between two movements of the bar."""


class Message(NamedTuple):
    """One line of the recording, on its way."""

    topic: str
    payload: bytes
    harm: None = None


class Recorded:
    """The messages of a recording, in the order of its lines.

    Args:
        log: the format, where one is given: it knows time, device and event of a line.
        topic: what is published to; `{dev_eui}` and `{event}` are the document's. None for the line's own.

    Raises:
        Refusal: the topic has another word in braces.
    """

    def __init__(
        self, file: Path, lines: Lines | Capture, log: Log | None, topic: str | None
    ) -> None:
        self._file = file
        self._lines = lines
        self._read = said_by if log is None else log.read
        self._open = None if log is None else log.open
        self._topic = topic
        unknown = set(_PLACES.findall(topic or "")) - (set() if log is None else _KNOWN)
        if unknown:
            raise Refusal(
                f"--topic {topic}: {', '.join(sorted(unknown))} stands for nothing. With --format {{dev_eui}} and "
                "{event} are the document's.",
                exit_code=2,
            )

    def __iter__(self) -> Iterator[tuple[Instant | None, Message]]:
        """(when it came, where that is known; message).

        Raises:
            Refusal: a line has no topic, and none was given.
        """
        for number, line in enumerate(self._lines, start=1):
            if not line:
                continue
            written, own, document = self._read(line)
            at, dev_eui, event = self._about(own, document)
            if self._topic is not None:
                own = self._topic.replace("{dev_eui}", dev_eui).replace("{event}", event)
            if not own or "+" in own or "#" in own:
                raise Refusal(
                    f"{self._file}:{number} has no topic to publish it to. Say one: --topic rivers/up, or "
                    "--topic application/1/device/{dev_eui}/event/{event} with --format.",
                    exit_code=2,
                )
            yield at or written, Message(own, document)

    def _about(self, topic: str, document: bytes) -> tuple[Instant | None, str, str]:
        """When a document came, whose it is and what it tells of; nothing where it cannot be opened."""
        if self._open is None:
            return None, "", ""
        try:
            enclosed = self._open(topic, document)
        except PayloadError:
            return None, "", ""
        at = None if enclosed.uplink is None else enclosed.uplink.network_at
        return at, enclosed.dev_eui, _EVENTS.get(enclosed.event.value, enclosed.event.value)


_EVENTS = {"uplink": "up", "sent": "txack", "other": "integration"}
"""Our words for events → those of ChirpStack's topics, where they differ."""


class Login(NamedTuple):
    """As whom: see `sekisho.destination`."""

    user: str | None
    password_file: Path | None
    cafile: Path | None


def send(recorded: Recorded, lines: Lines | Capture, to: str, login: Login, speed: float | None, follower: Follower | None, bar: FileBar) -> int:  # fmt: skip
    """Send everything at QoS 1; returns when the broker has acknowledged all of it: how many it were.

    Args:
        speed: how many times faster than recorded; None for at once.
        follower: the gateway behind the broker, if its clock is to move along.

    Raises:
        Refusal: `to` is no broker's address, nobody is there, or it refuses; or see `Recorded`.
    """
    if not to.startswith(("mqtt://", "mqtts://")):
        raise Refusal(f"--to {to}: write mqtt://HOST:PORT or mqtts://HOST:PORT.", exit_code=2)
    user, password = destination.password_of(login.password_file, None, login.user)
    endpoint = destination.endpoint(to, user, password, login.cafile, 0)
    outlet = MqttOutlet(replace(endpoint, client_id="sekisho-replay"), Random(0))
    with bar:
        return asyncio.run(_send(recorded, lines, outlet, speed, follower, bar))


async def _send(
    recorded: Recorded,
    lines: Lines | Capture,
    outlet: MqttOutlet,
    speed: float | None,
    follower: Follower | None,
    bar: FileBar,
) -> int:
    last: Instant | None = None
    try:
        await outlet.open()
        for at, message in recorded:
            if at is not None:
                if speed is not None and last is not None and at > last:
                    bar.show(lines, last)
                    await asyncio.sleep((at - last) / 1e6 / speed)
                last = at if last is None else max(at, last)
                if follower is not None and follower.due(last):
                    await outlet.drain()
                    await asyncio.to_thread(follower.advance, last, outlet.sent)
            await outlet.send(message)
            if outlet.sent % _OFTEN == 0:
                bar.show(lines, last)
        await outlet.drain()
        if follower is not None:
            await asyncio.to_thread(follower.settle, outlet.sent)
    finally:
        await outlet.close()
    return outlet.acked
