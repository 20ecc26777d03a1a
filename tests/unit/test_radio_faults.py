"""Errors of ours on the way of a frame: each is counted, and takes nothing else with it."""

import asyncio

import pytest

from gateway.app.join_writer import JoinWriter
from gateway.lorawan.joining import Root
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.telemetry import Facts
from tests.fakes.loop import in_virtual_time
from tests.fakes.node import APP_KEY, DEV_EUI
from tests.fakes.radio_desk import STAGE, RadioDesk

PORT = 4
ROOT = Root(DeviceId("node-1"), DEV_EUI, None, APP_KEY, nonces={7}, join_nonce=3)


def breaks(*_given: object) -> None:
    raise KeyError("a fault of ours")


@in_virtual_time
async def test_a_fault_behind_the_row_ends_neither_the_store_nor_the_next_frame() -> None:
    """What settles a batch goes on; the device has no answer, and its repetition is taken as new."""
    desk = RadioDesk()
    phy = desk.node.says(0, STAGE, confirmed=True, f_port=PORT)
    works = desk.notebook.write
    desk.notebook.write = breaks  # type: ignore[method-assign, assignment]
    await desk.hears(phy)
    assert desk.facts.counts["lorawan: fault of ours"] == 1
    assert desk.facts.counts["lorawan: uplink not kept"] == 1
    desk.notebook.write = works  # type: ignore[method-assign]
    await asyncio.sleep(2)
    await desk.hears(phy)
    assert len(desk.left) == 1


@pytest.mark.parametrize("error", [Refusal("the disk is full"), ValueError("a fault of ours")])
async def test_a_join_that_is_not_written_is_told_whatever_the_cause(error: Exception) -> None:
    """Its answer does not leave, and the next join is written."""
    facts, told, written = Facts(), list[bool](), list[tuple[str, list[int], int]]()

    def write(device: str, nonces: list[int], join_nonce: int) -> None:
        if not told:
            raise error
        written.append((device, nonces, join_nonce))

    joins = JoinWriter(write, facts)
    for _ in range(2):
        joins.remember(ROOT, told.append)
        await joins.finish()
    assert told == [False, True]
    assert written == [("node-1", [7], 3)]
    assert facts.counts == {"lorawan: join not written": 1}


async def test_a_fault_behind_a_written_join_is_counted() -> None:
    facts = Facts()
    joins = JoinWriter(lambda _device, _nonces, _last: None, facts)
    joins.remember(ROOT, breaks)
    await joins.finish()
    assert facts.counts == {"lorawan: fault of ours": 1}
