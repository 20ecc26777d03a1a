"""Asks a running gateway through its control socket."""

import json
import socket
from collections.abc import Iterator
from typing import Any

from gateway.control.window import reachable
from gateway.model.errors import Refusal
from gateway.statedir import StateDir


def ask(state: StateDir, question: str) -> Iterator[dict[str, Any]]:
    """The answers, one after another, until the gateway or the caller has enough.

    Raises:
        Refusal: no gateway runs on this directory.
    """
    line = socket.socket(socket.AF_UNIX)
    try:
        with reachable(state.socket) as path:
            line.connect(path)
    except OSError as error:
        line.close()
        raise Refusal(
            f"No gateway runs on {state.path}. Start one (sekisho run, or make demo), or name "
            "another --state."
        ) from error
    with line, line.makefile("rwb") as stream:
        stream.write(json.dumps({"ask": question}).encode() + b"\n")
        stream.flush()
        for answer in stream:
            yield json.loads(answer)
