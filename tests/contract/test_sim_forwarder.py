"""The simulated UDP forwarder before a gateway's socket: what it tells of, and what becomes of downlinks on their way."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Self

from gateway.clock import SystemClock
from gateway.lorawan.plan import DataRate
from gateway.wire.gwmp.datagrams import Push, read
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.backhaul import LOST, Backhaul
from simulators.lorawan.book import Book
from simulators.lorawan.forwarder import Hearing, Order, Signal, Site
from simulators.lorawan.gwmp_forwarder import GwmpForwarder
from tests.fakes.mqtt_door import until

ROOF = Eui.of("58a0cbfffe800019")
SLOW_SEED = next(seed for seed in range(1000) if Backhaul(Random(seed)).back_delay_s() > 0.2)
"""Of a way back that takes more than 0.2 s at first."""


class Network(asyncio.DatagramProtocol):
    """The other end: acknowledges nothing, remembers everything."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.pulls: tuple[Any, ...] | None = None
        self.line: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.line = transport  # type: ignore[assignment] # as the loop makes it

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.said.append(data)
        if data[3] == 2:
            self.pulls = addr

    def ask(self, tmst: int) -> None:
        """PULL_RESP."""
        txpk = {"tmst": tmst % (1 << 32), "freq": 923.2, "datr": "SF7BW125", "powe": 13}
        txpk["data"] = b64encode(b"\x60\x01\x02").decode()
        self.line.sendto(b"\x02\x00\x07\x03" + json.dumps({"txpk": txpk}).encode(), self.pulls)

    def answers(self) -> list[bytes]:
        """Bodies of TX_ACK."""
        return [one[12:] for one in self.said if one[3] == 5]


class Roof:
    """A forwarder at a socket, and what it was asked to send."""

    def __init__(self, seed: int) -> None:
        self.network = Network()
        self.backhaul = Backhaul(Random(seed))
        self.orders: list[tuple[Order, str]] = []
        began = asyncio.get_running_loop().time()
        self.now_us: Callable[[], int] = lambda: round(
            (asyncio.get_running_loop().time() - began) * 1e6
        )

    async def open(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self.network, local_addr=("127.0.0.1", 0))
        site = Site(self.now_us, SystemClock().now, self._take, self.backhaul, Book(None), 1, Random(2))  # fmt: skip
        self.forwarder = GwmpForwarder(ROOF, self.network.line.get_extra_info("sockname"), site)
        await self.forwarder.open()
        await until(lambda: self.network.pulls is not None)
        return self

    def _take(self, name: str, order: Order, fault: str) -> str:
        assert name == str(ROOF)
        self.orders.append((order, fault))
        return fault

    async def tmst_of(self, hearing: Hearing) -> int:
        """Its counter at the end of a frame that it tells of."""
        self.forwarder.push(hearing)
        await until(lambda: bool(self.heard()))
        tmst: int = self.heard()[-1].tmst
        return tmst

    def heard(self) -> list[Any]:
        """Frames that the network was told of."""
        said = [read(one) for one in self.network.said if one[3] == 0]
        return [frame for one in said if isinstance(one, Push) for frame in one.heard]


@asynccontextmanager
async def roof(seed: int = 1) -> AsyncIterator[Roof]:
    one = await Roof(seed).open()
    try:
        yield one
    finally:
        await one.forwarder.close()
        one.network.line.close()


def hearing(now_us: int, *, whole: bool = True) -> Hearing:
    signals = (Signal(0, -80.0, 7.0),)
    return Hearing(1, b"\x40" + bytes(12), now_us, 923_200_000, DataRate(7, 125_000), signals, whole)  # fmt: skip


async def test_what_collided_is_told_of_with_a_wrong_crc() -> None:
    async with roof() as one:
        for whole in (True, False):
            one.forwarder.push(hearing(one.now_us(), whole=whole))
        await until(lambda: len(one.heard()) == 2)
        assert sorted(frame.crc for frame in one.heard()) == ["bad", "ok"]


async def test_a_downlink_takes_its_time_through_the_backhaul() -> None:
    """What would be early enough where it sets out is too late where it arrives."""
    async with roof(SLOW_SEED) as one:
        tmst = await one.tmst_of(hearing(0))
        one.backhaul._dice.seed(SLOW_SEED)
        one.network.ask(tmst + one.now_us() + 150_000)
        await until(lambda: bool(one.network.answers()))
        ((_, fault),) = one.orders
    assert fault == "TOO_LATE"
    assert json.loads(one.network.answers()[0]) == {"txpk_ack": {"error": "TOO_LATE"}}


async def test_a_downlink_that_comes_during_an_outage_is_lost_by_name() -> None:
    """Nobody is told, as nobody knows."""
    async with roof() as one:
        tmst = await one.tmst_of(hearing(0))
        one.backhaul._break(60.0)
        one.network.ask(tmst + one.now_us() + 5_000_000)
        await until(lambda: bool(one.orders))
    assert [fault for _, fault in one.orders] == [LOST]
    assert one.network.answers() == []
