"""Mutated MQTT streams against the framer and a whole connection; nothing may escape, memory stays flat.

    python -m tests.fuzz_mqtt --streams 10000000 [--seed 1]

Each stream begins as valid packets of MQTT 3.1.1 or 5, such as real clients send, and is then harmed: bits
flipped, packets cut, spliced, repeated, put out of order, lengths that lie; and it arrives in pieces.
"""

import argparse
import asyncio
import gc
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.model.uplink import Receiver as UplinkReceiver
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.connection import Connection
from gateway.transports.mqtt_listener.forwarding import Forwarding, ServerTopic
from gateway.transports.mqtt_listener.guestbook import Guestbook
from gateway.transports.mqtt_listener.limits import Limits
from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.codes import Type
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Violation
from tests.fakes.clock import ManualClock
from tests.fakes.mqtt_door import TOKEN, UP, digest, directory
from tests.fakes.receiver import Receiver
from tests.fakes.sessions import Desk

COMMAND = "sekisho/v1/river-1/command"
DEVICE = DeviceId("river-1")
_HOUR_US = 3_600_000_000
_PAGE = 4096


class Wire(asyncio.Transport):
    """A transport that counts the packets that it is given, by type."""

    def __init__(self, said: "Counter[int]") -> None:
        super().__init__()
        self._said = said
        self._closing = False

    def write(self, data: Any) -> None:
        self._said[data[0] >> 4] += 1

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        self._closing = True

    def close(self) -> None:
        self._closing = True

    def is_closing(self) -> bool:
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default


SERVERS = (
    ServerTopic("application/+/device/+/event/+", "chirpstack_v4"),
    ServerTopic("v3/#", "things_stack_v3"),
)


class Keeper:
    """A door for connections without sockets.

    Attributes:
        inside: connections that are not lost yet.
        waiting_bytes: what they wait for.
    """

    def __init__(self) -> None:
        self.worker = Receiver()
        self.receiver: UplinkReceiver = self.worker
        self.hands = ManualClock()
        self.clock: Clock = self.hands
        self.facts = Facts()
        self.limits = Limits(packet_bytes=4096, pending=8, topic_aliases=4)
        self.guestbook = Guestbook(directory(), digest)
        self.forwarding = Forwarding(SERVERS, directory(), self.facts, self.clock)
        self.scripts: Scripts | None = None
        self.anonymous = True
        self.crowded = False
        self.kept = Desk(self.clock)
        self.sessions, self.commands = self.kept.sessions, self.kept.commands
        self.inside: set[Connection] = set()
        self.waiting_bytes = 0

    def has_room(self) -> bool:
        return True

    def holds(self, credential: str, client_id: str) -> bool:
        return self.sessions.held(self.sessions.names.owner(credential), client_id)

    def arrived(self, connection: Connection) -> None:
        self.inside.add(connection)

    def left(self, connection: Connection) -> None:
        self.inside.remove(connection)

    def weigh(self, size: int) -> None:
        self.waiting_bytes += size


def _hello(version: int, **more: Any) -> bytes:
    client_id = more.pop("client_id", "c")
    return encode.connect(version, client_id, "meter", TOKEN, 60, **more)


def seeds(version: int) -> tuple[list[bytes], list[bytes]]:
    """Valid CONNECTs, and valid packets behind one."""
    is_5 = version == 5
    body = b'{"seq":1,"stage_m":1.5}'
    hellos = [_hello(version), _hello(version, clean=False), _hello(version, client_id="")]
    topics = (UP, UP + b"/bin", b"sekisho/v1/child-1/up", b"home/kitchen")
    packets = [
        encode.publish(version, topic, body, qos, n if qos else None, bool(qos and n % 2))
        for n, topic in enumerate(topics, start=1)
        for qos in (0, 1, 2)
    ]
    packets += [kind(version, n) for n in (1, 2, 3) for kind in (encode.pubrel, encode.puback)]
    packets += [
        encode.subscribe(version, 9, [COMMAND], 1),
        encode.subscribe(version, 9, [COMMAND, "#", "a/+"], 2),
        encode.subscribe(version, 9, [COMMAND], 0),
        encode.unsubscribe(version, 10, [COMMAND, "#"]),
        encode.PINGREQ,
        encode.disconnect(version),
        encode.pubrec(version, 1),
        encode.pubcomp(version, 1),
    ]
    if is_5:
        wanted = {
            fields.SESSION_EXPIRY: 60, fields.RECEIVE_MAXIMUM: 2, fields.MAXIMUM_PACKET_SIZE: 200,
            fields.USER_PROPERTY: [("a", "b")],
        }  # fmt: skip
        hellos += [_hello(5, clean=clean, properties=wanted) for clean in (False, True)]
        alias = {fields.TOPIC_ALIAS: 2, 0x01: 1, fields.MESSAGE_EXPIRY: 9, 0x03: "text/plain"}
        packets += [
            encode.publish(5, UP, body, 1, 7, properties=alias),
            encode.publish(5, b"", body, 2, 8, properties={fields.TOPIC_ALIAS: 2}),
            encode.publish(5, UP, body, 1, 11, properties={fields.USER_PROPERTY: [("k", "v")]}),
            encode.disconnect(5, properties={fields.SESSION_EXPIRY: 5}),
            b"\xf0\x00",
        ]
    return hellos, packets


_SEEDS = {version: seeds(version) for version in (4, 5)}


def stream(dice: Random) -> bytes:
    """One harmed stream."""
    version = 5 if dice.random() < 0.6 else 4
    hellos, packets = _SEEDS[version]
    story = [dice.choice(hellos), *dice.choices(packets, k=dice.randrange(1, 9))]
    for _ in range(dice.randrange(4)):
        _HARMS[dice.randrange(len(_HARMS))](dice, story)
    return b"".join(story)


def _any(dice: Random, story: list[bytes]) -> int:
    """A packet to harm; the CONNECT more seldom, since nothing is reached behind a broken one."""
    return dice.randrange(len(story)) if dice.random() < 0.2 else dice.randrange(len(story) // 2, len(story))  # fmt: skip


def _flip(dice: Random, story: list[bytes]) -> None:
    at = _any(dice, story)
    packet = bytearray(story[at])
    for _ in range(dice.randrange(1, 4)):
        if packet:
            packet[dice.randrange(len(packet))] ^= 1 << dice.randrange(8)
    story[at] = bytes(packet)


def _cut(dice: Random, story: list[bytes]) -> None:
    at = _any(dice, story)
    story[at] = story[at][: dice.randrange(len(story[at]) + 1)]


def _splice(dice: Random, story: list[bytes]) -> None:
    at, other = _any(dice, story), dice.choice(dice.choice(_SEEDS[dice.choice((4, 5))]))
    story[at] = (
        story[at][: dice.randrange(len(story[at]) + 1)] + other[dice.randrange(len(other)) :]
    )


def _lie(dice: Random, story: list[bytes]) -> None:
    at = _any(dice, story)
    packet = bytearray(story[at])
    if len(packet) > 1:
        packet[1] = dice.choice(
            (0, 1, packet[1] - 1 & 0xFF, packet[1] + 1 & 0xFF, 0x7F, 0x80, 0xFF)
        )
    story[at] = bytes(packet)


def _repeat(dice: Random, story: list[bytes]) -> None:
    story.insert(dice.randrange(1, len(story) + 1), story[dice.randrange(len(story))])


def _permute(dice: Random, story: list[bytes]) -> None:
    behind = story[1:]
    dice.shuffle(behind)
    story[1:] = behind


def _noise(dice: Random, story: list[bytes]) -> None:
    story.insert(dice.randrange(len(story) + 1), dice.randbytes(dice.randrange(1, 20)))


_HARMS = (_flip, _flip, _flip, _cut, _splice, _lie, _repeat, _permute, _noise)


def pieces(dice: Random, data: bytes) -> Iterator[bytes]:
    """The stream as TCP may deliver it."""
    start = 0
    for _ in range(dice.randrange(3)):
        end = dice.randrange(start, len(data) + 1)
        yield data[start:end]
        start = end
    yield data[start:]


class Fuzz:
    """Runs streams and looks after what they leave behind.

    Attributes:
        said: MQTT packet type → how often a connection wrote it first in a write.
        accepted: uplinks handed over.
    """

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self.keeper = Keeper()
        self.said: Counter[int] = Counter()
        self.accepted = 0
        self.violations = 0

    def run(self, streams: int) -> None:
        """Run so many; an exception says which bytes raised it."""
        for _ in range(streams):
            data = stream(self._dice)
            try:
                self._one(data)
            except Exception as error:
                error.add_note(f"the stream was {data.hex()}")
                raise

    def _one(self, data: bytes) -> None:
        dice, keeper = self._dice, self.keeper
        framer = Framer(4096, aliases=4)
        connection = Connection(keeper)
        connection.connection_made(Wire(self.said))
        packets = 0
        for piece in pieces(dice, data):
            found = framer.feed(piece)
            packets += len(found)
            self.violations += bool(found) and type(found[-1]) is Violation
            connection.data_received(piece)
            if dice.random() < 0.5:
                self._settle()
        if dice.random() < 0.02:
            keeper.commands.give(
                DEVICE,
                b"open",
                keeper.clock.now() + _HOUR_US,
                lambda _ok: None,
                lambda _outcome: None,
            )
            keeper.hands.advance(dice.choice((0.1, 100.0, 4000.0)))
        if dice.random() < 0.9:  # the others are taken over, or lost later
            for inside in list(keeper.inside):
                inside.connection_lost(None)
            self._settle()

    def _settle(self) -> None:
        worker = self.keeper.worker
        self.accepted += len(worker.payloads)
        refused = {0: Reason.UNDECODABLE} if self._dice.random() < 0.3 else {}
        worker.settle(*[refused for _ in worker.waiting])

    def finish(self) -> None:
        """Everybody leaves; nothing may be left of them."""
        for inside in list(self.keeper.inside):
            inside.connection_lost(None)
        self._settle()
        keeper = self.keeper
        keeper.hands.advance(8 * 86_400)
        keeper.sessions.forget_over(keeper.clock.now())
        keeper.commands.forget_over()
        keeper.kept.pen.written.clear()


def memory() -> tuple[int, int]:
    """Resident bytes of this process, and objects that the collector knows."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * _PAGE, len(gc.get_objects())


def reached(said: "Counter[int]") -> str:
    """How often each answer was given, in words."""
    return ", ".join(f"{Type(kind).name} {said[kind]:,}" for kind in sorted(said))


def main() -> None:
    """The long form, with its progress."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--streams", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # every broken stream is a fact
    fuzz = Fuzz(given.seed)
    began, done, warm = time.monotonic(), 0, (0, 0)
    while done < given.streams:
        some = min(20_000, given.streams - done)
        fuzz.run(some)
        fuzz.finish()
        done += some
        if not any(warm):
            warm = memory()
        share, seconds = done / given.streams, time.monotonic() - began
        bar = "█" * int(30 * share)
        print(f"\r{bar:<30} {done:>12,} of {given.streams:,}  {seconds:6.0f} s", end="", file=sys.stderr, flush=True)  # fmt: skip
    now = memory()
    print(file=sys.stderr)
    print(
        f"{given.streams:,} streams in {seconds:,.0f} s, none escaped: {fuzz.accepted:,} uplinks, "
        f"{fuzz.violations:,} violations; answers: {reached(fuzz.said)}"
    )
    print(
        f"memory since the first 20,000: {(now[0] - warm[0]) / 2**20:+.1f} MiB, {now[1] - warm[1]:+,} objects"
    )


if __name__ == "__main__":
    main()
