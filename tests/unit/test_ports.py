"""A port that is taken names its holder and the setting to change."""

import errno
import os
import socket

from gateway.app.ports import holder, sentence
from tests.e2e.ports import free_port


def test_the_holder_of_a_port_is_named() -> None:
    """Somebody whose port is taken is told by whom: name and process number."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        who = holder(taken.getsockname()[1])

    assert who is not None
    assert who.endswith(f"(process {os.getpid()})")


def test_a_free_port_has_no_holder() -> None:
    """Nobody is accused of holding a free port."""
    assert holder(free_port()) is None


def test_the_sentence_says_what_to_change() -> None:
    """The refusal names the door, the address and the setting."""
    error = OSError(errno.EACCES, "denied")

    assert sentence("mqtt", "doors[mqtt].port", "127.0.0.1", 80, error) == (
        "Door mqtt: 127.0.0.1:80 cannot be opened: ports below 1024 are the system's. "
        "Choose another: doors[mqtt].port."
    )
