"""`sekisho backup`: a copy of a whole state directory, taken beside a running gateway."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.stores.backup import take
from sekisho import place, screen
from sekisho.place import Config, Json, Quiet, State


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="A new folder; mode 0700.")
    ],
    *,
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Copy a state directory: rows, registry, counters and releases; while the gateway runs.

    Keys are in no backup, so it opens nothing by itself: keep an export of them
    elsewhere (sekisho keys export). Sessions are in none either: after a restore
    devices that join do so again, and others wait for a word of yours.

    Rows about people stay sealed, and end with their keys: when a household is
    erased, or a file's time is over, no backup opens them any more.
    """
    directory, _ = place.find_state(state, config)
    inside = folder.resolve()
    if inside == directory.path or inside.is_relative_to(directory.path):
        raise Refusal(
            f"{folder} lies in the state directory itself. A backup belongs on another disk.",
            exit_code=2,
        )
    files = take(directory, folder, SystemClock().now(), _shown if not quiet else _silent)
    size = sum(file.size for file in files)
    if json:
        screen.document(
            {"folder": str(folder.resolve()), "bytes": size, "files": [f._asdict() for f in files]}
        )
    elif not quiet:
        print(f"{folder}  {screen.count(len(files), 'file')}, {size:,} bytes. No keys are in it.")


def _silent(_name: str, _share: float) -> None:
    """Nobody looks."""


def _shown(name: str, share: float) -> None:
    if sys.stderr.isatty():
        end = "\n" if share >= 1.0 else ""
        print(f"\r  {share:4.0%}  {name}", end=end, file=sys.stderr, flush=True)
