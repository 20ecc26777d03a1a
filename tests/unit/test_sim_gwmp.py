"""The simulated UDP forwarder as its datagrams say it, and what becomes of them when its backhaul goes away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import cast

from gateway.lorawan.plan import DataRate
from gateway.model.instant import DAY, Instant, parse_rfc3339
from gateway.wire.gwmp.datagrams import Push, push_ack, read
from gateway.wire.gwmp.rxpk import Heard
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.air_faults import AirFaults, clock
from simulators.lorawan.backhaul import Backhaul
from simulators.lorawan.book import Book
from simulators.lorawan.forwarder import Hearing, Signal, Site
from simulators.lorawan.gwmp_forwarder import GwmpForwarder
from tests.fakes.mqtt_door import until

NOW = parse_rfc3339("2026-05-12T07:30:00+09:00")
ROOF = Eui.of("aa555a0000000001")
NONE = AirFaults()
BOTH = (Signal(0, -80.0, 7.0), Signal(1, -83.0, 4.5))


class Server(asyncio.DatagramProtocol):
    """Takes what forwarders say; acknowledges it or not."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.acknowledges = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        said = read(data)
        if isinstance(said, Push):
            self.heard += said.heard
            if self.acknowledges:
                self.transport.sendto(push_ack(said), addr)


def _since(began_s: float) -> int:
    return round((asyncio.get_running_loop().time() - began_s) * 1e6)


class Roof:
    """A forwarder that speaks to a server of our own."""

    def __init__(self, server: Server, forwarder: GwmpForwarder, book: Book) -> None:
        self.server, self.forwarder, self.book = server, forwarder, book
        self._frames = 0

    def hear(self, signals: tuple[Signal, ...] = BOTH[:1]) -> None:
        self._frames += 1
        self.forwarder.push(
            Hearing(self._frames, bytes(12), 0, 923_200_000, DataRate(7, 125_000), signals)
        )

    async def told(self, frames: int = 1) -> Heard:
        await until(lambda: len(self.server.heard) >= frames)
        return self.server.heard[-1]


@asynccontextmanager
async def roof(antennas: int = 1, faults: AirFaults = NONE, lasts_s: float = 0.2) -> AsyncIterator[Roof]:  # fmt: skip
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")

    now_us = partial(_since, loop.time())
    utc: Callable[[], Instant | None] = clock(lambda: NOW, faults, Random(1))
    book = Book(None)
    backhaul = Backhaul(Random(3), faults.outage, lasts_s)
    site = Site(now_us, utc, lambda *_: "", backhaul, book, antennas, Random(2))
    forwarder = GwmpForwarder(ROOF, (host, port), site)
    await forwarder.open()
    try:
        yield Roof(server, forwarder, book)
    finally:
        await forwarder.close()
        transport.close()


async def test_each_antenna_tells_how_it_heard_a_frame() -> None:
    async with roof(antennas=2) as one:
        one.hear(BOTH)
        heard = await one.told()
    assert [(at.number, at.rssi_dbm, at.snr_db) for at in heard.antennas] == [
        (0, -80.0, 7.0),
        (1, -83.0, 4.5),
    ]


async def test_one_that_only_its_second_antenna_heard_says_which() -> None:
    async with roof(antennas=2) as one:
        one.hear(BOTH[1:])
        heard = await one.told()
    assert [at.number for at in heard.antennas] == [1]


async def test_a_clock_is_right_or_two_years_behind_or_not_there() -> None:
    found = []
    for faults in (AirFaults(), AirFaults(wrong_clock=1.0), AirFaults(no_clock=1.0)):
        async with roof(faults=faults) as one:
            one.hear()
            time = (await one.told()).time
            found.append(time and parse_rfc3339(time))
    assert found == [NOW, NOW - 730 * DAY, ""]


async def test_an_outage_delays_half_of_what_is_heard_and_loses_half_by_name() -> None:
    """Nothing passes while it lasts; each frame of it stands in the book, once, as late or lost."""
    async with roof(faults=AirFaults(outage=1.0), lasts_s=1.0) as one:
        one.hear()
        backhaul = one.forwarder._site.backhaul
        assert backhaul.is_out
        for _ in range(40):
            one.hear()
        lost = one.book.backhaul["lost in the backhaul"]
        assert not one.server.heard
        await backhaul.passable()
        await one.told(41 - lost)
        assert one.book.backhaul == {"late": 41 - lost, "lost in the backhaul": lost}
        assert 0 < lost < 41


async def test_what_is_held_at_the_end_is_lost() -> None:
    async with roof(faults=AirFaults(outage=1.0), lasts_s=1000.0) as one:
        for _ in range(20):
            one.hear()
    assert one.book.backhaul == {"lost in the backhaul": 20}


async def test_what_nobody_acknowledged_is_named_once_the_gateway_is_back() -> None:
    async with roof() as one:
        one.server.acknowledges = False
        one.hear()
        await one.told()
        await asyncio.sleep(1.1)
        one.server.acknowledges = True
        one.hear()
        await until(lambda: one.book.backhaul["not acknowledged"] == 1)
        assert one.forwarder.counts.acked >= 1
