"""`sekisho keys`: makes a state directory's keys, and says where they are and what they open."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.clock import SystemClock
from gateway.keys.exports import Exports
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import to_datetime
from gateway.statedir import StateDir
from sekisho import keys_export, place, screen
from sekisho.place import Config, Json, Keys, Quiet, State

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

_LOSS = (
    "Whoever loses the keys loses the homes, consents, device tokens and rows about people of this directory, "
    "and can\nstore nothing more about people in it. Rows about things of the city stay. "
    "Keep a copy in a safe place."
)


@app.callback()
def keys() -> None:
    """Make the keys of a state directory, and look after them."""


@app.command()
def init(
    *,
    state: State = None,
    mark: Annotated[
        str,
        typer.Option(
            metavar="SIM|REPLAY|none",
            help="What a new directory is for; it can never be changed. SIM: synthetic devices only. "
            "REPLAY: recorded uplinks. none: the real thing.",
        ),
    ] = "none",
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a state directory, if it is not there yet, and its keys."""
    wanted = place.mark(mark)
    settings = place.settings_of(config)
    path = place.state_path(state, config, settings)
    clock, zone = SystemClock(), place.zone_of(settings)
    if (path / "sekisho.json").exists():
        directory = StateDir.open(path)
        if directory.mark != wanted and mark != "none":
            raise Refusal(
                f"{directory.path} was made as {directory.mark or 'the real thing'}, and its mark "
                "cannot be changed. Choose another --state."
            )
        root = place.keys_root(directory.path, directory.id, keys, settings)
        _refuse_lost(root, directory)
    else:
        root = place.keys_root(path.absolute(), "", keys, settings)
        directory = StateDir.create(path, wanted, clock)
    ring = KeyRing.create(root, directory.id, clock, zone)
    if json:
        screen.document(
            {"state": str(directory.path), "mark": directory.mark, "keys": str(ring.path)}
        )
    elif not quiet:
        screen.facts(
            [
                ("state", f"{directory.path} ({directory.mark or 'not marked'})"),
                ("keys", ring.path),
            ]
        )
        print(_LOSS)


@app.command()
def status(
    *, state: State = None, keys: Keys = None, config: Config = None, json: Json = False
) -> None:
    """Say where the keys of a state directory are, and how many of each sort."""
    here = place.find(state, keys, config)
    counts = here.keys.count()
    made_before = Exports(here.keys.path).all()
    lacking = Exports(here.keys.path).lacking() if made_before else 0
    made = to_datetime(here.state.created_at, place.zone_of(here.settings))
    if json:
        screen.document(
            {
                "state": str(here.state.path),
                "id": here.state.id,
                "mark": here.state.mark,
                "created_at": made.isoformat(timespec="seconds"),
                "keys": str(here.keys.path),
                **counts,
                "exports": [export.number for export in made_before],
                "taken_back_since": lacking,
            }
        )
        return
    screen.facts(
        [
            ("state", f"{here.state.path} ({here.state.mark or 'not marked'})"),
            ("made", made.isoformat(" ", "seconds")),
            ("keys", here.keys.path),
            ("files", f"{counts['files']:>6,}  one per personal file"),
            ("days", f"{counts['days']:>6,}  one per service day, destroyed an hour after its end"),
            (
                "periods",
                f"{counts['periods']:>6,}  one per counter and period, destroyed when it closes",
            ),
            ("households", f"{counts['households']:>6,}  one each: homes, consents and rows"),
            (
                "exports",
                f"{len(made_before):>6,}  copies under a passphrase, wherever they are now",
            ),
            (
                "taken back",
                f"{lacking:>6,}  since the last export: consents, tokens, homes. Export anew, for a restore elsewhere"
                if lacking
                else None,
            ),
        ]
    )


app.command("export")(keys_export.export)
app.command("import")(keys_export.import_)


def _refuse_lost(root: Path, directory: StateDir) -> None:
    """New keys for a directory that holds sealed things already would hide that they are lost."""
    if directory.registry_db.exists() and not (root / directory.id / "root.key").exists():
        raise Refusal(
            f"{directory.path} was used with other keys, which are not in {root / directory.id}. "
            "New ones would not open what they sealed. Bring the old ones back, say where they lie "
            "(--keys), or start a new directory."
        )
