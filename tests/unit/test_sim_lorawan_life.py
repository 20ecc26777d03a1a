"""How a simulated node lives with what its network told it: repetitions, rests, and where it listens."""

from collections.abc import Callable

import pytest

from gateway.wire.lorawan.commands import Cid, Command, link_adr_req
from simulators.lorawan.book import Book
from simulators.lorawan.field import Field
from simulators.lorawan.forwarder import Hearing, Order
from simulators.lorawan.life import Habits, Life
from simulators.lorawan.links import Links
from simulators.lorawan.meters import Meter
from simulators.streams import stream
from simulators.streets import Point
from tests.unit.test_sim_lorawan_node import FREQ_HZ, OLD, PLAN, Pair

NAME = "node-1"
DELAY_S = 0.1
"""To the first window; a network sets a second or more."""
Told = list[dict[str, object]]


class Roof:
    """A forwarder that answers some uplinks at once, in RX1, as a network would."""

    antennas = 1

    def __init__(self, pair: Pair, field: Field, answers: Callable[[int], bool]) -> None:
        self._pair, self._field, self._answers = pair, field, answers
        self._heard = 0

    def push(self, heard: Hearing) -> None:
        self._heard += 1
        if not self._answers(self._heard):
            return
        channel = PLAN.channel(heard.freq_hz)
        assert channel is not None
        uplink = self._pair.hears(heard.phy, channel)
        phy = self._pair.answers(uplink, ack=uplink.data.confirmed)
        at = heard.end_us + round(DELAY_S * 1e6)
        order = Order(phy, at, heard.freq_hz, heard.rate, 8.0, lambda _sent: None)
        self._field.take("roof", order, "")


class Place:
    """A node that has joined, a metre below a forwarder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], bool], confirmed: float = 0.0) -> None:  # fmt: skip
        self.told: Told = []
        monkeypatch.setattr(Book, "_note", lambda _book, line: self.told.append(dict(line)))
        monkeypatch.setattr("simulators.lorawan.life._AGAIN_S", (0.0, 0.1))
        self.pair = Pair(OLD)
        self.pair.node.tuning.rx_delay_s = DELAY_S
        self.book = Book(None)
        links = Links(7, {NAME: Point(0, 0), "roof": Point(0, 0)})
        field = Field(PLAN, links, self.book, stream(7, "fading"))
        field.place({"roof": Roof(self.pair, field, answers)})  # type: ignore[dict-item] # half of one is enough
        meter = Meter("river_gauge", stream(7, "meter"))
        habits = Habits(confirmed=confirmed)
        self.life = Life(*(NAME, "river_gauge", self.pair.node, meter, field, self.book, habits, lambda: 0, stream(7, "life")))  # fmt: skip

    def obeys(self, *asked: Command) -> None:
        self.pair.node.tuning.obey(asked, b"\xfe\x00")

    @property
    def frames(self) -> Told:
        return [line for line in self.told if "frame" in line]


async def test_an_unconfirmed_uplink_is_repeated_as_often_as_the_network_wants(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """NbTrans: the same counter each time, on the channels that are on."""
    place = Place(monkeypatch, lambda _number: False)
    place.obeys(link_adr_req(5, 0, 0b1, repeat=2))
    await place.life._report()
    assert [(frame["f_cnt"], frame["try"], frame["freq_hz"]) for frame in place.frames] == [(0, 1, FREQ_HZ), (0, 2, FREQ_HZ)]  # fmt: skip
    assert place.told[-1]["tries"] == 2
    assert place.book.uplinks == {"all": 1, "heard": 1}


async def test_any_answer_ends_the_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(monkeypatch, lambda _number: True)
    place.obeys(link_adr_req(5, 0, 0b1, repeat=3))
    await place.life._report()
    assert place.told[-1]["tries"] == 1
    assert place.told[-1]["acked"] is None


async def test_a_confirmed_uplink_is_sent_until_it_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The second one is answered; repetitions for unconfirmed ones do not matter."""
    place = Place(monkeypatch, lambda number: number == 2, confirmed=1.0)
    await place.life._report()
    assert (place.told[-1]["tries"], place.told[-1]["acked"]) == (2, "RX1")


async def test_a_node_rests_as_long_as_the_network_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """DutyCycleReq 5: a 32nd of the time; 57 ms, then 31 times as long, though its windows are over by then."""
    place = Place(monkeypatch, lambda _number: True)
    place.obeys(link_adr_req(5, 0, 0b1), Command(Cid.DUTY_CYCLE, b"\x05"))
    await place.life._report()
    await place.life._report()
    (first, second), air_us = place.frames, place.book.air_us // 2
    began = [frame["at"] for frame in (first, second)]
    assert isinstance(began[0], int)
    assert isinstance(began[1], int)
    assert began[1] - began[0] >= 32 * air_us
