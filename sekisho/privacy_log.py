"""`sekisho privacy log`: who looked at rows about people, and that nothing of it was changed."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.model.errors import Refusal
from gateway.model.instant import parse_rfc3339, to_rfc3339
from sekisho import place, screen
from sekisho.looking import log_of
from sekisho.place import Config, Json, Keys, Quiet, State

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def log() -> None:
    """Show who looked at rows about people, and prove that the list is whole."""


@app.command()
def show(
    *, state: State = None, keys: Keys = None, config: Config = None, json: Json = False
) -> None:
    """Show every look: when (local time; UTC in --json, as it stands in the log), who, with which verb, what for, and
    how many rows about.
    """
    here = place.find(state, keys, config)
    entries = log_of(here.state, here.keys).entries()
    if json:
        screen.document(entries)
        return
    columns = ("seq", "at", "actor", "act", "purpose", "rows")
    zone = place.zone_of(here.settings)
    for entry in entries:
        entry["at"] = to_rfc3339(parse_rfc3339(entry["at"]), zone)[:16].replace("T", " ")
    screen.table(columns, [[str(entry[name]) for name in columns] for entry in entries])


@app.command()
def verify(
    *,
    head: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A head that sekisho privacy log head printed: an end that was cut off shows by it alone.",
        ),
    ] = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prove that no entry was changed, left out, moved or added; exit code 1 where one was."""
    here = place.find(state, keys, config)
    kept = None
    if head is not None:
        try:
            kept = head.read_bytes()
        except OSError as error:
            raise Refusal(f"{head} cannot be read: {error.strerror}.", exit_code=2) from error
    found = log_of(here.state, here.keys).check(kept)
    if json:
        screen.document({"whole": True, "entries": found.seq, "link": found.link})
    elif not quiet:
        beyond = "" if head is None else ", and goes on from the head that was kept"
        print(
            f"The log is whole{beyond}: {found.seq:,} {'entry' if found.seq == 1 else 'entries'}."
        )
        if head is None:
            print("Whether its end was cut off shows only by a head kept elsewhere (--head).")


@app.command("head")
def head_(*, state: State = None, keys: Keys = None, config: Config = None) -> None:
    """Print the signed end of the log: keep it elsewhere, once a day.

    \b
    sekisho privacy log head > /mnt/other-machine/head-$(date -I).json
    """  # noqa: D301 - \b keeps the line of the example apart
    here = place.find(state, keys, config)
    print(log_of(here.state, here.keys).head().decode(), end="")
