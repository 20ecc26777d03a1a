"""The control socket: JSON lines over a Unix socket that only its owner may open.

→ {"ask": "terms"}       ← {"terms": [...], "in_flight": n, "facts": {...}}   then closed
→ {"ask": "tail"}        ← one observation a line, until the viewer leaves
→ {"ask": WORD, ...}     ← one line from whoever answers to that word, then closed
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from gateway.control.feed import LiveFeed, described
from gateway.control.ledger import terms
from gateway.model.errors import Refusal
from gateway.telemetry import Facts, Tally

Answer: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""The whole question in, the answer out; a Refusal becomes {"error": its sentence}."""


class Window:
    """Serves one state directory's control socket.

    Args:
        exact: whether uplinks about people may be counted (SIM, REPLAY).
    """

    def __init__(self, path: Path, tally: Tally, facts: Facts, feed: LiveFeed, exact: bool) -> None:
        self._path = path
        self._tally = tally
        self._facts = facts
        self._feed = feed
        self._exact = exact
        self._answers: dict[str, Answer] = {"terms": self._terms}
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()

    def answer(self, word: str, answer: Answer) -> None:
        """From now on questions for `word` are answered so."""
        self._answers[word] = answer

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
                if word == "tail":
                    await self._tail(reader, writer)
                elif word in self._answers:
                    writer.write(_line(await self._answers[word](question)))
                    await writer.drain()
                else:
                    known = ", ".join(sorted([*self._answers, "tail"]))
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

    async def _tail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        queue = self._feed.join()
        gone = asyncio.ensure_future(reader.read())
        fresh = asyncio.ensure_future(queue.get())
        try:
            while not gone.done():
                await asyncio.wait({gone, fresh}, return_when=asyncio.FIRST_COMPLETED)
                if not fresh.done():
                    break
                writer.write(_line(described(fresh.result())))
                fresh = asyncio.ensure_future(queue.get())
                await writer.drain()
        finally:
            gone.cancel()
            fresh.cancel()
            self._feed.leave(queue)


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
