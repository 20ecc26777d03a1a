"""Asks a running gateway through its control socket."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase
from typing import Any

from gateway.control.window import reachable
from gateway.model.errors import Refusal
from gateway.statedir import StateDir


def ask(
    state: StateDir, question: str, patience_s: float | None = None, **more: Any
) -> Iterator[dict[str, Any]]:
    """The answers, one after another, until the gateway or the caller has enough.

    Args:
        patience_s: how long to wait for an answer; None for as long as it takes.
        more: what else stands in the question.

    Raises:
        Refusal: no gateway runs on this directory, or it answers with a complaint, or not in time.
    """
    line = _connected(state)
    line.settimeout(patience_s)
    with line, line.makefile("rwb") as stream:
        stream.write(json.dumps({"ask": question, **more}).encode() + b"\n")
        stream.flush()
        while (answer := _heard(stream, state)).endswith(b"\n"):  # a kill cuts a line off
            said = json.loads(answer)
            if "error" in said:
                raise Refusal(said["error"])
            yield said


@contextmanager
def listen(
    state: StateDir, question: str, **more: Any
) -> Iterator[tuple[Iterator[bytes], Callable[[], None]]]:
    """An answer of many lines as it comes, and what ends it: the gateway then says what is left, and hangs up.

    Raises:
        Refusal: no gateway runs on this directory.
    """
    with _connected(state) as line, line.makefile("rwb") as stream:
        stream.write(json.dumps({"ask": question, **more}).encode() + b"\n")
        stream.flush()

        def enough() -> None:
            with suppress(OSError):  # it has hung up itself
                line.shutdown(socket.SHUT_WR)

        yield iter(lambda: _heard(stream, state), b""), enough


def _connected(state: StateDir) -> socket.socket:
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
    return line


def is_answered(state: StateDir) -> bool:
    """Whether a gateway runs there: a socket that a killed one left behind takes no connection."""
    with socket.socket(socket.AF_UNIX) as line, suppress(OSError):
        with reachable(state.socket) as path:
            line.connect(path)
        return True
    return False


def _heard(stream: BufferedIOBase, state: StateDir) -> bytes:
    try:
        return stream.readline()
    except TimeoutError:
        raise Refusal(
            f"The gateway on {state.path} is there and does not answer: it is stopped (kill -CONT lets it "
            "go on), or this machine is overloaded."
        ) from None
    except OSError as error:
        raise Refusal(f"The gateway on {state.path} hung up ({error.strerror}).") from error
