"""The kernel acknowledges at once what a broker sent, while our own acknowledgements wait for a script."""

import asyncio
import socket

from gateway.transports.mqtt_client.haste import reassure


async def test_a_real_connection_that_is_reassured_delays_no_acknowledgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        near.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(
            asyncio.Protocol, sock=near
        )
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        reassure(transport)
        quick = near.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
        transport.close()
        far.close()
        await asyncio.sleep(0)
    assert quick == 1


async def test_where_there_is_no_tcp_nothing_happens() -> None:
    near, far = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
    reassure(transport)
    assert not transport.is_closing()
    transport.close()
    far.close()
    await asyncio.sleep(0)
