"""`sekisho release`: the numbers of closed periods: looked at, agreed to, handed out, never a second time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.clock import SystemClock
from gateway.counting.ledger import Standing
from gateway.model.errors import Refusal
from gateway.settings.load import Settings
from gateway.statedir import StateDir, write_durably
from gateway.stores.counters import CounterFiles
from gateway.stores.releases import Releases
from sekisho import place, release_forms, release_reviewer, screen
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
        said = [{"name": name, "period": period, **_told(one, today)} for (name, period), one in found.items()]  # fmt: skip
        screen.document({"releases": said, "lines": len(entries), "hash": last})
        return
    if not found:
        print("No period was closed yet.")
    else:
        _table(found, today)
    if entries:
        print(f"\nledger  {len(entries)} lines, hash {last}")


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
    _tell(document)


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
    if not quiet:
        print(f"{name} {period}: {_state(found, releases.today())}")


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
    quiet: Quiet = False,
) -> None:
    """Hand out a release that enough people have agreed to; the ledger remembers it."""
    form = release_forms.FORMS.get(out.suffix)
    if form is None:
        raise Refusal(
            f"--out {out}: a file that ends in .csv, .geojson or .json is needed.", exit_code=2
        )
    target = place.replaceable("--out", out, force=force)
    text = form(_releases(state, config).export(name, period, out.suffix))
    try:
        write_durably(target, text.encode(), _FOR_READERS)
    except OSError as error:
        raise Refusal(f"{out} cannot be written: {error.strerror}.") from None
    if not quiet:
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
    quiet: Quiet = False,
) -> None:
    """Enter that a recipient has confirmed in writing that what it was handed under its agreement is deleted.

    Due when the agreement has ended; list says where one is missing. It may come earlier: nothing more is handed out then.
    The ledger remembers your account beside the name.
    """
    if not by.strip():
        raise Refusal("--by: who has confirmed it? Say a name.", exit_code=2)
    _releases(state, config).receipt(name, period, by, account())
    if not quiet:
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
        _of(here.state, here.settings).withhold(name, period, because)
        here.keys.periods.destroy(full)
        files.remove(full)
    if not quiet:
        print(f"{name} {period}: withheld, and its counter destroyed")


def _releases(state: Path | None, config: Path | None) -> Releases:
    return _of(*place.find_state(state, config))


def _of(directory: StateDir, settings: Settings | None) -> Releases:
    return Releases(directory.releases_dir, SystemClock(), place.zone_of(settings))


def _table(found: Mapping[tuple[str, str], Standing], today: str) -> None:
    screen.table(
        ("name", "period", "days", "looked", "state"),
        [
            (name, period, _days(one), f"{len(one.approved)} of {one.facts.get('review', 0)}", _state(one, today))
            for (name, period), one in found.items()
        ],
    )  # fmt: skip


def _told(found: Standing, today: str) -> dict[str, Any]:
    return {
        "first": found.facts.get("first"),
        "last": found.facts.get("last"),
        "review": found.facts.get("review"),
        "approved": sorted(found.approved.values()),
        "refused": sorted(found.refused.values()),
        "exported": found.exported,
        "agreement": found.facts.get("agreement"),
        "receipt": found.receipt or None,
        "state": _state(found, today),
    }


def _days(found: Standing) -> str:
    return "" if found.withheld else f"{found.facts['first']} to {found.facts['last']}"


def _state(found: Standing, today: str) -> str:  # noqa: PLR0911 one word for each
    if found.withheld:
        return f"withheld: {found.facts['why']}"
    if found.removed:
        return "had its time"
    if found.refused:
        return f"refused by {', '.join(found.refused.values())}"
    if found.receipt_due(today):
        return f"exported, receipt of {found.facts['agreement']['recipient']} due since {found.facts['agreement']['ends']}"
    if found.exported:
        times = f"exported {found.exported} times" if found.exported > 1 else "exported"
        return f"{times}, deleted by {found.receipt}" if found.receipt else times
    if found.ended(today):
        return "agreement over"
    return "may leave" if found.may_leave(today) else "to be looked at"


def _tell(document: Mapping[str, Any]) -> None:
    counts, period, losses = document["counts"], document["period"], document["losses"]
    kills = losses["kills"]
    cut = (
        "nothing of what was counted"
        if not any(losses[name] for name in ("kills", "missed", "full"))
        else f"up to {losses['minutes_at_most']} min ({kills} {'run' if kills == 1 else 'runs'} cut off), "
        f"{losses['missed']} checkpoints missing{', and those for whom there was no room' if losses['full'] else ''}"
    )
    screen.facts(
        [
            ("release", f"{document['name']} {period['name']}"),
            ("days", f"{period['first']} to {period['last']}"),
            ("for", document["purpose"]),
            ("read by", document["audience"]),
            ("counts", f"distinct {release_forms.said(document)} by {counts['unit']}, none below {counts['k']}"),
            ("counted", _covered(document)),
            ("lost", cut),
            ("rules", document["rules"]),
        ]
    )  # fmt: skip
    print()
    screen.table(release_forms.columns(document), release_forms.cells(document))


def _covered(document: Mapping[str, Any]) -> str:
    """From when it was counted, and for how long it was not."""
    losses = document["losses"]
    missed, since = losses.get("minutes_not_counted"), losses.get("counted_from")
    if not missed:
        return "unknown since when" if missed is None else "all the time"
    whole = document["period"]["hours"] * 60
    return f"from {since[:16].replace('T', ' ')}; {_long(missed)} of {_long(whole)} not counted"


def _long(minutes: int) -> str:
    """A length of time, in at most two units: `21 h`, `2 h 5 min`, `31 d`."""
    days, rest = divmod(minutes, 24 * 60)
    if days > 1:
        return f"{days} d {rest // 60} h" if rest >= 60 else f"{days} d"
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts)
