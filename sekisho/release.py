"""`sekisho release`: the numbers of closed periods: looked at, agreed to, handed out, never a second time."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.registry.rules import require_line
from gateway.settings.load import Settings
from gateway.statedir import StateDir, write_durably
from gateway.stores.counters import CounterFiles
from gateway.stores.releases import Releases
from sekisho import place, release_account, release_forms, release_reviewer, screen
from sekisho.login import account
from sekisho.passphrase import PassphraseFile, passphrase
from sekisho.place import Config, Json, Keys, Quiet, State

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose numbers: the lane's name.")]
_Period = Annotated[str, typer.Argument(metavar="PERIOD", help="As list shows it, like 2026-05.")]
_By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who you are.")]
_FOR_READERS = 0o644

app.add_typer(release_reviewer.app, name="reviewer")


@app.callback()
def release() -> None:
    """Look at what was counted, agree to it, and hand it out."""


@app.command("list")
def list_(*, state: State = None, config: Config = None, json: Json = False) -> None:
    """List the periods that were closed, what became of them, and the ledger's last hash.

    Keep that hash elsewhere: a ledger whose end was cut off is recognised by it alone.
    """
    releases = _releases(state, config)
    entries = releases.entries()
    found = releases.standings()
    last = entries[-1]["hash"] if entries else None
    today = releases.today()
    if json:
        said = [release_account.told(*key, one, today) for key, one in found.items()]
        screen.document({"releases": said, "lines": len(entries), "hash": last})
        return
    if not found:
        print("No period was closed yet.")
    else:
        release_account.table(found, today)
    if entries:
        print(f"\nledger  {screen.count(len(entries), 'line')}, hash {last}")


@app.command()
def show(
    name: _Name,
    period: _Period,
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
    geojson: Annotated[bool, typer.Option("--geojson", help="Print the map as GeoJSON.")] = False,
    state: State = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show what would leave: to those who are to look at it."""
    document = _releases(state, config).document(name, period)
    for wanted, form in ((json, ".json"), (csv, ".csv"), (geojson, ".geojson")):
        if wanted:
            print(release_forms.FORMS[form](document), end="")
            return
    release_account.show(document)


@app.command()
def review(
    name: _Name,
    period: _Period,
    *,
    by: _By,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="It must not leave, and never will.")
    ] = False,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What you saw.")] = "",
    passphrase_file: PassphraseFile = None,
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say that you have looked at a release, and that it may leave, or that it must not.

    A cell may be large enough and still speak of one place: a shelter, a clinic, one family's street.
    Different people look, each with a passphrase of their own (release reviewer add); nobody counts twice.
    """
    if not by.strip():
        raise Refusal("--by: who has looked? Say a name.", exit_code=2)
    releases = _releases(state, config)
    releases.document(name, period)
    who = release_reviewer.of(state, config)[1].require(by)
    key = release_reviewer.key_of(who, passphrase(passphrase_file, twice=False))
    if key is None:
        raise Refusal(f"This is not the passphrase of {who.name}. Nothing was entered.")
    found = releases.review(name, period, by, account(), key, agrees=not refuse, note=note)
    today = releases.today()
    if json:
        screen.document(release_account.told(name, period, found, today))
    elif not quiet:
        print(f"{name} {period}: {release_account.state_of(found, today)}")


@app.command()
def export(
    name: _Name,
    period: _Period,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="A .csv, .geojson or .json file.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hand out a release that enough people have agreed to; the ledger remembers it."""
    form = release_forms.FORMS.get(out.suffix)
    if form is None:
        raise Refusal(
            f"--out {out}: a file that ends in .csv, .geojson or .json is needed.", exit_code=2
        )
    target = place.replaceable("--out", out, force=force)
    releases = _releases(state, config)
    text = form(releases.export(name, period, out.suffix))
    try:
        write_durably(target, text.encode(), _FOR_READERS)
    except OSError as error:
        raise Refusal(f"{out} cannot be written: {error.strerror}.") from None
    if json:
        screen.document({**_said(releases, name, period), "file": str(out)})
    elif not quiet:
        print(out)


@app.command()
def receipt(
    name: _Name,
    period: _Period,
    *,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who has confirmed it: the recipient.")
    ],
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Enter that a recipient has confirmed in writing that what it was handed under its agreement is deleted.

    Due when the agreement has ended; list says where one is missing. It may come earlier: nothing more is handed out then.
    The ledger remembers your account beside the name.
    """
    if not by.strip():
        raise Refusal("--by: who has confirmed it? Say a name.", exit_code=2)
    require_line(by, "--by")
    releases = _releases(state, config)
    releases.receipt(name, period, by, account())
    if json:
        screen.document(_said(releases, name, period))
    elif not quiet:
        print(f"{name} {period}: deleted by {by}")


@app.command()
def withhold(
    name: _Name,
    period: _Period,
    *,
    because: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; it stands in the ledger for good.")
    ],
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give up a period that is still counted: nothing of it is ever released. The gateway must not run.

    For a counter that cannot be gone on with: other rules, other streets, a key that is lost.
    """
    here = place.find(state, keys, config)
    full = f"{name}-{period}"
    files = CounterFiles(here.state.counting_dir)
    with here.state.lock():
        if full not in files.names():
            raise Refusal(f"There is no open counter {name} {period}.")
        releases = _of(here.state, here.settings)
        releases.withhold(name, period, because)
        here.keys.periods.destroy(full)
        files.remove(full)
    if json:
        screen.document(_said(releases, name, period))
    elif not quiet:
        print(f"{name} {period}: withheld, and its counter destroyed")


def _releases(state: Path | None, config: Path | None) -> Releases:
    return _of(*place.find_state(state, config))


def _said(releases: Releases, name: str, period: str) -> dict[str, object]:
    return release_account.told(name, period, releases.standings()[name, period], releases.today())


def _of(directory: StateDir, settings: Settings | None) -> Releases:
    return Releases(directory.releases_dir, SystemClock(), place.zone_of(settings))
