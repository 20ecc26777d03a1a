"""A real Mosquitto of a test's own."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import tool
from tests.e2e.processes import until

_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
"""


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A broker for everybody on this machine; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(_CONFIG.format(port=port))
    program = tool("mosquitto")
    assert program is not None
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    try:
        until(lambda: _listens(port), "the broker")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
