"""LoRa Basics Station: how it tells a frame, and its end of a connection, message by message."""

import json
from types import TracebackType
from typing import Any, Self

import aiohttp

from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.station_words import HELLO, apart

XTIME = 63331870030855213
"""Beyond what a double holds exactly."""


def uplink(phy: bytes, xtime: int = XTIME, dr: int = 5, freq: int = 923_200_000, eui: str = "Eui", **info: Any) -> dict[str, Any]:  # fmt: skip
    """A frame as a station tells it."""
    heard = {"rctx": 0, "xtime": xtime, "gpstime": 0, "fts": -1, "rssi": -50, "snr": 9.25, "rxtime": 1795229194.758198}  # fmt: skip
    return {**apart(phy, eui), "RefTime": 1795229194.75, "DR": dr, "Freq": freq, "upinfo": {**heard, **info}}  # fmt: skip


class Station:
    """One that asks where to go, goes there, and says what it is.

    Args:
        base: "ws://127.0.0.1:1234", what its operator gave it.
        options: of the HTTP client: `headers`, `ssl`.
    """

    def __init__(self, base: str, eui: Eui, **options: Any) -> None:
        self.base = base
        self.eui = eui
        self.options = options
        self._http = aiohttp.ClientSession()
        self.config: dict[str, Any] = {}
        self.line: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _sort: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def asked(self, router: str | int | None = None) -> dict[str, Any]:
        """The answer of `/router-info`."""
        async with self._http.ws_connect(f"{self.base}/router-info", **self.options) as line:
            await line.send_json({"router": f"{self.eui}" if router is None else router})
            answer: dict[str, Any] = json.loads(await line.receive_str())
            return answer

    async def connect(self) -> None:
        """Go where the answer leads, and be configured."""
        await self.go((await self.asked())["uri"])
        await self.say(HELLO)
        self.config = await self.hear()

    async def go(self, uri: str) -> None:
        """Open a connection and say nothing."""
        self.line = await self._http.ws_connect(uri, **self.options)

    async def say(self, message: Any) -> None:
        """Send one message; text goes as it is."""
        await self.line.send_str(message if isinstance(message, str) else json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        said: dict[str, Any] = json.loads(await self.line.receive_str())
        return said

    async def over(self) -> bool:
        """Whether the other side ends the connection now."""
        said = await self.line.receive()
        return said.type in (
            *(aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED),
            aiohttp.WSMsgType.ERROR,
        )

    def vanish(self) -> None:
        """SIGTERM: the connection drops, and nothing is said."""
        connection = self.line._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
