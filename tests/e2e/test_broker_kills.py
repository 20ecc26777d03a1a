"""A broker and a gateway that are both killed again and again, and what each of them may lose."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import pytest

from gateway.model.instant import HOUR, parse_rfc3339
from sekisho.window import ask
from tests.e2e.brokers import Mosquitto, subscribe_to
from tests.e2e.crowd import Uplink, crowd, uplinks
from tests.e2e.judgement import judge
from tests.e2e.processes import Gateway
from tests.e2e.sender import Sender
from tests.e2e.town import Town
from tests.e2e.tunnel import Passed, Tunnel

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.needs("mosquitto")]

CLOCK = "2026-05-12T12:00:00+09:00"
UPLINKS = 50_000
_PUBLISHERS, _WINDOW = 4, 20
_STEP = 4000
"""Uplinks between one disaster and the next."""


class Through:
    """What a broker passed on to the gateway, as a history that can be judged."""

    def __init__(self, passed: Iterable[Passed], known: Iterable[Uplink]) -> None:
        by_message = {(uplink.topic, uplink.payload): uplink for uplink in known}
        numbers: dict[tuple[bytes, bytes], int] = {}
        self.handed: list[Uplink] = []
        self._runs: list[tuple[int, list[tuple[int, bool]]]] = []
        for connection in passed:
            run = []
            for position, message in enumerate(connection.messages):
                if message not in numbers:
                    numbers[message] = len(self.handed)
                    self.handed.append(by_message[message])
                run.append((numbers[message], position in connection.acked))
            self._runs.append((connection.life, run))
        acknowledged = {n for _, run in self._runs for n, acked in run if acked}
        self.acked = len(acknowledged)
        self.acknowledged = {self.handed[n] for n in acknowledged}

    def runs(self) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
        return iter(self._runs)


async def reached(what: str, true: Callable[[], bool]) -> None:
    """Wait for something that these processes come to by themselves."""
    try:
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"waited in vain for {what}")


def connected(gateway: Gateway) -> int:
    """How often all its lives have been connected to the broker."""
    return gateway.said().count("Connected to broker")


def again(gateway: Gateway, before: int) -> bool:
    """Whether it is connected once more."""
    return connected(gateway) > before


class Scene:
    """Publishers, a broker, a tunnel and a gateway, and who has what."""

    def __init__(self, senders: list[Sender], tunnel: Tunnel) -> None:
        self.senders = senders
        self.tunnel = tunnel

    def published(self) -> int:
        return sum(sender.acked for sender in self.senders)

    def handed(self) -> int:
        return sum(len(sender.handed) for sender in self.senders)

    def handed_since(self, numbers: list[int]) -> bool:
        """Whether each publisher has handed over more than it had then."""
        return all(len(s.handed) > n for s, n in zip(self.senders, numbers, strict=True))

    def acknowledged(self) -> int:
        return sum(len(connection.acked) for connection in self.tunnel.passed)

    def taken(self) -> set[tuple[bytes, bytes]]:
        """What the gateway has acknowledged so far."""
        return {
            connection.messages[position]
            for connection in self.tunnel.passed
            for position in connection.acked
        }

    async def some(self) -> None:
        """Publishing and acknowledging both go on for a while."""
        published, acknowledged = self.published() + _STEP, self.acknowledged() + _STEP
        await reached("publishers", lambda: self.published() >= published)
        await reached("acknowledgements", lambda: self.acknowledged() >= acknowledged)

    async def has(self, wanted: list[Uplink]) -> None:
        """The gateway has acknowledged all of these."""
        keys = {(uplink.topic, uplink.payload) for uplink in wanted}
        await reached("the gateway to catch up", lambda: keys <= self.taken())


async def test_a_broker_loses_only_what_it_kept_in_memory_and_the_gateway_nothing(
    tmp_path: Path,
) -> None:
    """During 50,000 uplinks at QoS 1 the gateway is killed twice and Mosquitto twice, in turns, every time under
    load. Kills of the gateway alone lose nothing. What it acknowledged and the oracle says must be stored is
    stored, once; nothing else is. What is missing of all that Mosquitto acknowledged to its publishers was never
    acknowledged by us: it went with Mosquitto's memory, and the log names that. What comes after the last kill
    arrives whole."""
    members = crowd(children=48, gauges=56, readers=4)
    town, now = Town(tmp_path / "town"), parse_rfc3339(CLOCK)
    town.enrol(members)
    settings = ("max_queued_messages 0", "max_inflight_messages 1000", "persistence false")
    broker = Mosquitto(tmp_path / "broker", *settings)
    senders = [
        Sender(f"publisher-{n}", ("us", ""), uplinks(members[n::_PUBLISHERS], now - 2 * HOUR), _WINDOW)
        for n in range(_PUBLISHERS)
    ]  # fmt: skip
    with broker:
        async with Tunnel(broker.port) as tunnel:
            own = "[{topic: sekisho/v1/#, format: sekisho}]"
            accepted = "raw_on_broker_accepted: nobody here is real"
            subscribe_to(town, tunnel.port, accepted, subscriptions=own)
            gateway = Gateway(town, "--clock", f"sim://{CLOCK}")
            scene = Scene(senders, tunnel)
            with gateway:
                await reached("the first connection", lambda: connected(gateway) == 1)
                async with asyncio.TaskGroup() as group:
                    for sender in senders:
                        group.create_task(sender.run(broker.port, 200))
                    for _ in range(2):
                        await scene.some()
                        gateway.kill()
                        tunnel.life += 1
                        before = list(chain(*(s.handed[: s.acked] for s in senders)))
                        await asyncio.to_thread(gateway.start)
                        if tunnel.life == 1:
                            await scene.has(before)
                        await scene.some()
                        made = connected(gateway)
                        broker.kill()
                        await asyncio.to_thread(broker.start)
                        await reached("a new connection", partial(again, gateway, made))
                        await scene.some()
                    since = [len(sender.handed) for sender in senders]
                    await reached(
                        "all", lambda: scene.handed_since(since) and scene.handed() >= UPLINKS
                    )
                    for sender in senders:
                        sender.finish()
                await scene.has(
                    [u for s, n in zip(senders, since, strict=True) for u in s.handed[n:]]
                )
                said = await asyncio.to_thread(lambda: next(ask(town.state, "terms", 10.0)))
                assert await asyncio.to_thread(gateway.stop) == 0

    heard = Through(tunnel.passed, chain(*(sender.handed for sender in senders)))
    published = set(chain(*(sender.handed[: sender.acked] for sender in senders)))
    found = judge([heard], members, town.state, now)
    lost = published - heard.acknowledged
    passed = lost & set(heard.handed)
    print(
        f"{len(published):,} published; lost in the broker's memory {len(lost):,}, {len(passed):,} of them on "
        f"their way to us; {found}"
    )
    assert said["in_flight"] == 0
    assert len(published) >= UPLINKS
    assert found.missing == found.surplus == found.twice == 0
    assert found.rows > UPLINKS / 20
    assert found.suppressed > UPLINKS / 40
    assert heard.acknowledged <= published
    assert gateway.said().count("it has lost the session") >= 2
