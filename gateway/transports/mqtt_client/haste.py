"""Bytes that are acknowledged by the kernel at once, where our own acknowledgements may take long."""

import asyncio
import socket
from contextlib import suppress


def reassure(transport: asyncio.Transport) -> None:
    """Have the kernel say now that what was read has arrived (Linux; nothing happens elsewhere).

    A sender that joins small writes (RFC 896), as Mosquitto does by default, waits for that before its next message,
    and the kernel for up to 40 ms for something to send along with it (RFC 1122 §4.2.3.2). It forgets what it is told
    here, so this is said again after each read.
    """
    found = transport.get_extra_info("socket")
    if found is not None and hasattr(socket, "TCP_QUICKACK"):
        with suppress(OSError):  # no TCP, or gone already
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
