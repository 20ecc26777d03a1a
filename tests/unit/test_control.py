"""The window: what the gateway's owner may see through its socket, and nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest

from gateway.control.feed import LiveFeed, described
from gateway.control.ledger import terms
from gateway.control.window import Window, reachable
from gateway.model.errors import Refusal
from gateway.model.reason import Fate, Reason
from gateway.telemetry import Facts, Tally
from tests.fakes.readings import NOON
from tests.fakes.store import child_row, gauge_row


def tally() -> Tally:
    """A day of a gauge, a child and a stranger."""
    made = Tally()
    made.handed_over.update({"own": 20})
    made.terms.update(
        {
            ("own", "river_gauge", Fate.STORED, None): 7,
            ("own", "river_gauge", Fate.REJECTED, Reason.UNDECODABLE): 1,
            ("own", "child_tracker", Fate.STORED, None): 2,
            ("own", "child_tracker", Fate.SUPPRESSED, Reason.INSIDE_HOME): 4,
            ("own", "unknown", Fate.REJECTED, Reason.UNKNOWN_DEVICE): 3,
        }
    )
    return made


class Glass:
    """An open window and a way to look in."""

    def __init__(self, path: Path, synthetic: bool) -> None:
        self.path = path
        self.writers: list[asyncio.StreamWriter] = []
        self.feed = LiveFeed(personal=synthetic)
        self.facts = Facts()
        self.window = Window(path, tally(), self.facts, self.feed, exact=synthetic)

    async def look(self, question: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        with reachable(self.path) as path:
            reader, writer = await asyncio.open_unix_connection(path)
        writer.write(question)
        self.writers.append(writer)
        return reader, writer

    async def ask(self, question: bytes) -> list[Any]:
        """All answers to a question, until the window is shut."""
        reader, _ = await self.look(question)
        return [json.loads(line) for line in (await reader.read()).splitlines()]


@asynccontextmanager
async def glass(folder: Path, synthetic: bool = True) -> AsyncIterator[Glass]:
    made = Glass(folder / "gateway.sock", synthetic)
    await made.window.open()
    yield made
    await made.window.close()
    for writer in made.writers:
        writer.close()


TERMS = b'{"ask": "terms"}\n'
TAIL = b'{"ask": "tail"}\n'


async def test_the_socket_is_its_owner_s_alone_and_goes_with_the_gateway(tmp_path: Path) -> None:
    async with glass(tmp_path) as here:
        assert S_IMODE(here.path.stat().st_mode) == 0o600
    assert not here.path.exists()


async def test_a_socket_left_by_a_killed_gateway_is_replaced(tmp_path: Path) -> None:
    left = Glass(tmp_path / "gateway.sock", synthetic=True)
    await left.window.open()
    async with glass(tmp_path) as here:
        assert len(await here.ask(TERMS)) == 1
    await left.window.close()


async def test_a_state_directory_may_lie_deep(tmp_path: Path) -> None:
    """The kernel takes 107 bytes of a socket's path; directories do not ask."""
    deep = tmp_path.joinpath(*["a-rather-long-name"] * 8)
    deep.mkdir(parents=True)
    assert len(str(deep)) > 140
    async with glass(deep) as here:
        assert (await here.ask(TERMS))[0]["in_flight"] == 3


async def test_exact_counts_where_nobody_is_real(tmp_path: Path) -> None:
    async with glass(tmp_path) as here:
        here.facts.note("will ignored", "A will was ignored")
        ((answer),) = await here.ask(TERMS)
    suppressed = [term for term in answer["terms"] if term["fate"] == "suppressed"]
    assert [term["count"] for term in suppressed] == [4]
    assert answer["facts"] == {"will ignored": 1}


@pytest.mark.channel("C26")
def test_nothing_about_people_is_counted_elsewhere() -> None:
    """Decisions 3: how many were heard, less the rows, is how many were masked, which says who is at home.
    Only that a kind was heard at all is said, also of strangers; the city's own stay exact."""
    shown = {(term["kind"], term["fate"], term["reason"]): term["count"] for term in terms(tally(), exact=False)}  # fmt: skip
    assert shown == {
        ("river_gauge", "stored", ""): 7,
        ("river_gauge", "rejected", "undecodable"): 1,
        ("child_tracker", "heard", ""): None,
        ("unknown", "heard", ""): None,
    }


@pytest.mark.channel("C26")
def test_more_uplinks_of_people_change_no_answer() -> None:
    """Whoever asks again and again sees no difference while a child goes home."""
    before, more = tally(), tally()
    more.terms["own", "child_tracker", Fate.SUPPRESSED, Reason.INSIDE_HOME] += 1
    more.terms["own", "child_tracker", Fate.STORED, None] += 5
    more.terms["own", "child_tracker", Fate.REJECTED, Reason.OUT_OF_RANGE] += 1
    assert terms(more, exact=False) == terms(before, exact=False)


async def test_what_is_in_flight_is_nobody_s_business_elsewhere(tmp_path: Path) -> None:
    async with glass(tmp_path, synthetic=False) as here:
        ((answer),) = await here.ask(TERMS)
    assert answer["in_flight"] is None
    assert "suppressed" not in json.dumps(answer)


@pytest.mark.parametrize(
    "question",
    [b"\n", b"terms\n", b"[1]\n", b"3\n", b"null\n", b"\xff\xfe\n", b"[" * 60_000 + b"\n", b"{" * 70_000],
    ids=["empty", "no JSON", "a list", "a number", "null", "no text", "deep", "without end"],
)  # fmt: skip
async def test_garbage_is_answered_with_one_sentence(tmp_path: Path, question: bytes) -> None:
    async with glass(tmp_path) as here:
        assert await here.ask(question) == [{"error": "one JSON object a line is expected"}]
        assert len(await here.ask(TERMS)) == 1


async def test_other_rooms_answer_to_words_of_their_own(tmp_path: Path) -> None:
    """The whole question reaches them; a refusal of theirs is the answer; a word of nobody's says which are."""

    async def echo(question: Mapping[str, Any]) -> Mapping[str, Any]:
        if "heard" not in question:
            raise Refusal("Say something.")
        return {"heard": question["heard"]}

    async with glass(tmp_path) as here:
        here.window.answer("echo", echo)
        assert await here.ask(b'{"ask": "echo", "heard": 3}\n') == [{"heard": 3}]
        assert await here.ask(b'{"ask": "echo"}\n') == [{"error": "Say something."}]
        ((unknown),) = await here.ask(b'{"ask": "ehco"}\n')
    assert "echo" in unknown["error"]


async def test_a_viewer_sees_rows_as_they_are_stored(tmp_path: Path) -> None:
    async with glass(tmp_path) as here:
        reader, writer = await here.look(TAIL)
        await watched(here.feed)
        here.feed.show([gauge_row(1), child_row(1)])
        rows = [json.loads(await reader.readline()) for _ in range(2)]
        writer.close()
        while here.feed.watched:
            await asyncio.sleep(0)
    assert [row["kind"] for row in rows] == ["river_gauge", "child_tracker"]


async def test_rows_about_people_are_hidden_where_somebody_is_real(tmp_path: Path) -> None:
    """A row that appears says that its child is not at home."""
    async with glass(tmp_path, synthetic=False) as here:
        reader, _ = await here.look(TAIL)
        await watched(here.feed)
        here.feed.show([child_row(1), gauge_row(1), child_row(2), gauge_row(2)])
        rows = [json.loads(await reader.readline()) for _ in range(2)]
    assert {row["kind"] for row in rows} == {"river_gauge"}


async def test_a_slow_viewer_skips_to_the_latest() -> None:
    """Showing never waits, and what a viewer may lag behind is bounded."""
    feed = LiveFeed(personal=True)
    slow, quick = feed.join(), feed.join()
    seen = []
    for n in range(5000):
        feed.show([gauge_row(n)])
        seen.append(quick.get_nowait().row[2])

    assert seen == list(range(5000))
    assert [slow.get_nowait().row[2] for _ in range(slow.qsize())] == list(range(4000, 5000))


async def test_nobody_looks_any_more_when_the_last_viewer_has_left() -> None:
    feed = LiveFeed(personal=True)
    assert not feed.watched
    queue = feed.join()
    assert feed.watched
    feed.leave(queue)
    assert not feed.watched


async def test_viewers_are_shown_out_when_the_gateway_stops(tmp_path: Path) -> None:
    async with glass(tmp_path) as here:
        reader, _ = await here.look(TAIL)
        await watched(here.feed)
    assert await reader.read() == b""


class Promise:
    """A stream of which nothing comes before its end, which is more than a socket holds."""

    REST = b"x" * (1 << 20) + b"\n"

    async def next(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    def end(self) -> bytes:
        return self.REST


async def test_whoever_was_promised_the_rest_gets_it_before_the_gateway_stops(
    tmp_path: Path,
) -> None:
    """A viewer that reads on late is waited for where that was promised: all of it comes."""
    async with glass(tmp_path) as here:
        here.window.stream("promise", lambda _question: Promise(), whole=True)
        reader, _ = await here.look(b'{"ask": "promise"}\n')
        await here.ask(TERMS)  # by then the other question was read, too
        closing = asyncio.ensure_future(here.window.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        assert await reader.read() == Promise.REST
        await closing


async def watched(feed: LiveFeed) -> None:
    while not feed.watched:
        await asyncio.sleep(0)


def test_what_recognises_a_row_is_not_shown() -> None:
    """Bytes as hex; no identity, no digest."""
    assert described(child_row(7)) == {
        "kind": "child_tracker",
        "minute": NOON,
        "pseudonym": "00" * 16,
        "lat": 36.7,
        "lon": 137.2,
        "battery_class": None,
        "cell": None,
        "leg": None,
    }
    assert not {"digest", "item"} & described(gauge_row(1)).keys()
