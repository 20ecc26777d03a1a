"""In front of an HTTP server: who says nothing, or only half of a request's head, does not stay.

The server behind it bounds requests, not connections: anybody could hold as many as there are files, and files are everybody's. A connection
gets a handler once its first head is whole.
"""

import asyncio
from collections.abc import Callable
from typing import cast

_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD = 16_384


class Porch:
    """Makes the protocols of one door.

    Args:
        handler: makes a connection's handler, as `aiohttp.web.Server` does.
        most: connections at a time, all together.
        silent: those of them whose first head is not whole.
        patience_s: how long that may take.
    """

    def __init__(
        self, handler: Callable[[], asyncio.Protocol], most: int, silent: int, patience_s: float
    ) -> None:
        self.handler = handler
        self.most = most
        self.most_silent = silent
        self.patience_s = patience_s
        self.here = 0
        self.silent = 0

    def __call__(self) -> asyncio.Protocol:
        """The protocol of one connection."""
        return _Guest(self)


class _Guest(asyncio.Protocol):
    """One connection; passes everything on to its handler once it has one."""

    def __init__(self, porch: Porch) -> None:
        self._porch = porch
        self._head = b""
        self._handler: asyncio.Protocol | None = None
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        porch = self._porch
        porch.here += 1
        porch.silent += 1
        self._transport = cast(asyncio.Transport, transport)
        crowded = porch.here > porch.most or porch.silent > porch.most_silent
        patience_s = 0.0 if crowded else porch.patience_s
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(patience_s, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._handler is not None:
            self._handler.data_received(data)
            return
        self._head += data
        if _HEAD_END in self._head or len(self._head) > _LONGEST_HEAD:
            self._timer.cancel()
            self._porch.silent -= 1
            self._handler = self._porch.handler()
            self._handler.connection_made(self._transport)
            head, self._head = self._head, b""
            self._handler.data_received(head)

    def eof_received(self) -> bool | None:
        return None if self._handler is None else self._handler.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._porch.here -= 1
        self._timer.cancel()
        if self._handler is None:
            self._porch.silent -= 1
        else:
            self._handler.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._handler is not None:
            self._handler.pause_writing()

    def resume_writing(self) -> None:
        if self._handler is not None:
            self._handler.resume_writing()
