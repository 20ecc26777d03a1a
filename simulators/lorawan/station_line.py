"""How a simulated Basics Station comes to its line: it asks where to go, goes there, says what it is, and is configured."""

import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec

from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.station_words import HELLO, Setup, setup

GONE = (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError, RuntimeError, TypeError)
"""What ends a line, or keeps it from beginning; of another message than was awaited, `aiohttp` raises TypeError."""

Line = aiohttp.ClientWebSocketResponse


class Home(NamedTuple):
    """What the operator of a station gave it.

    Attributes:
        uri: ws://HOST:PORT or wss://HOST:PORT.
        trust: the authority that it believes, and its own certificate if it has one.
        headers: with its token, if it has one.
    """

    uri: str
    trust: ssl.SSLContext | None
    headers: Mapping[str, str]


async def arrive(http: aiohttp.ClientSession, home: Home, eui: Eui) -> tuple[Line, Setup]:
    """A line, and what its station is to hear and send with.

    Raises:
        ConnectionError: the gateway does not let it in, and says why.
        One of `GONE`: nobody is there, or the line broke.
    """
    options: dict[str, Any] = {"headers": home.headers}
    if home.trust is not None:
        options["ssl"] = home.trust
    async with http.ws_connect(f"{home.uri}/router-info", **options) as asking:
        await asking.send_str(written({"router": eui.hex("-")}))
        answer = msgspec.json.decode(await asking.receive_str())
    if "uri" not in answer:
        raise ConnectionError(answer.get("error", "the gateway does not say where to go"))
    line: Line = await http.ws_connect(answer["uri"], autoping=False, **options)
    await line.send_str(written(HELLO))
    return line, setup(msgspec.json.decode(await line.receive_str()))


def written(message: Mapping[str, Any]) -> str:
    """A message as text."""
    return msgspec.json.encode(message).decode()
