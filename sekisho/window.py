"""Asks a running gateway through its control socket."""

import json
import socket
from collections.abc import Iterator
from typing import Any

from gateway.control.window import reachable
from gateway.model.errors import Refusal
from gateway.statedir import StateDir


def ask(state: StateDir, question: str, **more: Any) -> Iterator[dict[str, Any]]:
    """The answers, one after another, until the gateway or the caller has enough.

    Args:
        more: what else stands in the question.

    Raises:
        Refusal: no gateway runs on this directory, or it answers with a complaint.
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
        stream.write(json.dumps({"ask": question, **more}).encode() + b"\n")
        stream.flush()
        for answer in stream:
            said = json.loads(answer)
            if "error" in said:
                raise Refusal(said["error"])
            yield said
