"""`sekisho snapshot`: a copy of the rows for other readers, taken beside a running gateway."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.model.errors import Refusal
from gateway.stores.copies import copy
from sekisho import place, screen
from sekisho.place import Config, Json, Quiet, State

_FOR_READERS, _OWNER_ONLY = 0o640, 0o600
_LARGE = 64 * 1024 * 1024
"""From this size on, a terminal shows how far the copy is."""


def snapshot(
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The copy of city.db; mode 0640.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    personal: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Copy the files about people too, into this directory; sealed where they are. SIM and REPLAY only.",
        ),
    ] = None,
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Copy city.db as it is now, for DuckDB, Datasette, QGIS or a spreadsheet.

    The copy is one file that no gateway writes to: whoever reads it slows
    nothing down. It is taken beside a running gateway, and is there whole or
    not at all. Take a new one as often as needed:

    \b
    sekisho snapshot --out city.db --force
    """  # noqa: D301 - \b keeps the line of the example apart
    directory, _ = place.find_state(state, config)
    if personal is not None and directory.mark is None:
        raise Refusal(
            f"{directory.path} holds the real thing: its files about people stay where retention and "
            "erasure find them. A copy would outlive both. sekisho query --personal reads them there.",
            exit_code=2,
        )
    if not directory.city_db.exists():
        raise Refusal(f"{directory.path} has no city.db yet: no gateway has run on it.")
    wanted = [(directory.city_db, out, _FOR_READERS)]
    if personal is not None:
        files = sorted(directory.personal_dir.glob("*.db"))
        wanted += [(file, personal / file.name, _OWNER_ONLY) for file in files]
    for _, target, _ in wanted:
        place.refuse_inside(target, directory)
        place.replaceable("--out" if target is out else "--personal", target, force=force)
    if personal is not None:
        personal.mkdir(mode=0o700, parents=True, exist_ok=True)
    copied = [
        (target, _copy(source, target.resolve(), mode, force=force))
        for source, target, mode in wanted
    ]
    if json:
        screen.document({"copies": [{"file": str(t), "bytes": size} for t, size in copied]})
    elif not quiet:
        for target, size in copied:
            print(f"{target}  {size:,} bytes")
        if personal is not None and directory.sealed:
            print(
                "Rows about people are sealed in the copies as they are here: sekisho query reads these."
            )


def _copy(source: Path, target: Path, mode: int, *, force: bool) -> int:
    shown = sys.stderr.isatty() and source.stat().st_size >= _LARGE

    def show(share: float) -> None:
        if shown:
            print(f"\r  {target.name}  {share:4.0%}", end="", file=sys.stderr, flush=True)

    try:
        size = copy(source, target, mode=mode, replace=force, progress=show)
    except FileExistsError:
        raise Refusal(f"{target} has come there meanwhile. Say --force to replace it.") from None
    if shown:
        print("\r" + " " * (os.get_terminal_size(2).columns - 1) + "\r", end="", file=sys.stderr)
    return size
