"""Connections that die without a word: half an uplink is written, then nobody reads, writes or closes."""

import asyncio
from collections import deque
from contextlib import suppress

from gateway.wire.mqtt import encode
from simulators.outlets.endpoint import Endpoint

_MOST = 16
"""Dead connections kept at once; of the oldest the other side hears a reset, as after a reboot."""

_PATIENCE_S = 5.0


class Stranded:
    """Dead connections beside a living one, with the same credential and client identifiers of their own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._end = endpoint
        self._dead: deque[asyncio.StreamWriter] = deque()
        self._made = 0

    async def strand(self, packet: bytes) -> None:
        """Connect, send the first half of `packet`, and leave it at that; nothing if nobody answers."""
        end = self._end
        self._made += 1
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_connection(end.host, end.port, ssl=end.tls)
                self._dead.append(writer)
                name = f"{end.client_id}-stranded-{self._made}"
                who = (name, end.username, end.password, end.keep_alive_s)
                writer.write(encode.connect(end.version, *who))
                await reader.read(4)  # a CONNACK begins
                writer.write(packet[: len(packet) // 2])
                await writer.drain()
                writer.transport.pause_reading()  # type: ignore[attr-defined]
        self._let_go(_MOST)

    def close(self) -> None:
        """Let go of them all."""
        self._let_go(0)

    def _let_go(self, keep: int) -> None:
        while len(self._dead) > keep:
            oldest = (
                self._dead.popleft()
            )  # named: a writer that is dropped before it is closed complains
            oldest.transport.abort()
