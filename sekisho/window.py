"""Asks a running gateway through its control socket."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase
from typing import Any

from gateway.control.window import reachable
from gateway.model.errors import Refusal
from gateway.statedir import StateDir

_AT_ONCE = 1 << 18


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


class Listening:
    """An answer of many lines, as it comes."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._cut = b""

    def lines(self, patience_s: float) -> bytes | None:
        """Whole lines that have come since; empty where none did in time, None where the gateway hung up."""
        self._line.settimeout(patience_s)
        try:
            said = self._line.recv(_AT_ONCE)
        except TimeoutError:
            return b""
        except ConnectionError:
            return None
        if not said:
            return None
        whole, end, self._cut = (self._cut + said).rpartition(b"\n")
        return whole + end

    def enough(self) -> None:
        """Say that nobody will ask for more: the gateway then says what is left, and hangs up."""
        with suppress(OSError):  # it has hung up itself
            self._line.shutdown(socket.SHUT_WR)


@contextmanager
def listen(state: StateDir, question: str, **more: Any) -> Iterator[Listening]:
    """Ask for an answer of many lines.

    Raises:
        Refusal: no gateway runs on this directory.
    """
    with _connected(state) as line:
        line.sendall(json.dumps({"ask": question, **more}).encode() + b"\n")
        yield Listening(line)


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
        raise silent(state) from None
    except OSError as error:
        raise Refusal(f"The gateway on {state.path} hung up ({error.strerror}).") from error


def silent(state: StateDir) -> Refusal:
    """What to say of a gateway that does not answer."""
    return Refusal(
        f"The gateway on {state.path} is there and does not answer: it is stopped (kill -CONT lets it "
        "go on), or this machine is overloaded."
    )
