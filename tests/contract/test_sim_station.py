"""The simulated Basics Station at the gateway's own door: what it hears, what it sends, what it does when the line breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from gateway.app.encryption import server_context
from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import RX1, RX2, Downlink
from gateway.telemetry import Facts
from gateway.wire.lorawan.identifiers import Eui
from sekisho import air_door, certificate
from simulators.lorawan.backhaul import Backhaul
from simulators.lorawan.book import Book
from simulators.lorawan.forwarder import Hearing, Order, Signal, Site
from simulators.lorawan.station_forwarder import StationForwarder
from simulators.lorawan.station_line import Home
from simulators.lorawan.station_words import apart, setup
from tests.e2e.authority import Authority
from tests.fakes.mqtt_door import until
from tests.fakes.station_door import DATA, ROOF, House, house

FAST, SLOW = DataRate(7, 125_000), DataRate(10, 125_000)
JOIN_HZ, ADDED_HZ = 923_200_000, 922_600_000


class Roof:
    """A simulated station, and what it was asked to send."""

    def __init__(self, place: House, home: Home | None = None) -> None:
        self.place = place
        self.book = Book(None)
        self.orders: list[tuple[Order, str]] = []
        self.refuses: Callable[[Order], str] = lambda _: ""
        began = asyncio.get_running_loop().time()
        self.now_us: Callable[[], int] = lambda: round(
            (asyncio.get_running_loop().time() - began) * 1e6
        )
        backhaul = Backhaul(Random(1))
        site = Site(self.now_us, lambda: 1_800_000_000_000_000, self._take, backhaul, self.book, 1, Random(2))  # fmt: skip
        self.station = StationForwarder(ROOF, home or Home(place.base, None, {}), site)

    def _take(self, name: str, order: Order, fault: str) -> str:
        assert name == str(ROOF)
        fault = fault or self.refuses(order)
        self.orders.append((order, fault))
        if not fault:
            order.told(True)
        return fault

    def hear(self, freq_hz: int = JOIN_HZ, rate: DataRate = FAST) -> int:
        """It hears a frame; when that had ended."""
        now = self.now_us()
        self.station.push(Hearing(1, DATA, now, freq_hz, rate, (Signal(0, -80.4, 7.13),)))
        return now

    async def asked(self, number: int, rx1_rate: DataRate = FAST) -> None:
        """The gateway answers the last frame that it was told of."""
        reception = self.place.receptions[-1]
        down = Downlink(
            *(number, Eui.of("0004a30b001a2b3c"), b"\x60\x01\x02", JOIN_HZ, rx1_rate),
            *(JOIN_HZ, SLOW, 1.0, 13.0),
        )
        assert reception.way.send(down) is None
        orders = len(self.orders)
        await until(lambda: len(self.orders) > orders)


@asynccontextmanager
async def roof() -> AsyncIterator[Roof]:
    async with house() as place:
        made = Roof(place)
        await made.station.open()
        try:
            yield made
        finally:
            await made.station.close()


async def test_it_proves_itself_by_a_client_certificate(tmp_path: Path) -> None:
    """As `sekisho simulate --client` hands it over: certificate and key in one file."""
    authority = Authority(tmp_path, "clients")
    made = certificate.issue(tmp_path, ["localhost"], datetime.now(UTC))
    tls = server_context("d", made.certificate, made.key, Facts(), client_ca=authority.file, clients_required=True)  # fmt: skip
    client = tmp_path / "roof.pem"
    client.write_bytes(b"".join(file.read_bytes() for file in authority.issue("roof")))
    async with house(Forwarder(ROOF, credential="roof"), tls=tls) as place:
        login = air_door.login(None, None, made.ca, client, None)
        home = air_door.find(place.base, None, None, login)
        assert isinstance(home, Home)
        one = Roof(place, home)
        await one.station.open()
        one.hear()
        await place.heard()
        await one.station.close()


async def test_one_that_is_not_let_in_knows_why_and_keeps_trying() -> None:
    """By the list, by its token; and once it is believed it is there."""
    async with house(Forwarder(ROOF, credential="roof")) as place:
        nameless, wrong = Home(place.base, None, {}), Home(place.base, None, {"Authorization": "x"})
        for home, says in ((nameless, "no forwarder of this gateway"), (wrong, "401")):
            one = Roof(place, home)
            opening = asyncio.create_task(one.station.open())
            await until(lambda one=one: bool(one.station.fault))  # type: ignore[misc]
            assert says in one.station.fault
            assert not one.station.is_configured
            opening.cancel()
            await one.station.close()


async def test_a_frame_arrives_as_it_was_heard() -> None:
    """Byte for byte, with frequency, data rate, and RSSI and SNR as a station rounds them."""
    async with roof() as one:
        one.hear(ADDED_HZ, SLOW)
        heard = await one.place.heard()
    assert (heard.phy, heard.freq_hz, heard.rate) == (DATA, ADDED_HZ, SLOW)
    assert heard.worth == (7.25, -80.0)


@pytest.mark.parametrize("freq_hz", [921_400_000, 868_100_000])
async def test_it_hears_only_where_it_was_told_to(freq_hz: int) -> None:
    async with roof() as one:
        one.hear(freq_hz)
        one.hear()
        await one.place.heard()
        assert len(one.place.receptions) == 1
        assert one.book.backhaul == {"not listened to": 1}


async def test_an_answer_is_sent_in_rx1_to_the_microsecond_and_told_of() -> None:
    async with roof() as one:
        ended = one.hear()
        await one.place.heard()
        await one.asked(41)
        await until(lambda: bool(one.place.told))
    ((order, fault),) = one.orders
    assert (order.begin_us, order.freq_hz, order.rate, fault) == (
        ended + 1_000_000,
        JOIN_HZ,
        FAST,
        "",
    )
    assert one.place.told == [(41, None)]


async def test_what_rx1_cannot_take_goes_to_rx2() -> None:
    async with roof() as one:
        one.refuses = lambda order: "COLLISION_PACKET" if order.rate == FAST else ""
        ended = one.hear()
        await one.place.heard()
        await one.asked(41)
        await until(lambda: bool(one.place.told))
    assert [(order.begin_us, fault) for order, fault in one.orders] == [
        (ended + RX1 * 1_000_000, "COLLISION_PACKET"),
        (ended + RX2 * 1_000_000, ""),
    ]


async def test_of_what_it_does_not_send_it_says_nothing() -> None:
    """A tenth of each channel: the second answer within ten times the airtime finds no window."""
    async with roof() as one:
        one.hear()
        await one.place.heard()
        await one.asked(41)
        await until(lambda: bool(one.place.told))
        await one.asked(42, rx1_rate=FAST)
        assert [fault for _, fault in one.orders] == ["", "channel rests", ""]
        await one.asked(43)
        assert [fault for _, fault in one.orders][3:] == ["channel rests", "channel rests"]
        await until(lambda: len(one.place.told) == 2)
        assert one.station.counts.refused == 1


async def test_it_comes_back_and_what_it_hears_meanwhile_is_lost_by_name() -> None:
    async with roof() as one:
        one.hear()
        await one.place.heard()
        for line in list(one.place.door._lines.values()):
            line.drop()
        await until(lambda: bool(one.book.backhaul["no line"]) or not one.hear())
        heard = len(one.place.receptions)
        await one.place.counted("forwarder: configured", 2)
        await until(lambda: len(one.place.receptions) > heard or not one.hear())


def test_it_sends_with_no_more_than_its_region_allows_it() -> None:
    """A station in Japan keeps to 13 dBm whatever it is told, and uplinks have no data rate that is for downlinks alone."""
    said = {
        "region": "AS923-1",
        "DRs": [[12, 125, 0], [10, 125, 0], [10, 125, 1]] + [[-1, 0, 0]] * 13,
        "upchannels": [[JOIN_HZ, 0, 1]],
        "max_eirp": 16.0,
    }
    made = setup(said)
    assert made.power_dbm == 13.0
    assert made.hears(JOIN_HZ, 10, 125) == 1
    assert made.hears(JOIN_HZ, 7, 125) is None
    assert made.down[2] == (10, 125)


def test_a_frame_without_a_port_says_so() -> None:
    assert apart(DATA[:8] + DATA[-4:])["FPort"] == -1
