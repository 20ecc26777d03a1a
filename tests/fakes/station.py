"""LoRa Basics Station: what it makes of a frame, and its end of a connection."""

import json
from types import TracebackType
from typing import Any, Self

import aiohttp

from gateway.wire.lorawan.identifiers import Eui

HELLO = {"msgtype": "version", "station": "2.0.6(linux/testsim)", "firmware": None, "package": None, "model": "linux", "protocol": 2, "features": "rmtsh"}  # fmt: skip
XTIME = 63331870030855213
"""Beyond what a double holds exactly."""


def signed(wire: bytes) -> int:
    """A word as a station writes it."""
    return int.from_bytes(wire, "little", signed=True)


def apart(phy: bytes, eui: str = "Eui") -> dict[str, Any]:
    """The members that `s2e_parse_lora_frame` of 2.0.6 makes of a whole frame."""
    sort = phy[0] >> 5
    if sort in (1, 7):
        return {"msgtype": "jacc" if sort == 1 else "propdf", "FRMPayload": phy.hex().upper()}
    if sort in (0, 6):
        return {
            "msgtype": "jreq" if sort == 0 else "rejoin",
            "MHdr": phy[0],
            f"Join{eui}": phy[8:0:-1].hex("-").upper(),
            f"Dev{eui}": phy[16:8:-1].hex("-").upper(),
            "DevNonce": int.from_bytes(phy[17:19], "little"),
            "MIC": signed(phy[19:]),
        }
    port = 8 + (phy[5] & 0x0F)
    return {
        "msgtype": "updf" if sort in (2, 4) else "dndf",
        "MHdr": phy[0],
        "DevAddr": signed(phy[1:5]),
        "FCtrl": phy[5],
        "FCnt": int.from_bytes(phy[6:8], "little"),
        "FOpts": phy[8:port].hex().upper(),
        "FPort": phy[port] if port < len(phy) - 4 else -1,
        "FRMPayload": phy[port + 1 : -4].hex().upper(),
        "MIC": signed(phy[-4:]),
    }


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
