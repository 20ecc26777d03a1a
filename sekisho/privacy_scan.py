"""`sekisho privacy scan`: whether a place, a tag or a name stands anywhere in a folder, in any form."""

from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from sekisho import screen
from sekisho.place import Json, Quiet
from sekisho.screen import count

if TYPE_CHECKING:
    from gateway.canary.canaries import Canaries, Hit
    from gateway.canary.window import Circle
    from sekisho.canary_tree import Scanned

_SHOWN = 100
_FARTHEST_M = 10_000.0


def scan(
    *,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder, or one file; it is only read.")
    ],
    canary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAT,LON",
            help='A place that must not be found, or "home LAT,LON", "tag HEX", "word TEXT". Repeatable. '
            "Others on this machine can read a command line: real homes go into --canaries.",
        ),
    ] = None,
    canaries: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The same, one a line; outside DIR."),
    ] = None,
    window: Annotated[
        bool,
        typer.Option(
            "--window", help="Report any pair of degrees near a home, too, whoever was there."
        ),
    ] = False,
    radius: Annotated[float, typer.Option(metavar="METRES", help="How near, for --window.")] = 50.0,
    mesh_published: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Files below DIR in which mesh codes may stand."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search a folder for places, tags and names that must not be there, in every form they may take.

    Before anything is read, each canary is written in each form and must be found, so that "nothing found" means
    something. What is found is told by file, offset and form, never by value.

    \b
    Exit: 0 nothing found, 1 something found, 2 usage, 3 the scanner is blind to a form
    """  # noqa: D301 - \b keeps the line apart
    forbid_cores()
    _refuse_without_numpy()
    if not directory.exists():
        raise Refusal(f"{directory} is not there. Name the folder to search.", exit_code=2)
    wanted = _wanted(canary or [], canaries, directory)
    circles = _circles(wanted, radius) if window else ()
    found, controls = _search(directory, wanted, circles, quiet=quiet or json)
    hits = [hit for hit in found.hits if not _published(hit, mesh_published or [])]
    unseen = _unseen()
    if json:
        screen.document(_figures(found, hits, controls, len(wanted), unseen))
    else:
        _tell(found, hits, controls, len(wanted), unseen, quiet=quiet)
    if hits:
        raise typer.Exit(1)


def _refuse_without_numpy() -> None:
    if find_spec("numpy") is None:
        raise Refusal(
            "The scan needs numpy, which is not installed. The extra brings it: pip install 'sekisho[scan]'; in a checkout .venv/bin/pip install numpy.",
            exit_code=2,
        )


def _wanted(given: list[str], file: Path | None, directory: Path) -> "Canaries":
    """The canaries of options and file.

    Raises:
        Refusal: one is malformed, there is none, or the file lies where it would find itself.
    """
    from gateway.canary.canaries import read

    lines = []
    if file is not None:
        if file.resolve().is_relative_to(directory.resolve()):
            raise Refusal(
                f"{file} lies inside {directory}, and would be found there. Put it elsewhere.", 2
            )
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise Refusal(f"{file} cannot be read: {error.strerror}.", exit_code=2) from None
        except UnicodeDecodeError:
            raise Refusal(f"{file} is not UTF-8 text.", exit_code=2) from None
    try:
        source = f"{file}, "
        wanted = read(lines)
        source = "--canary, "
        read(given)
    except ValueError as error:
        raise Refusal(f"{source}{error}.", exit_code=2) from None
    wanted = read([*lines, *given])
    if not len(wanted):
        raise Refusal("There is nothing to look for: --canary LAT,LON, or --canaries FILE.", 2)
    return wanted


def _circles(wanted: "Canaries", radius: float) -> "tuple[Circle, ...]":
    """What is protected round each home, or each place where no home is named.

    Raises:
        Refusal: there is neither, or the radius is none.
    """
    from gateway.canary.window import Circle

    if not 10 <= radius <= _FARTHEST_M:
        raise Refusal(f"--radius takes 10 to {_FARTHEST_M:,.0f} metres.", exit_code=2)
    places = [one for one in wanted.places if one[0].startswith("home")] or wanted.places
    if not places:
        raise Refusal('--window needs a home or a place: --canary "home LAT,LON".', exit_code=2)
    if any(abs(degrees) < 1 for _, place in places for degrees in place):
        raise Refusal(
            "--window: a home lies within one degree of the equator or of Greenwich, where its numbers are as "
            "small as any others. Search without --window there.",
            exit_code=2,
        )
    return tuple(Circle(name, *place, radius) for name, place in places)


def _search(
    directory: Path, wanted: "Canaries", circles: "tuple[Circle, ...]", *, quiet: bool
) -> "tuple[Scanned, int]":
    """Prove that every form is found, then look.

    Raises:
        Refusal: the scanner is blind.
    """
    import sys

    from gateway.canary.search import Search
    from sekisho import canary_tree
    from sekisho.bar import Bar
    from sekisho.canary_controls import check

    search = Search(wanted, circles, canary_tree.unzstd)
    checked = check(wanted, search, circles)
    if checked.blind:
        forms = "; ".join(f"{blind.canary}: {blind.form}" for blind in checked.blind)
        raise Refusal(
            f"The scanner is blind to {count(len(checked.blind), 'form')}, so nothing was searched: {forms}. "
            "Leave such a canary out, or take one with more decimals.",
            exit_code=3,
        )
    with Bar(sys.stderr, quiet=quiet) as bar:

        def progress(read: int, whole: int, files: int) -> None:
            bar.move(read, whole, str(directory), f"{read / 1e6:,.0f} MB, {count(files, 'file')}")

        return canary_tree.scan(directory, search, progress), checked.controls


def _published(hit: "Hit", globs: list[str]) -> bool:
    """Whether this is a mesh code where mesh codes may stand."""
    file = hit.where.partition(" > ")[0]
    return hit.coat.startswith("mesh code") and any(fnmatch(file, glob) for glob in globs)


def _unseen() -> list[str]:
    """What this machine cannot look for."""
    unseen = []
    if find_spec("h3") is None:
        unseen.append("H3 cells (the Python package h3 is not installed)")
    if which("zstd") is None:
        unseen.append("inside zstd (Debian's package zstd is not installed): such a file is a hit")
    return unseen


def _figures(
    found: "Scanned", hits: list["Hit"], controls: int, wanted: int, unseen: list[str]
) -> dict[str, Any]:
    return {
        "files": found.files,
        "bytes": found.size,
        "canaries": wanted,
        "controls": controls,
        "not_looked_for": unseen,
        "hits": [hit._asdict() for hit in hits],
    }


def _tell(
    found: "Scanned",
    hits: list["Hit"],
    controls: int,
    wanted: int,
    unseen: list[str],
    *,
    quiet: bool,
) -> None:
    if hits:
        screen.table(
            ("where", "offset", "form", "canary"),
            [(hit.where, hit.offset, hit.coat, hit.canary) for hit in hits[:_SHOWN]],
        )
        if len(hits) > _SHOWN:
            print(f"… and {count(len(hits) - _SHOWN, 'hit')} more: --json lists them all")
    if quiet:
        return
    said = f"{count(len(hits), 'hit')}" if hits else "nothing found"
    print(
        f"{said} · {count(wanted, 'canary').replace('canarys', 'canaries')}, {controls:,} controls found"
        f" · {count(found.files, 'file')}, {found.size / 1e6:,.1f} MB"
    )
    for thing in unseen:
        print(f"  not looked for: {thing}")
