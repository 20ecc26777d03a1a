"""Fleets, homes and consents: the parts of `sekisho devices` that read files or sign for people."""

import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from gateway.model.errors import Refusal
from gateway.model.instant import Instant, day_begins
from gateway.pipeline.retention import first_day
from gateway.privacy.policy import Zoned
from gateway.registry import imports
from gateway.registry.home_import import HomeEntry, read_homes, read_private
from gateway.registry.imports import Entries, Plan
from gateway.registry.purposes import PURPOSES, STORE
from gateway.registry.registry import Registry
from gateway.settings.load import load_devices
from gateway.statedir import Mark
from sekisho import consented, facts, place, screen
from sekisho.following import follow
from sekisho.place import Config, Json, Keys, Place, Quiet, State

Device = Annotated[str, typer.Argument(metavar="DEVICE", show_default=False)]
Purpose = Annotated[
    str | None,
    typer.Option(
        metavar="LANE",
        help=f"For which lane: {', '.join(sorted(PURPOSES))}. Default: {STORE}, or the only one of the rules in force.",
    ),
]


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="devices.yaml, or CSV.")
    ],
    *,
    prune: Annotated[
        bool, typer.Option("--prune", help="Forget what an earlier import brought and FILE lacks.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Let FILE win over what commands set.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the difference; change nothing.")
    ] = False,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add and change devices as a file says; print the difference first.

    CSV: device,kind and, as needed, owner, household, name, credential and the kind's attributes.
    Homes never come this way: sekisho devices import-homes.
    """
    here = place.find(state, keys, config)
    with here.registry() as registry:
        entries = _entries(file, here, registry)
        planned = imports.plan(registry, entries, prune=prune, force=force)
        if not json and not quiet:
            _show(planned)
        if not dry_run:
            imports.apply(registry, planned, here.clock.now())
        first = next((name for name in planned.speakers if name in registry.tokenless()), None)
    if not dry_run:
        follow(here.state)
    if json:
        screen.document(
            {"difference": list(planned.lines()), "same": planned.same, "done": not dry_run}
        )
    elif not quiet:
        print(_sum(planned, dry_run=dry_run))
        if first is not None:
            print(f"A new credential connects once it has a token: sekisho devices token {first}")


def import_homes(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE|-", help="CSV only its owner may read; - is standard input."),
    ] = "-",
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Seal homes into the registry: CSV household,lat,lon[,radius_m][,crs], degrees WGS 84.

    Only sekisho privacy access HOUSEHOLD shows one again, which stands in the access log; under zone
    rules its zone alone is kept. Delete the CSV afterwards. Where radius_m is left out a household
    keeps the radius it has.
    """
    here = place.find(state, keys, config)
    free = here.settings is None and here.state.mark is Mark.SIM
    in_area = None if free else here.in_area()
    if file == "-" and sys.stdin.isatty():
        screen.warn("Reading homes from standard input (Ctrl-D ends).")
    text = sys.stdin.read() if file == "-" else read_private(Path(file))
    least = here.settings.policy.home_radius_m if here.settings else 1.0
    homes = read_homes(text, "standard input" if file == "-" else file, in_area, least)
    now = _moved_at(here)
    zoned = here.settings.policy.zoned if here.settings else None
    if zoned is not None:
        _refuse_radii(homes)
    here.keys.households.make_all(home.household for home in homes)
    with here.registry() as registry, registry.change():
        moved = (
            _put_homes(registry, homes, now)
            if zoned is None
            else _put_zones(registry, homes, zoned, now)
        )
        known = {row.household for row in registry.devices()}
    followed = follow(here.state)
    nobody = sorted({home.household for home in homes} - known)
    if nobody:
        screen.warn(
            f"No device belongs to {', '.join(nobody)} yet: "
            f"sekisho devices set DEVICE --household {nobody[0]}."
        )
    if json:
        screen.document({"sealed": len(homes), "moved": moved})
    elif not quiet:
        print(f"{screen.count(len(homes), 'home')} sealed. {followed.sentence}")
        if moved:
            print(
                f"{screen.count(moved, 'household')} moved: the old home stays hidden like the new one until the rows "
                "from before are gone."
            )
        if file != "-":
            print(f"They are still in {file}: delete it (shred -u {file}).")


def _moved_at(here: Place) -> Instant:
    """Now; where our clock is behind the rows there are, the day of the newest file: a move is never before them."""
    days = (first_day(path.stem) for path in here.state.personal_dir.glob("*.db"))
    return max([here.clock.now(), *(day_begins(day, UTC) for day in days if day is not None)])


def _put_homes(registry: Registry, homes: Sequence[HomeEntry], now: Instant) -> int:
    """Keep each home; how many households moved."""
    own = registry.families.own_radii()  # no circle shrinks because a line leaves its radius out
    moved = 0
    for home in homes:
        radius_m = own.get(home.household) if home.radius_m is None else home.radius_m
        moved += registry.put_home(home.household, home.lat, home.lon, radius_m, at=now)
    return moved


def _put_zones(registry: Registry, homes: Sequence[HomeEntry], zoned: Zoned, now: Instant) -> int:
    """Keep of each home its zone alone, and say of how many there is none; how many households moved."""
    families = {
        home.household for home in homes
    }  # of whom an exact home is kept: to tell who moves
    registry.families.forget_homes(zoned.partition.zone_of, zoned.pin, now, families)
    nowhere, moved = set(), 0
    for home in homes:
        zone = zoned.partition.zone_of(home.lat, home.lon)
        nowhere |= set() if zone else {home.household}
        moved += registry.put_zone(home.household, zone or "", zoned.pin, at=now)
    if nowhere:
        screen.warn(
            f"{screen.count(len(nowhere), 'household')} {'lives' if len(nowhere) == 1 else 'live'} in no zone of "
            f"{zoned.partition.id}, and nothing will be kept of the children there (no zone known): "
            f"{', '.join(sorted(nowhere))}. Tell the parents."
        )
    return moved


def _refuse_radii(homes: Sequence[HomeEntry]) -> None:
    own = sorted(home.household for home in homes if home.radius_m is not None)
    if own:
        raise Refusal(
            f"{own[0]}{' and others' if len(own) > 1 else ''} would have a radius of its own, and the rules in force "
            "stand on zones: two homes of one zone must give the same output. Leave radius_m out; the rule's "
            "buffer widens the zone for everybody alike. Nothing was imported.",
            exit_code=2,
        )


def consent(
    device: Device,
    *,
    by: Annotated[str, typer.Option(metavar="NAME", show_default=False, help="Who consents.")],
    text: Annotated[
        str,
        typer.Option(
            metavar="TEXT", show_default=False, help="To which words: title and date of the sheet."
        ),
    ],
    purpose: Purpose = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Record a guardian's opt-in for one child and lane; who and which words are sealed."""
    for option, said in (("--by", by), ("--text", text)):
        if not said.strip():
            raise Refusal(
                f"{option} is blank: who consented, and to which words, is the record of a consent.",
                exit_code=2,
            )
    here = place.find(state, keys, config)
    lane = consented.for_which(purpose, consented.lanes_in(here.settings, here.state))
    with here.registry() as registry:
        kind = registry.device(device).kind
        if not facts.is_personal(kind):
            raise Refusal(f"{kind} is a thing of the city; it needs no consent.", exit_code=2)
        if not facts.needs_household(kind):
            raise Refusal(f"{kind} belongs to no household; it needs no consent.", exit_code=2)
        registry.record_consent(device, lane, by, text, here.clock.now())
    followed = follow(here.state)
    if not quiet:
        print(f"Consent for {device} is recorded, lane {lane}. {followed.sentence}")


def withdraw(
    device: Device,
    *,
    purpose: Purpose = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Withdraw consent: from now on the lane takes nothing more of the device.

    Rows that are stored stay until their time is over, or until the household is erased. What the running
    period has counted stays in its numbers: nobody can tell any more whose part it is.
    """
    if purpose is not None:
        consented.require(purpose)
    here = place.find(state, keys, config)
    with here.registry() as registry:
        agreed = registry.consents().get(device, frozenset())
        lane = purpose or (next(iter(agreed)) if len(agreed) == 1 else STORE)
        stood = registry.withdraw_consent(device, lane, here.clock.now())
    if not stood:
        raise Refusal(
            f"No consent for {device} stood in lane {lane}, so there was none to withdraw."
        )
    followed = follow(here.state)
    if not quiet:
        print(f"Consent for {device} is withdrawn, lane {lane}. {followed.sentence}")


def missing_for(device: str, household: str | None) -> str:
    """What a personal device still needs before anything of it is stored."""
    if household is None:
        return (
            "Nothing of it is stored before its household, its home and a consent are known:\n"
            f"  sekisho devices set {device} --household NAME\n"
            "then sekisho devices import-homes and sekisho devices consent."
        )
    return (
        "Nothing of it is stored before its home and a consent are known:\n"
        f"  sekisho devices import-homes -          (household,lat,lon with {household})\n"
        f"  sekisho devices consent {device} --by NAME --text SHEET"
    )


def _entries(file: Path, here: Place, registry: Registry) -> Entries:
    csv = file.suffix.lower() == ".csv"
    owner = here.settings.owner if here.settings else facts.owner(None, registry)
    if not csv:
        return load_devices(file, owner)
    try:
        return imports.read_csv(file.read_text("utf-8"), str(file), owner)
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.", exit_code=2) from error
    except UnicodeDecodeError:
        raise Refusal(f"{file} is not a text in UTF-8. Save it as CSV in UTF-8.", 2) from None


def _show(planned: Plan) -> None:
    for line in planned.lines():
        print(line)


def _sum(planned: Plan, *, dry_run: bool) -> str:
    counts = (
        f"{len(planned.add)} added, {len(planned.change)} changed, {len(planned.drop)} forgotten, "
        f"{len(planned.keep)} kept as commands set them, {planned.same} the same"
    )
    if dry_run:
        return f"{counts}. Nothing was changed (--dry-run)."
    return f"{counts}."
