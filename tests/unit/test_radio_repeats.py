"""A frame that comes once more: its device's repetition, or somebody's who captured it."""

import asyncio

import pytest

from gateway.lorawan.refusals import Refused
from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.model.uplink import Route
from tests.fakes.loop import in_virtual_time
from tests.fakes.radio_desk import STAGE, RadioDesk
from tests.fakes.readings import gauge

PORT = 4


@in_virtual_time
async def test_a_device_that_heard_no_answer_is_answered_again() -> None:
    """Eight tries within a minute; one row."""
    desk = RadioDesk()
    phy = desk.node.says(0, STAGE, confirmed=True, f_port=PORT)
    for _ in range(8):
        await desk.hears(phy)
        await asyncio.sleep(5)
    assert [data.ack for data in desk.said()] == [True] * 8
    assert desk.stored == 1


@in_virtual_time
async def test_the_last_frame_played_back_costs_neither_counters_nor_airtime_without_end() -> None:
    """A hundred times, every two seconds: as often as a device may repeat it, and then it is named. An hour later: not at all; and
    the device's next frame is believed."""
    desk = RadioDesk()
    phy = desk.node.says(0, STAGE, confirmed=True, f_port=PORT)
    await desk.hears(phy)
    for _ in range(100):
        await asyncio.sleep(1.6)
        await desk.hears(phy)
    assert (len(desk.left), desk.session.down) == (15, 15)
    assert desk.radio.refused == {Refused.REPLAYED: 86}
    await desk.hears(desk.node.says(1, STAGE, confirmed=True, f_port=PORT))
    await asyncio.sleep(3600)
    await desk.hears(desk.node.says(1, STAGE, confirmed=True, f_port=PORT))
    assert len(desk.left) == 16
    assert desk.radio.troubles.of[desk.name].why is Refused.REPLAYED
    await desk.hears(desk.node.says(2, STAGE, confirmed=True, f_port=PORT))
    assert (len(desk.left), desk.stored) == (17, 3)


@pytest.mark.parametrize(("sf", "answers"), [(7, 1), (12, 8)])
def test_a_slow_device_that_may_send_for_a_hundredth_of_the_time_is_waited_for(sf: int, answers: int) -> None:  # fmt: skip
    """At SF12 it repeats every two and a half minutes; nobody does at SF7."""

    @in_virtual_time
    async def story() -> None:
        desk = RadioDesk()
        phy = desk.node.says(0, STAGE, confirmed=True, f_port=PORT)
        for _ in range(8):
            await desk.hears(phy, sf)
            await asyncio.sleep(150)
        assert len(desk.left) == answers

    story()


@in_virtual_time
async def test_a_repetition_takes_nothing_along_that_an_application_has_to_say() -> None:
    """A captured frame would carry it away from its device, which does not listen then; the next new frame takes it."""
    desk = RadioDesk()
    phy = desk.node.says(0, STAGE, confirmed=True, f_port=PORT)
    await desk.hears(phy)
    desk.wants(b"open")
    await asyncio.sleep(3)
    await desk.hears(phy)
    await desk.hears(desk.node.says(1, STAGE, f_port=PORT))
    assert [data.f_port for data in desk.said()] == [None, None, 10]


@in_virtual_time
async def test_a_repetition_behind_a_kill_is_answered() -> None:
    """The counter is on disk, its answer never left: nobody knows any more when the frame came first."""
    desk = RadioDesk()
    desk.session.up = desk.session.kept = 7
    await desk.hears(desk.node.says(7, STAGE, confirmed=True, f_port=PORT))
    assert (len(desk.left), desk.stored) == (1, 0)


@in_virtual_time
async def test_what_a_counter_that_was_not_written_cost_its_repetition_brings() -> None:
    """The disk refuses: no answer, and it is counted. The device repeats its frame: that goes the whole way again, and is answered."""
    desk = RadioDesk()
    phy = desk.node.says(0, STAGE, confirmed=True, f_port=PORT)
    desk.notebook.works = False
    await desk.hears(phy)
    assert (desk.left, desk.facts.counts["lorawan: uplink not kept"]) == ([], 1)
    desk.notebook.works = True
    for _ in range(2):
        await asyncio.sleep(2)
        await desk.hears(phy)
    assert len(desk.left) == 2
    assert desk.stored == 2, "once more, behind what is stored: its identity is the same"


class BrokenOnce:
    """A worker of ours that fails once, and then makes nothing of anything."""

    def __init__(self) -> None:
        self.runs = 0

    async def run(self, script: str, uplink: Forwarded) -> Forwarded | Reason:
        self.runs += 1
        if self.runs == 1:
            raise RuntimeError(script)
        return uplink


@in_virtual_time
async def test_what_our_own_error_in_a_script_cost_its_repetition_brings() -> None:
    """Nothing of it was stored though its counter was taken: repeated, it is no repetition, and is stored."""
    desk = RadioDesk(BrokenOnce())
    desk.radio._routes[desk.name] = Route(gauge(), "river_gauge", lambda _said, _device: ({}, None, None), "vendor.js")  # fmt: skip
    phy = desk.node.says(0, STAGE, confirmed=True, f_port=PORT)
    await desk.hears(phy)
    assert (desk.stored, desk.left, desk.facts.counts["lorawan: uplink not kept"]) == (0, [], 1)
    await asyncio.sleep(2)
    await desk.hears(phy)
    assert (desk.stored, len(desk.left)) == (1, 1)


@in_virtual_time
async def test_what_failed_behind_a_newer_uplink_stays_where_it_is() -> None:
    """Its repetition is older than what was believed since: a captured one would be that, too."""
    desk = RadioDesk()
    phy = desk.node.says(0, STAGE, f_port=PORT)
    desk.notebook.works = False
    await desk.hears(phy)
    desk.notebook.works = True
    await desk.hears(desk.node.says(1, STAGE, f_port=PORT))
    await asyncio.sleep(2)
    await desk.hears(phy)
    assert (desk.session.up, desk.stored) == (1, 2)
    assert desk.radio.refused == {Refused.COUNTER_RESET: 1}
