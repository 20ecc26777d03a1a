"""Listen before talk in the simulated air: who hears whom, and what becomes of a frame that may not be sent."""

import asyncio
from math import isclose

import pytest

from gateway.lorawan.plan import DataRate, Plan
from gateway.lorawan.regions import PLANS
from simulators.lorawan.air import CARRIER_DBM, Air, Fate, Frame
from simulators.lorawan.book import CHANNEL_BUSY, Book
from simulators.lorawan.field import Field
from simulators.lorawan.forwarder import Hearing, Order
from simulators.lorawan.life import Habits, Life
from simulators.lorawan.links import Links, plain_loss_db
from simulators.lorawan.meters import Meter, members
from simulators.lorawan.node import Node
from simulators.streams import stream
from simulators.streets import Point

JAPAN, EUROPE = PLANS["AS923-1"], PLANS["EU868"]
FREQ_HZ = 923_200_000
SF7 = DataRate(7, 125_000)


def carrier(dbm: float, sender: str = "other") -> Frame:
    return Frame(0, 50_000, FREQ_HZ, SF7, lambda _: dbm, sender)


@pytest.mark.parametrize(
    ("frame", "freq_hz", "begin_us", "busy"),
    [
        (carrier(-80.0), FREQ_HZ, 20_000, True),
        (carrier(-80.1), FREQ_HZ, 20_000, False),
        (carrier(-60.0), FREQ_HZ + 200_000, 20_000, False),
        (carrier(-60.0), FREQ_HZ, 49_999, True),
        (carrier(-60.0), FREQ_HZ, 50_000, False),
        (carrier(-60.0, "me"), FREQ_HZ, 20_000, False),
    ],
    ids=["just heard", "just not", "another channel", "its last moment", "over", "its own"],
)
def test_a_carrier_is_heard_from_80_dbm_on(frame: Frame, freq_hz: int, begin_us: int, busy: bool) -> None:  # fmt: skip
    """ARIB STD-T108: -80 dBm, within the five milliseconds before."""
    for up in (True, False):
        air = Air(["me"])
        if up:
            air.begin(frame)
        else:
            air.send("other", frame)
        assert air.is_busy("me", freq_hz, begin_us, begin_us + 5_000) is busy


def test_only_neighbours_hear_each_other() -> None:
    """13 dBm less -80 dBm are 93 dB, 28 m over open ground; a forwarder understands SF7 from 3.3 km, with its 5 dB."""
    assert isclose(13 - plain_loss_db(28.3), CARRIER_DBM, abs_tol=0.1)
    assert isclose(13 + 5 - plain_loss_db(3307), -123.0, abs_tol=0.1)


def test_what_is_withdrawn_makes_nobody_deaf() -> None:
    air = Air(["roof"])
    down, up = carrier(-60.0, "roof"), carrier(-100.0, "node")
    air.send("roof", down)
    air.begin(up)
    assert air.fates(up) == {"roof": Fate.DEAF}
    air.withdraw("roof", down)
    assert air.fates(up) == {"roof": Fate.HEARD}


class Roof:
    """A forwarder that speaks to nobody."""

    antennas = 1

    def __init__(self) -> None:
        self.heard: list[Hearing] = []

    def push(self, heard: Hearing) -> None:
        self.heard.append(heard)


class Street:
    """Two nodes and a forwarder, a metre apart, in a region."""

    def __init__(self, plan: Plan) -> None:
        self.book = Book(None)
        self.plan = plan
        self.member = members(7, 0, 1)[0]
        self.name = self.member.device.device
        places = {name: Point(0, 0) for name in (self.name, "neighbour", "roof")}
        self.field = Field(plan, Links(7, places), self.book, stream(7, "fading"))
        self.field.place({"roof": Roof()})  # type: ignore[dict-item] # half of one is enough

    @property
    def freq_hz(self) -> int:
        return self.plan.channels[0].freq_hz

    async def neighbour_talks(self, size: int, freq_hz: int) -> None:
        who = {"device": "neighbour", "sort": "data", "f_cnt": 0, "try": 1}
        number = self.field.number()
        await self.field.send(number, bytes(size), freq_hz, SF7, 13.0, who, lambda: None)

    def life(self) -> Life:
        node = Node(self.member.identity, self.plan)
        meter = Meter(self.member.device.kind, stream(7, "meter"))
        return Life(*(self.name, self.member.device.kind, node, meter, self.field, self.book, Habits(), lambda: 0, stream(7, "life")))  # fmt: skip


async def test_a_node_waits_until_its_neighbour_is_silent_and_then_sends() -> None:
    """Both channels on which it may join are taken for a third of a second: it is sent behind, none is lost."""
    street = Street(JAPAN)
    talks = [
        asyncio.create_task(street.neighbour_talks(200, channel.freq_hz))
        for channel in JAPAN.channels
    ]
    await asyncio.sleep(0.01)
    join = asyncio.create_task(street.life()._join())
    await asyncio.gather(*talks)
    while not street.book.frames["join", "heard"]:
        await asyncio.sleep(0.05)
    join.cancel()
    assert street.book.frames["join", "collided"] == 0
    assert street.book.frames["data", "heard"] == len(talks)


async def test_a_frame_for_which_no_channel_becomes_free_is_given_up_with_the_clause(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    street = Street(JAPAN)
    monkeypatch.setattr("simulators.lorawan.radio.BACK_OFF_S", (0.0, 0.001))
    noted: list[dict[str, object]] = []
    monkeypatch.setattr(Book, "_note", lambda _book, line: noted.append(dict(line)))
    talks = [
        asyncio.create_task(street.neighbour_talks(200, channel.freq_hz))
        for channel in JAPAN.channels
    ]
    await asyncio.sleep(0.01)
    assert await street.life()._join() is False
    assert street.book.frames["join", CHANNEL_BUSY] == 1
    assert [line["clause"] for line in noted] == [JAPAN.rules[0].law]
    await asyncio.gather(*talks)


async def test_a_forwarder_that_hears_somebody_does_not_send_and_says_so_to_nobody() -> None:
    """A UDP forwarder has promised by then; the ledger says what was so, and it is not deaf for it."""
    street = Street(JAPAN)
    talk = asyncio.create_task(street.neighbour_talks(200, FREQ_HZ))
    await asyncio.sleep(0.01)
    sent: list[bool] = []
    order = Order(bytes(12), street.field.now_us() + 2_000, FREQ_HZ, SF7, 8.0, sent.append)
    assert street.field.take("roof", order, "") == ""
    await talk
    assert sent == [False]
    assert street.book.downlinks == {CHANNEL_BUSY: 1}
    assert street.book.frames["data", "heard"] == 1


async def test_where_nobody_need_listen_everybody_sends_at_once() -> None:
    street = Street(EUROPE)
    talk = asyncio.create_task(street.neighbour_talks(100, street.freq_hz))
    await asyncio.sleep(0.01)
    assert street.field.busy(street.name, street.freq_hz, SF7) == ""
    await talk
    assert JAPAN.rules[0].sense_us == 5_000
