"""The control socket: JSON lines over a Unix socket that only its owner may open.

→ {"ask": "terms"}       ← {"terms": [...], "in_flight": n, "facts": {...}}   then closed
→ {"ask": "tail"}        ← one observation a line, until the viewer leaves
→ {"ask": "record", ...} ← one line of a cassette after another, and the last when the viewer says that it
                           will say no more (gateway.control.recording)
→ {"ask": WORD, ...}     ← one line from whoever answers to that word, then closed
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from gateway.control.feed import LiveFeed, described
from gateway.control.ledger import terms
from gateway.model.errors import Refusal
from gateway.telemetry import Facts, Tally

Answer: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""The whole question in, the answer out; a Refusal becomes {"error": its sentence}."""


class Stream(Protocol):
    """An answer of many lines, each with its end."""

    async def next(self) -> bytes:
        """The next line, as soon as there is one."""
        ...

    def end(self) -> list[bytes]:
        """Called once, when nobody asks for more: what is still to be said."""
        ...


Begin: TypeAlias = Callable[[Mapping[str, Any]], Stream]
"""The whole question in, the stream out; a Refusal becomes {"error": its sentence}."""


class Window:
    """Serves one state directory's control socket.

    Args:
        exact: whether uplinks about people may be counted (SIM, REPLAY).
    """

    def __init__(self, path: Path, tally: Tally, facts: Facts, feed: LiveFeed, exact: bool) -> None:
        self._path = path
        self._tally = tally
        self._facts = facts
        self._exact = exact
        self._answers: dict[str, Answer] = {"terms": self._terms}
        self._streams: dict[str, Begin] = {"tail": lambda _question: _Tail(feed)}
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()

    def answer(self, word: str, answer: Answer) -> None:
        """From now on questions for `word` are answered so."""
        self._answers[word] = answer

    def stream(self, word: str, begin: Begin) -> None:
        """From now on questions for `word` are answered line by line."""
        self._streams[word] = begin

    async def open(self) -> None:
        """Listen; a socket left behind by a killed gateway is replaced (we hold the lock)."""
        self._path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            with reachable(self._path) as path:
                self._server = await asyncio.start_unix_server(self._serve, path)
        finally:
            os.umask(mask)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._guests.add(task)
            task.add_done_callback(self._guests.discard)
        with suppress(ConnectionError, asyncio.CancelledError):
            try:
                question = _question(await reader.readline())
                word = question.get("ask", "terms")
                if word in self._streams:
                    await _pour(self._streams[word](question), reader, writer)
                elif word in self._answers:
                    writer.write(_line(await self._answers[word](question)))
                    await writer.drain()
                else:
                    known = ", ".join(sorted({*self._answers, *self._streams}))
                    writer.write(_line({"error": f"nobody answers to that here; known: {known}"}))
            except Refusal as refusal:
                writer.write(_line({"error": str(refusal)}))
            except ValueError:
                writer.write(_line({"error": "one JSON object a line is expected"}))
            finally:
                writer.close()

    async def _terms(self, _question: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "terms": terms(self._tally, self._exact),
            "in_flight": self._tally.in_flight() if self._exact else None,
            "facts": dict(self._facts.counts),
        }


class _Tail:
    """Observations as they are stored, for one viewer."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed
        self._queue = feed.join()

    async def next(self) -> bytes:
        return _line(described(await self._queue.get()))

    def end(self) -> list[bytes]:
        self._feed.leave(self._queue)
        return []


async def _pour(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand a stream out until the viewer says that it will say no more, or is gone."""
    gone = asyncio.ensure_future(reader.read())
    fresh = asyncio.ensure_future(stream.next())
    taken: list[bytes] = []
    try:
        while not gone.done():
            await asyncio.wait({gone, fresh}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                break
            line = fresh.result()
            fresh = asyncio.ensure_future(stream.next())
            writer.write(line)
            await writer.drain()
    finally:
        gone.cancel()
        if fresh.done():
            taken.append(fresh.result())
        fresh.cancel()
        left = [*taken, *stream.end()]
        if not writer.is_closing():
            writer.writelines(left)
    await writer.drain()


def _question(line: bytes) -> dict[str, Any]:
    """What a viewer asks; one who says nothing asks for nothing in particular.

    Raises:
        ValueError: no JSON object, or it asks for something that is no word.
    """
    try:
        question = json.loads(line or b"{}")
    except RecursionError:
        raise ValueError("a JSON document without an end") from None
    if not isinstance(question, dict) or not isinstance(question.get("ask", ""), str):
        raise ValueError("JSON, but no question")  # noqa: TRY004 the caller answers every fault alike
    return question


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class reachable:  # noqa: N801
    """A socket path that fits the kernel's 107 bytes, however deep the state directory lies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._directory = -1

    def __enter__(self) -> str:
        self._directory = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._directory}/{self._path.name}"

    def __exit__(self, *_exception: object) -> None:
        os.close(self._directory)
