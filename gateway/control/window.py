"""The control socket: JSON lines over a Unix socket that only its owner may open.

→ {"ask": "terms"}     ← {"terms": [...], "in_flight": n, "facts": {...}}   then closed
→ {"ask": "tail"}      ← one observation a line, until the viewer leaves
"""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.control.feed import LiveFeed, described
from gateway.control.ledger import terms
from gateway.telemetry import Facts, Tally


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
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()

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
                if _asked(await reader.readline()) == "tail":
                    await self._tail(reader, writer)
                else:
                    writer.write(_line(self._terms()))
                    await writer.drain()
            except ValueError:
                writer.write(_line({"error": "one JSON object a line is expected"}))
            finally:
                writer.close()

    def _terms(self) -> dict[str, Any]:
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


def _asked(line: bytes) -> Any:
    """What a question asks for; a viewer who says nothing asks for nothing in particular.

    Raises:
        ValueError: no JSON object.
    """
    try:
        question = json.loads(line or b"{}")
    except RecursionError:
        raise ValueError("a JSON document without an end") from None
    if not isinstance(question, dict):
        raise ValueError("JSON, but no object")  # noqa: TRY004 the caller answers every fault alike
    return question.get("ask")


def _line(value: dict[str, Any]) -> bytes:
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
