"""Connections in front of an HTTP server that say nothing, or say it slowly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from gateway.porch import Porch

REQUEST = b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


@asynccontextmanager
async def house(most: int = 8, silent: int = 4, patience_s: float = 0.3) -> AsyncIterator[int]:
    """A server behind a porch; its port."""
    app = web.Application()
    app.router.add_get("/", _hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    porch = Porch(runner.server, most, silent, patience_s)
    server = await asyncio.get_running_loop().create_server(porch, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


async def come(port: int, said: bytes = b"") -> Line:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


async def answer(line: Line) -> bytes:
    """What is said next; b"" where the connection is over."""
    try:
        async with asyncio.timeout(5):
            return await line[0].read(1000)
    except ConnectionError:
        return b""


async def leave(*lines: Line) -> None:
    for _, writer in lines:
        writer.close()


async def test_who_says_nothing_or_half_a_head_is_shown_out() -> None:
    """Without a deadline each of them would hold a file for ever."""
    async with house() as port:
        mute, half = await come(port), await come(port, REQUEST[:-3])
        assert await answer(mute) == b""
        assert await answer(half) == b""
        await leave(mute, half)


async def test_a_head_in_pieces_is_answered_and_the_line_goes_on() -> None:
    async with house() as port:
        line = await come(port, REQUEST[:20])
        await asyncio.sleep(0.05)
        line[1].write(REQUEST[20:])
        assert b"hello" in await answer(line)
        await asyncio.sleep(0.4)  # patience is for the first head alone
        line[1].write(REQUEST)
        assert b"hello" in await answer(line)
        await leave(line)


async def test_those_who_say_nothing_leave_room_for_who_speaks() -> None:
    """Beyond the bound the newest silent one goes at once, and a request is answered once one has gone."""
    async with house(silent=4, patience_s=0.3) as port:
        mute = [await come(port) for _ in range(4)]
        await asyncio.sleep(0.05)
        refused = await come(port, REQUEST)
        assert await answer(refused) == b""
        for line in mute:
            assert await answer(line) == b""
        welcome = await come(port, REQUEST)
        assert b"hello" in await answer(welcome)
        await leave(*mute, refused, welcome)


async def test_all_together_there_are_so_many_and_no_more() -> None:
    async with house(most=2) as port:
        inside = [await come(port, REQUEST) for _ in range(2)]
        for line in inside:
            assert b"hello" in await answer(line)
        refused = await come(port, REQUEST)
        assert await answer(refused) == b""
        await leave(inside[0])
        await asyncio.sleep(0.05)
        again = await come(port, REQUEST)
        assert b"hello" in await answer(again)
        await leave(inside[1], refused, again)
