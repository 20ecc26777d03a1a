"""Ports for those who must know theirs before they listen, or come back to it after a kill."""

import random
import socket
from pathlib import Path

_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that nobody listens on, outside those that the kernel gives to whoever asks for any: no other test
    gets it while its owner is away.
    """
    first, last = map(int, _GIVEN.read_text().split())
    outside = [*range(10_000, first), *range(last + 1, 65_536)]
    while True:
        port: int = random.choice(outside)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:  # somebody sits there
            continue
        return port


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
