"""The control socket: JSON lines over a Unix socket that only its owner may open.

→ {"ask": "terms"}       ← {"terms": [...], "in_flight": n, "facts": {...}}   then closed
→ {"ask": "tail"}        ← one observation a line, until the viewer leaves
→ {"ask": "record", ...} ← {"cassette": 1}, then one line of a cassette after another, and the last when the
                           viewer says that it will say no more, or the gateway stops
                           (gateway.control.recording)
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

_PATIENCE_S = 3.0
"""How long a gateway that stops waits for viewers to take the rest of what they were promised."""


class Stream(Protocol):
    """An answer of many lines, each with its end."""

    async def next(self) -> bytes:
        """The next lines, as soon as there is one."""
        ...

    def end(self) -> bytes:
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
        self._whole: set[str] = set()
        self._owed: set[asyncio.Task[None]] = set()
        self._stops = asyncio.Event()

    def answer(self, word: str, answer: Answer) -> None:
        """From now on questions for `word` are answered so."""
        self._answers[word] = answer

    def stream(self, word: str, begin: Begin, *, whole: bool = False) -> None:
        """From now on questions for `word` are answered line by line.

        Args:
            whole: a gateway that stops waits a while until the viewer has the last of them.
        """
        self._streams[word] = begin
        if whole:
            self._whole.add(word)

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
        """Take nobody in any more, say what is still to be said, and show everybody out."""
        if self._server is not None:
            self._server.close()
        self._stops.set()
        if self._owed:
            await asyncio.wait(self._owed, timeout=_PATIENCE_S)
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
                    stream = self._streams[word](question)
                    if task is not None and word in self._whole:
                        self._owed.add(task)
                        task.add_done_callback(self._owed.discard)
                    await _pour(stream, reader, writer, self._stops)
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

    def end(self) -> bytes:
        self._feed.leave(self._queue)
        return b""


async def _pour(
    stream: Stream,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    stops: asyncio.Event,
) -> None:
    """Hand a stream out until the viewer says that it will say no more, or is gone, or the gateway stops."""
    enough = {asyncio.ensure_future(reader.read()), asyncio.ensure_future(stops.wait())}
    fresh = asyncio.ensure_future(stream.next())
    try:
        while True:
            await asyncio.wait({*enough, fresh}, return_when=asyncio.FIRST_COMPLETED)
            if any(reason.done() for reason in enough):
                break
            lines = fresh.result()
            fresh = asyncio.ensure_future(stream.next())
            writer.write(lines)
            await writer.drain()
    finally:
        for reason in enough:
            reason.cancel()
        taken = fresh.result() if fresh.done() else b""
        fresh.cancel()
        left = taken + stream.end()
        if not writer.is_closing():
            writer.write(left)
    writer.close()
    await writer.wait_closed()  # all of it is taken, or the viewer gone


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
