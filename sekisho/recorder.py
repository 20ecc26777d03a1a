"""Writes down what a gateway says into a cassette, until it has said its last or whoever records has enough."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from gateway.wire import cassette
from sekisho import cassette_file, screen
from sekisho.bar import Bar
from sekisho.place import PATIENCE_S
from sekisho.window import Listening, silent

_EVERY_S = 0.2
"""How often a signal, the time and the bar are looked at."""

_KEEP_S = 1.0
"""How much of a packed cassette a kill may take."""


@dataclass
class Said:
    """What the gateway said.

    Attributes:
        counts: lines by kind.
        end: the last line; None where it did not come.
        broken_off: what to say of a recording without it.
    """

    counts: Counter[str] = field(default_factory=Counter)
    end: cassette.End | None = None
    broken_off: Refusal | None = None
    _kinds: dict[str, str] = field(default_factory=dict)

    def count(self, raw: bytes) -> None:
        """Take one line."""
        line = cassette.read(raw)
        if isinstance(line, cassette.Thing):
            self._kinds[line.device] = line.kind
        elif isinstance(line, cassette.End):
            self.end = line
        elif isinstance(line, cassette.Row):
            self.counts[line.kind] += 1
        elif not isinstance(line, cassette.Begin):
            self.counts[self._kinds[line.device]] += 1


def hear_first(gateway: Listening, directory: StateDir) -> bytes:
    """The lines behind the gateway's first answer, if some came with it.

    Raises:
        Refusal: it does not record for us; nothing was touched until then.
    """
    first = gateway.lines(PATIENCE_S)
    if first is None:
        raise Refusal(f"The gateway on {directory.path} has gone.")
    if not first:
        raise silent(directory)
    line, _, rest = first.partition(b"\n")
    answer = json.loads(line)
    if "error" in answer:
        raise Refusal(answer["error"])
    if answer.get("cassette") != cassette.VERSION:
        raise Refusal(
            f"The gateway on {directory.path} is of another version than this command. Restart it."
        )
    return rest


def take(
    gateway: Listening, first: bytes, file: Path, seconds: float | None, bar: Bar, *, force: bool
) -> Said:
    """Write a cassette: until Ctrl-C, SIGTERM, or the time is over, or the gateway stops.

    Args:
        first: lines that have come already.
        force: whether it may replace a file that is there at the end.

    Raises:
        Refusal: the file cannot be written, or not to its end.
    """
    said = Said()
    try:
        with _asked_to_end() as asked, cassette_file.new(file, _head(), force=force) as out:
            _take(gateway, first, _Writer(out, said), asked, seconds, bar)
    except KeyboardInterrupt:
        said.broken_off = Refusal("Asked twice to end.", exit_code=130)
    return said


@dataclass
class _Asked:
    """How often this recorder was asked to end."""

    times: int = 0


@dataclass
class _Writer:
    """Writes lines down, counts them, and keeps them from being lost now and then."""

    out: cassette_file.Out
    said: Said
    _kept: float = 0.0
    _fresh: bool = False

    def take(self, lines: bytes, now: float) -> None:
        """Take the lines that have come until `now`."""
        if lines:
            self.out.write(lines)
            for line in lines.splitlines():
                self.said.count(line)
            self._fresh = True
        if self._fresh and now - self._kept >= _KEEP_S:
            self.out.keep()
            self._kept, self._fresh = now, False


def _take(
    gateway: Listening,
    first: bytes,
    writer: _Writer,
    asked: _Asked,
    seconds: float | None,
    bar: Bar,
) -> None:
    """Take what the gateway says until it has said its last, or does not say it in time."""
    said = writer.said
    begun = heard = time.monotonic()  # noqa: TID251 a person waits: wall time is meant
    told = False
    writer.take(first, begun)
    while said.end is None:
        lines = gateway.lines(_EVERY_S)
        if lines is None:
            said.broken_off = Refusal("The gateway has gone.")
            return
        now = time.monotonic()  # noqa: TID251
        writer.take(lines, now)
        if lines:
            heard = now
        if not told and (asked.times or (seconds is not None and now - begun >= seconds)):
            told, heard = True, now
            gateway.enough()
        if told and now - heard >= PATIENCE_S:
            said.broken_off = Refusal(
                "The gateway was told to end the recording and does not answer: it is stopped, or overloaded."
            )
            return
        bar.move(now - begun, seconds, "recording", screen.count(said.counts.total(), "line"))


def _head() -> bytes:
    begin = cassette.Begin(version=cassette.VERSION, sekisho=version("sekisho"))
    return cassette.written(begin) + b"\n"


@contextmanager
def _asked_to_end() -> Iterator[_Asked]:
    """Ctrl-C and SIGTERM end a recording and do not cut it off; whoever asks twice does."""
    asked = _Asked()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.times += 1
        if asked.times > 1:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
