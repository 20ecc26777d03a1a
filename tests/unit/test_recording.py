"""What the gateway says to whoever records: who may, what is refused, and how much waits for whoever lags."""

import asyncio
import json
from typing import Any

import pytest

from gateway.control.recording import Recording, Recordings
from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE
from gateway.model.uplink import Uplinks
from gateway.pipeline.process import Process
from gateway.wire import cassette
from tests.fakes.clock import ManualClock
from tests.fakes.readings import NOON, child, gauge, mask, policy
from tests.fakes.uplinks import route, uplink

DEVICES = {device.device: device for device in (gauge(), child())}
RIVER, CHILD = gauge().device, child().device


class Here:
    """A gateway with one gauge and one child's tracker.

    Args:
        people: whether it may record rows about people.
    """

    def __init__(self, people: bool = True) -> None:
        self.process = Process(mask(policy()), policy().zone)
        self._recordings = Recordings(self.process, ManualClock(NOON), lambda: DEVICES, people)

    def open(self, **question: Any) -> Recording:
        return self._recordings.open(question)

    def hear(self, *items: Any) -> None:
        """What arrives now."""
        self.process.decide([Uplinks("own", NOON + MINUTE, items, lambda _refused: None)])


def lines_of(said: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


async def test_the_first_answer_says_that_the_recording_runs() -> None:
    """Whoever asks opens no file before it; what waits is handed out in one go, in order, and then the last line."""
    here = Here()
    recording = here.open()
    here.hear(*(uplink("gauge", n) for n in range(3)))
    first, thing, *sent = lines_of(await recording.next())
    assert first == {"cassette": cassette.VERSION}
    assert thing["is"] == "device"
    assert [line["seq"] for line in sent] == [0, 1, 2]
    assert lines_of(recording.end()) == [{"is": "end", "lines": 3}]


def test_one_records_at_a_time() -> None:
    """The second is refused and the first goes on; when it has ended, the next may."""
    here = Here()
    first = here.open()
    with pytest.raises(Refusal, match="Another recording runs"):
        here.open()
    assert here.process.tape is not None
    first.end()
    assert here.process.tape is None
    here.open()


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"kinds": ["submarine"]}, "knows no kind submarine"),
        ({"kinds": "river_gauge"}, "A list of names"),
        ({"devices": [7]}, "A list of names"),
        ({"devices": ["river-77"]}, "No device river-77 is registered here"),
        ({"kinds": ["river_gauge"], "devices": [CHILD]}, "none of these devices is of these kinds"),
    ],
)
def test_a_question_for_what_is_not_here_is_refused(question: dict[str, Any], why: str) -> None:
    """And leaves the place free for a better one."""
    here = Here()
    with pytest.raises(Refusal, match=why):
        here.open(**question)
    assert here.process.tape is None


@pytest.mark.parametrize(
    "question",
    [
        {"kinds": ["child_tracker"]},
        {"devices": [CHILD]},
        {"kinds": ["river_gauge", "child_tracker"], "devices": [CHILD]},
        {"kinds": ["child_tracker"], "devices": [CHILD, RIVER]},
    ],
)
def test_people_alone_are_refused_where_none_is_recorded(question: dict[str, Any]) -> None:
    """An empty cassette would look like a gateway at which nothing arrives; the refusal names what else there is."""
    with pytest.raises(Refusal, match=r"child_tracker.* record there"):
        Here(people=False).open(**question)
    assert Here().open(**question)


@pytest.mark.parametrize("question", [{}, {"devices": [CHILD, RIVER]}, {"kinds": ["river_gauge"]}])
def test_the_city_s_part_is_recorded_where_people_are_not(question: dict[str, Any]) -> None:
    assert Here(people=False).open(**question)


async def test_what_waits_for_a_recorder_is_bounded_in_bytes() -> None:
    """However long the lines are: 8 MiB wait at most, what is more is left out and counted; what is there comes in parts,
    in order, and makes room again."""
    here = Here()
    recording = here.open(refused=True)
    for n in range(400):
        here.hear((route(gauge(), binary=True), b"%06d" % n + bytes(24_000)))
    came = await recording.next()
    here.hear((route(gauge(), binary=True), b"%06d" % 999_999 + bytes(24_000)))
    rest = recording.end()
    longest = 50_000
    assert 1 << 18 <= len(came) < (1 << 18) + longest
    assert (8 << 20) - longest < len(came + rest) - longest < 8 << 20
    _first, _thing, *refused, end = lines_of(came + rest)
    assert end["left_out"] == {"not written in time": 401 - len(refused)}
    numbers = [int(bytes.fromhex(line["payload"][:12])) for line in refused]
    assert numbers == [*range(len(refused) - 1), 999_999]


async def test_nothing_comes_before_there_is_something() -> None:
    """Whoever waits is woken by the next uplink."""
    here = Here()
    recording = here.open()
    await recording.next()
    waiting = asyncio.ensure_future(recording.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    here.hear(uplink("gauge", 1))
    assert len(lines_of(await waiting)) == 2
