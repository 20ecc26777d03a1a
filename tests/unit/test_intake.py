"""The intake: order per sender, turns between senders."""

import asyncio
import pickle

import pytest

from gateway.pipeline.intake import Intake
from tests.fakes.uplinks import Sender, uplink


def given(*sizes: list[int]) -> tuple[Intake, list[Sender]]:
    """An intake with one sender for each list, which has handed over chunks of these sizes."""
    intake = Intake()
    senders = [Sender() for _ in sizes]
    for sender, its in zip(senders, sizes, strict=True):
        for size in its:
            sender.hand(intake, [uplink("gauge", 0)] * size)
    return intake, senders


def taken(intake: Intake, limit: int) -> list[int]:
    """Sizes of the chunks that a take brings."""
    return [len(uplinks.items) for uplinks in intake.take(limit)]


def test_a_sender_s_chunks_come_in_order() -> None:
    intake, _ = given([1, 2, 3])
    assert taken(intake, 100) == [1, 2, 3]


def test_senders_like_each_other_bring_all_they_have() -> None:
    """Up to twice what half of them bring: a batch of many equals is a large one."""
    intake, _ = given([10, 10], [15], [10, 10, 10], [5, 5])
    assert taken(intake, 1000) == [10, 10, 15, 10, 10, 10, 5, 5]


def test_a_flood_brings_little_beside_others_and_all_when_it_is_alone() -> None:
    """One chunk, and at most twice what half of the senders bring; alone, more with every batch."""
    intake, _ = given([64] * 12, [1], [2])
    assert taken(intake, 1000) == [64, 1, 2]
    assert taken(intake, 1000) == [64] * 2
    assert taken(intake, 1000) == [64] * 4
    assert taken(intake, 1000) == [64] * 5


def test_a_take_ends_with_the_chunk_that_reaches_the_limit() -> None:
    """About `limit`: chunks are never cut."""
    intake, _ = given([5, 5, 5])
    assert taken(intake, 6) == [5, 5]
    assert taken(intake, 6) == [5]
    assert taken(intake, 6) == []


def test_a_flood_waits_behind_itself() -> None:
    """Who comes in beside a flood waits for the rest of one round, not for the flood."""
    intake, _ = given([256] * 1000)
    intake.take(2048)
    Sender().hand(intake, [uplink("gauge", 1)])

    assert taken(intake, 2048) == [256, 1]


def test_the_backlog_counts_uplinks() -> None:
    intake, _ = given([3, 4], [5])
    assert intake.backlog == 12
    intake.take(3)
    assert intake.backlog == 9
    intake.take(30)
    assert intake.backlog == 0


async def test_the_worker_wakes_for_an_uplink_and_for_the_end() -> None:
    intake, _ = given([])
    waiting = asyncio.create_task(intake.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    Sender().hand(intake, [uplink("gauge", 1)])
    await waiting

    intake.take(1)
    waiting = asyncio.create_task(intake.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    intake.close()
    await waiting


def test_what_waits_is_never_shown_or_written_down() -> None:
    """Raw uplinks hide their payload from print, and refuse to be pickled."""
    intake, _ = given([2])
    (uplinks,) = intake.take(2)

    assert repr(uplinks) == "<2 uplinks>"
    with pytest.raises(TypeError, match="never serialised"):
        pickle.dumps(uplinks)
