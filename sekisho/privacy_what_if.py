"""`sekisho privacy what-if`: what rule sets would keep of the same ways, without a gateway and without keys."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from gateway.model.instant import parse_rfc3339
from gateway.privacy.policy import Policy
from gateway.rules.canonical import digest
from gateway.settings.rule_set import load_rules
from gateway.statedir import write_durably
from sekisho import ground, place, screen, track
from sekisho.bar import Bar
from sekisho.exposure import exposure_of, guesses_of
from sekisho.place import Json, Quiet
from sekisho.simulate_options import TownName
from sekisho.ways import read_homes, read_ways
from sekisho.ways_of_town import ways_of
from sekisho.what_if import Network, cell_of, keep, policy_of, use_of
from sekisho.what_if_account import Counted, Told, Tried, figures, show
from sekisho.what_if_map import features
from sekisho.what_if_numbers import numbers_of
from sekisho.what_if_picture import picture
from simulators.town import town as town_named

BEGIN = parse_rfc3339("2026-05-11T00:00:00+09:00")
_FIRST_DAY = "Monday 2026-05-11"
_SOURCE = "Whose ways"
_OUT = "What is written"


def what_if(
    *,
    rules: Annotated[
        list[Path], typer.Option(metavar="FILE", help="A rule set; repeatable, and side by side.")
    ],
    tracks: Annotated[
        list[Path] | None,
        typer.Option(
            rich_help_panel=_SOURCE,
            metavar="FILE",
            help="GPX or NMEA (one child each), CSV (time, lat, lon; perhaps device, accuracy_m), or a ledger of sekisho "
            "simulate; repeatable.",
        ),
    ] = None,
    home: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_SOURCE, metavar="LAT,LON", help="The home of all of them, in degrees."
        ),
    ] = None,
    homes: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_SOURCE,
            metavar="FILE.csv",
            help="Homes: device, lat, lon. A device is named in the CSV of tracks, or as its file is.",
        ),
    ] = None,
    dwellings: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_SOURCE,
            metavar="FILE",
            help="All dwellings round about, as for partition build: who could live behind a row.",
        ),
    ] = None,
    roads: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_SOURCE, metavar="FILE", help="Roads, as for partition build."
        ),
    ] = None,
    town: Annotated[
        TownName | None,
        typer.Option(
            rich_help_panel=_SOURCE, help="Instead of tracks: children of a fictional town."
        ),
    ] = None,
    children: Annotated[
        int, typer.Option(rich_help_panel=_SOURCE, min=1, max=10_000, help="With --town.")
    ] = 100,
    days: Annotated[
        int,
        typer.Option(
            rich_help_panel=_SOURCE, min=1, max=366, help=f"With --town, from {_FIRST_DAY}."
        ),
    ] = 7,
    seed: Annotated[int, typer.Option(rich_help_panel=_SOURCE, help="With --town.")] = 7,
    every: Annotated[
        int,
        typer.Option(
            rich_help_panel=_SOURCE,
            min=1,
            max=3600,
            metavar="SECONDS",
            help="With --town: between two reports of a tracker.",
        ),
    ] = 60,
    picture_out: Annotated[
        Path | None,
        typer.Option(
            "--picture", rich_help_panel=_OUT, metavar="FILE.svg", help="Draw them side by side."
        ),
    ] = None,
    geojson: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_OUT, metavar="DIR", help="Write each rule set's rows as GeoJSON."
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", rich_help_panel=_OUT, help="Let --picture and --geojson replace files."
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare rule sets on the same ways: what each keeps, and what that tells of homes.

    No gateway, no state directory and no keys are needed, and nothing is stored but what you ask for.

    \b
    sekisho privacy what-if --rules config/privacy/legacy-50m.yaml --rules config/privacy/toyama-zone.yaml --town district
    sekisho privacy what-if --rules mine.yaml --tracks walk.gpx --home 36.90,137.20
    """  # noqa: D301 - \b keeps the lines of the examples apart
    forbid_cores()
    if bool(tracks) == (town is not None):
        raise Refusal("Give either --tracks FILE (and homes), or --town NAME.", exit_code=2)
    names = _names(rules)
    drawn = (
        None if picture_out is None else place.replaceable("--picture", picture_out, force=force)
    )
    mapped = {
        name: place.replaceable("--geojson", geojson / f"{name}.geojson", force=force)
        for name in names
        if geojson is not None
    }
    with Bar(sys.stderr, quiet=quiet) as bar:
        if town is None:
            tried = _recorded(tracks or [], home, homes, dwellings, roads)
        else:
            tried = _invented(town, seed, children, days, float(every), bar)
        told, counted = _tell(names, tried, bar)
    if drawn is not None and not told:
        raise Refusal(
            "No rule set here keeps rows, and numbers are not drawn: leave --picture out.",
            exit_code=2,
        )
    if drawn is not None:
        _save(drawn, picture(tried.ways, tried.streets, [one[:4] for one in told], tried.title))
    for one in told:
        if one.kept.name in mapped:
            mapped[one.kept.name].parent.mkdir(parents=True, exist_ok=True)
            _save(mapped[one.kept.name], features(one.kept))
    if json:
        screen.document(figures(tried, told, counted))
    elif not quiet:
        show(tried, told, counted)


def _names(files: Sequence[Path]) -> dict[str, Path]:
    """Each rule set under its file's name, with its folder where two are alike."""
    stems = [file.stem for file in files]
    return {
        file.stem if stems.count(file.stem) == 1 else f"{file.parent.name}-{file.stem}": file
        for file in files
    }


def _recorded(
    tracks: Sequence[Path],
    home: str | None,
    homes: Path | None,
    dwellings: Path | None,
    roads: Path | None,
) -> Tried:
    known = {} if homes is None else read_homes(homes)
    ways = read_ways(tracks, None if home is None else track.home(home), known)
    buildings = [] if dwellings is None else ground.read_buildings(dwellings)
    houses = [one.place for one in buildings for _ in range(one.dwellings)]
    streets = [] if roads is None else [
        (line[n], line[n + 1]) for line in ground.read_lines(roads) for n in range(len(line) - 1)
    ]  # fmt: skip
    fixes = sum(len(way.fixes) for way in ways)
    return Tried(
        ways, houses, streets, f"{len(ways):,} recorded, {screen.count(fixes, 'fix', 'fixes')}"
    )


def _invented(
    name: TownName, seed: int, children: int, days: int, every_s: float, bar: Bar
) -> Tried:
    here = town_named(name.value)

    def done(many: int) -> None:
        bar.move(many, children, "children walk", f"{many:,} of {children:,}")

    ways = ways_of(here, seed, children, BEGIN, days, every_s, done)
    nodes = [here.plane.degrees(node) for node in here.streets.nodes]
    title = (
        f"{screen.count(children, 'child', 'children')} of the fictional town {here.name}, seed {seed}, "
        f"{screen.count(days, 'day')}, a fix every {every_s:g} s"
    )
    return Tried(
        ways,
        [here.plane.degrees(one.house) for one in here.dwellings],
        [(nodes[a], nodes[b]) for a, b in here.streets.edges],
        title,
    )


def _tell(names: Mapping[str, Path], tried: Tried, bar: Bar) -> tuple[list[Told], Counted]:
    """What each rule set keeps, and what its lanes that count would tell."""
    told: list[Told] = []
    counted = {}
    for name, file in names.items():
        rules = load_rules(file, invented=True)
        policy = policy_of(file, tried.ways)
        counted[name] = numbers_of(rules, policy, tried.ways, tried.streets)
        if policy.keeps_ways:
            told.append(_tell_of(name, policy, digest(rules), tried, bar))
        elif not counted[name]:
            raise Refusal(
                f"{file} has no lane store and counts nobody's ways, so there is nothing to compare. "
                "sekisho privacy rules explain says what its lanes tell.",
                exit_code=2,
            )
    return told, counted


def _tell_of(name: str, policy: Policy, ruleset: str, tried: Tried, bar: Bar) -> Told:
    def done(many: int) -> None:
        bar.move(many, len(tried.ways), name, f"{many:,} of {len(tried.ways):,}")

    kept = keep(name, policy, tried.ways, done)
    where = Network(tried.streets).where if tried.streets else cell_of
    guesses = guesses_of(kept, tried.ways, tried.dwellings)
    return Told(kept, guesses, use_of(kept, tried.ways, where), exposure_of(guesses), ruleset)


def _save(path: Path, content: str) -> None:
    """Write a file that only its owner may read: it may tell of real ways."""
    try:
        write_durably(path, content.encode(), 0o600)
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}. Choose another place.") from None  # fmt: skip
