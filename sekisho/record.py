"""`sekisho record`: a cassette of what arrives, fit to be attached to a bug report."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from gateway.devices.catalog import catalog
from gateway.model.errors import Refusal
from gateway.statedir import Mark, StateDir
from sekisho import cassette_file, completion, facts, place, recorder, screen, window
from sekisho.bar import Bar
from sekisho.place import Config, Json, Quiet, State
from sekisho.spans import length

_LOOK_S = 0.05
_LONGEST_S = 366 * 86_400


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
            "--for",
            metavar="DURATION",
            show_default=False,
            help="How long, 366 d at most. Default: until Ctrl-C.",
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
    rows alone, moved into a fictional place; in SIM directories only. Play it back with
    sekisho replay FILE: always the same rows.

    \b
    sekisho record bug.cassette.gz --for 10min
    sekisho record bug.cassette --kind river --device river-4
    """  # noqa: D301 - \b keeps the lines of the example apart
    target = place.replaceable("FILE", file, force=force)
    directory, _ = place.find_state(state, config)
    place.refuse_inside(target, directory)
    seconds = None if for_ is None else _at_most("--for", for_)
    patience_s = _at_most("--wait", wait)
    question = {
        "kinds": [facts.beginning(name).name for name in kind or ()],
        "devices": device or [],
        "refused": refused,
    }
    if not quiet:
        for part in cassette_file.left_behind(target):
            screen.warn(_LEFT_BEHIND.format(part=part))
    _wait(directory, patience_s)
    with window.listen(directory, "record", **question) as gateway:
        first = recorder.hear_first(gateway, directory)
        if directory.mark is not Mark.SIM and not quiet:
            screen.warn(_NO_PEOPLE)
        with Bar(sys.stderr, quiet=quiet or json) as bar:
            said = recorder.take(gateway, first, target, seconds, bar, force=force)
    _tell(file, said, json=json, quiet=quiet)


_NO_PEOPLE = (
    "Of people nothing is recorded here: nobody has agreed to a cassette. Only in a SIM directory is nobody in "
    "it who could."
)
_LEFT_BEHIND = (
    "{part} was left by a recorder that was killed: what it had recorded stands there, without an end. Keep it "
    "under another name (one in .gz: gzip -dc {part} > NAME.cassette), or delete it."
)


def _wait(directory: StateDir, seconds: float) -> None:
    deadline = time.monotonic() + seconds  # noqa: TID251
    while not window.is_answered(directory) and time.monotonic() < deadline:  # noqa: TID251
        time.sleep(_LOOK_S)


def _at_most(option: str, text: str) -> float:
    """Raises `Refusal` where it is longer than a year, also."""
    seconds = length(option, text)
    if seconds > _LONGEST_S:
        raise Refusal(f"{option} {text}: 366 d at most.", exit_code=2)
    return seconds


def _tell(file: Path, said: recorder.Said, *, json: bool, quiet: bool) -> None:
    counts, end = said.counts, said.end
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
    if said.broken_off is not None:
        raise Refusal(
            f"{said.broken_off} What came before stands in {file}, and can be replayed.",
            said.broken_off.exit_code,
        )
