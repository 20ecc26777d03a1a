"""`sekisho record`: a cassette of what arrives, fit to be attached to a bug report."""

import gzip
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import IO, Annotated, Any

import msgspec
import typer

from gateway.devices.catalog import catalog
from gateway.model.errors import Refusal
from gateway.model.quantity import DURATION, parse
from gateway.statedir import StateDir
from gateway.wire import cassette
from sekisho import completion, facts, place, screen
from sekisho.bar import Bar
from sekisho.place import Config, Json, Quiet, State
from sekisho.window import is_answered, listen

_EVERY_S = 0.2


def record(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The cassette to write; packed where the name ends in .gz."
        ),
    ],
    *,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="DURATION", show_default=False, help="How long. Default: until Ctrl-C."
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            show_default=False,
            help="Only this kind, or the beginning of its name; several times for several.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DEVICE", show_default=False, help="Only this one; several times for several."
        ),
    ] = None,
    refused: Annotated[
        bool,
        typer.Option(
            "--refused",
            help="Also the bytes of what was refused of things of the city. They may be anything: look at "
            "them before you hand the cassette on.",
        ),
    ] = False,
    wait: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Wait so long for a gateway to start."),
    ] = "0s",
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a cassette of what arrives at the gateway that runs here, for a bug report.

    It names nobody: devices get new names, times count from the beginning, and of people there are masked
    rows alone, moved into a fictional place; in SIM and REPLAY directories only. Play it back with
    sekisho replay FILE: always the same rows.

    \b
    sekisho record bug.cassette.gz --for 10min
    sekisho record bug.cassette --kind river --device river-4
    """  # noqa: D301 - \b keeps the lines of the example apart
    place.refuse_to_replace("FILE", file, force=force)
    directory, _ = place.find_state(state, config)
    place.refuse_inside(file, directory)
    seconds = None if for_ is None else _seconds("--for", for_)
    kinds = [facts.beginning(name).name for name in kind or ()]
    _wait(directory, _seconds("--wait", wait))
    if directory.mark is None and not quiet:
        screen.warn(_NO_PEOPLE)
    if directory.mark is None and kinds and all(catalog()[name].personal for name in kinds):
        raise Refusal("Nothing is left to record.", exit_code=2)
    question = {"kinds": kinds, "devices": device or [], "refused": refused}
    counts, end = _written(directory, question, file, seconds, quiet=quiet or json)
    _tell(file, counts, end, json=json, quiet=quiet)


_NO_PEOPLE = (
    "Of people nothing is recorded here: nobody has agreed to a cassette. SIM and REPLAY directories have "
    "nobody in them who could."
)


def _written(
    directory: StateDir, question: dict[str, Any], file: Path, seconds: float | None, *, quiet: bool
) -> tuple[Counter[str], cassette.End | None]:
    """What was written, by kind, and the last line; None where the gateway went before it."""
    counts: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    end: cassette.End | None = None
    part = file.with_name(f"{file.name}.part")
    begun = shown = time.monotonic()  # noqa: TID251 a person waits: wall time is meant
    with (
        listen(directory, "record", **question) as (lines, enough),
        _asked_to_end(enough, seconds),
        _new(file, part) as out,
        Bar(sys.stderr, quiet=quiet) as bar,
    ):
        out.write(cassette.written(_begin()) + b"\n")
        for raw in lines:
            if raw.startswith(b'{"error"'):
                raise Refusal(msgspec.json.decode(raw)["error"])
            if not raw.endswith(b"\n"):
                break  # a kill cuts a line off
            out.write(raw)
            line = cassette.read(raw)
            if isinstance(line, cassette.Thing):
                kinds[line.device] = line.kind
            elif isinstance(line, cassette.End):
                end = line
            elif isinstance(line, cassette.Row):
                counts[line.kind] += 1
            elif not isinstance(line, cassette.Begin):
                counts[kinds[line.device]] += 1
            now = time.monotonic()  # noqa: TID251
            if now - shown > _EVERY_S:
                shown = now
                bar.move(now - begun, seconds, "recording", f"{sum(counts.values()):,} lines")
    part.replace(file)
    return counts, end


def _begin() -> cassette.Begin:
    return cassette.Begin(version=cassette.VERSION, sekisho=version("sekisho"))


@contextmanager
def _new(file: Path, part: Path) -> Iterator[IO[bytes]]:
    """The file under its passing name; gone again where something goes wrong."""
    try:
        plain = part.open("wb", buffering=0)  # what was recorded is there, whoever is killed
    except OSError as error:
        raise Refusal(f"{file} cannot be written: {error.strerror}.", exit_code=2) from None
    try:
        with plain:
            if file.suffix == ".gz":
                with gzip.GzipFile("", "wb", fileobj=plain, mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield plain
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _asked_to_end(enough: Any, seconds: float | None) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the time that was named end a recording; none of them cuts it off."""

    def asked(_number: int, _frame: FrameType | None) -> None:
        enough()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    alarm = None if seconds is None else threading.Timer(seconds, enough)
    if alarm is not None:
        alarm.daemon = True
        alarm.start()
    try:
        yield
    finally:
        if alarm is not None:
            alarm.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(directory: StateDir, seconds: float) -> None:
    deadline = time.monotonic() + seconds  # noqa: TID251
    while not is_answered(directory) and time.monotonic() < deadline:  # noqa: TID251
        time.sleep(_EVERY_S / 4)


def _seconds(option: str, text: str) -> float:
    try:
        seconds = parse(text, DURATION)
    except ValueError as error:
        raise Refusal(f"{option} {text}: {error}", exit_code=2) from None
    if seconds < 0:
        raise Refusal(f"{option} {text}: time goes forward.", exit_code=2)
    return seconds


def _tell(
    file: Path, counts: Counter[str], end: cassette.End | None, *, json: bool, quiet: bool
) -> None:
    left_out = {} if end is None else end.left_out
    kinds = catalog()
    if json:
        screen.document(
            {
                "file": str(file),
                "whole": end is not None,
                "uplinks": {k: n for k, n in sorted(counts.items()) if not kinds[k].personal},
                "rows": {k: n for k, n in sorted(counts.items()) if kinds[k].personal},
                "left_out": left_out,
            }
        )
    elif not quiet:
        print(f"{file}: {screen.count(sum(counts.values()), 'line')}")
        for name, count in sorted(counts.items()):
            what = "rows, masked and moved" if kinds[name].personal else "uplinks"
            print(f"  {name:<24} {count:>9,}   {what}")
        for why, count in left_out.items():
            hint = "   --refused writes their bytes, too" if why == "refused" else ""
            print(f"  left out: {why:<14} {count:>9,}{hint}")
    if end is None:
        raise Refusal(
            f"The gateway has gone. What came before stands in {file}, and can be replayed."
        )
